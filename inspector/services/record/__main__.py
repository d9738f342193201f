"""`python -m inspector.services.record`."""

import sys

from inspector.services.record.process import main

sys.exit(main())
