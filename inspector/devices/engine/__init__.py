"""The engine: `sight` is what the model sees, `compiled` infers, `reading` says what came out."""

from inspector.devices.engine.compiled import Engine, Model, OpenVinoModel
from inspector.devices.engine.letterbox import fitted
from inspector.devices.engine.reading import Inference, Scores, reader_of
from inspector.devices.engine.sight import (
    Image,
    Registered,
    Whole,
    kept_of,
    reduce,
    shrink,
    shrink_into,
)
from inspector.devices.engine.upright import find

__all__ = [
    "Engine",
    "Image",
    "Inference",
    "Model",
    "OpenVinoModel",
    "Registered",
    "Scores",
    "Whole",
    "find",
    "fitted",
    "kept_of",
    "reader_of",
    "reduce",
    "shrink",
    "shrink_into",
]
