"""python -m inspector.ui"""

import sys

from inspector.ui.process import main

sys.exit(main())
