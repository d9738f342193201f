"""inspector: looks at every part on a line, decides in time, tells the outside only totals.

Promises: OpenVINO's telemetry is off in every process that imports this package first. Otherwise
`import openvino` alone, and NNCF too, sends an event to Google Analytics and writes a client's
number under ~/intel, with no word and no question. And numpy's matrix products keep to one thread:
its others wait busily on the cores that inference needs (teaching took twice the processor time).
"""

import os
import sys

__version__ = "0.1.0"

# None makes its import fail, upon which OpenVINO and NNCF use stubs that send nothing.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # the import system's own way
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported
