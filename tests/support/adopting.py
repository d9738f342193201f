"""Importing foreign models as the command does it, and looking through the line's own engine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inspector.adopt.adopting import Adopted, Line, Order, adopt
from inspector.adopt.terms import Asked
from inspector.core.config import Detect
from inspector.devices.bundles import open_bundle
from inspector.devices.engine import Engine, Inference, fitted, reader_of
from support.foreign import picture

LINE = Line(fitted, lambda task, classes, outputs: reader_of(task, classes)(outputs).values)
SEEN = [picture((8, 8, "red")), picture((32, 24, "blue")), picture()]


def imported(
    path: Path, frames: Sequence[np.ndarray] = SEEN, limits: Sequence[float] = (), **asked: Any
) -> Adopted:
    """The bundle of a foreign model, beside it in `bundle`."""
    review, fail = limits or (None, None)
    order = Order("foreign", path.with_name("bundle"), Asked(**asked), review, fail)
    return adopt(path, order, frames, LINE)


def said(path: Path, frame: np.ndarray) -> Inference:
    """What the bundle beside the foreign model says on the line."""
    bundle = open_bundle(path.with_name("bundle"))
    engine = Engine(Detect(threads=1), path.with_name("cache"))
    return engine.load(bundle.folder, bundle.manifest).infer(frame)
