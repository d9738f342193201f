"""Small pieces of OpenVINO graphs that the steps of adopting share.

Promises: the same model gives the same bytes.
Never knows a task or an exporter.
"""

import tempfile
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from inspector.core.bundle_folder import MODEL, WEIGHTS


def ints(*values: int) -> ov.Node:
    """A constant list, int64."""
    return ops.constant(np.asarray(values, np.int64))


def step_of(rows: int, columns: int, finest: int) -> int:
    """How many cells become one, so that at most `finest` are left on the longer side where whole
    cells allow it."""
    wanted = -(-max(rows, columns) // finest)
    fitting = [by for by in range(wanted, 4 * wanted) if rows % by == columns % by == 0]
    return fitting[0] if fitting else 1


def serialised(model: ov.Model) -> dict[str, bytes]:
    """The model's two files, weights as they came."""
    with tempfile.TemporaryDirectory() as folder:
        ov.save_model(model, Path(folder) / MODEL, compress_to_fp16=False)
        return {name: (Path(folder) / name).read_bytes() for name in (MODEL, WEIGHTS)}
