"""`python -m inspector.services.publish`."""

import sys

from inspector.services.publish.process import main

sys.exit(main())
