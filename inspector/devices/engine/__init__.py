"""The engine: `sight` is what the model sees, `compiled` infers, `reading` says what came out."""

from inspector.devices.engine.compiled import Engine, Model, OpenVinoModel
from inspector.devices.engine.reading import Inference, Scores
from inspector.devices.engine.sight import Image, reduce, shrink, shrink_into

__all__ = [
    "Engine",
    "Image",
    "Inference",
    "Model",
    "OpenVinoModel",
    "Scores",
    "reduce",
    "shrink",
    "shrink_into",
]
