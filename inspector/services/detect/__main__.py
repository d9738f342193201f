"""`python -m inspector.services.detect`."""

import sys

from inspector.services.detect.process import main

sys.exit(main())
