"""`python -m inspector.services.workshop`."""

import sys

from inspector.services.workshop.process import main

sys.exit(main())
