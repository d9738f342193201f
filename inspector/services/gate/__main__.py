"""`python -m inspector.services.gate`."""

import sys

from inspector.services.gate.process import main

sys.exit(main())
