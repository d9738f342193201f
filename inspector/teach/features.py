"""Runs the backbone over images.

Promises: the same images give the same features on the same machine, in float32.
Never trains, never keeps an image.
"""

import hashlib
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from inspector.core.errors import MaintainerError

GREY = np.array([0.114, 0.587, 0.299], np.float32)  # blue, green, red: ITU-R BT.601 luma


def to_grey(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [N,H,W,1] or [N,H,W,3] (BGR) to float32 [N,H,W] in 0..255."""
    values = frames.astype(np.float32)
    return values[..., 0] if frames.shape[-1] == 1 else np.asarray(values @ GREY, np.float32)


class Backbone:
    """The trained network: grey images in, a grid of unit vectors out."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Load backbone.xml. Raises MaintainerError where it is missing or unreadable."""
        weights = path.with_suffix(".bin")
        for file in (path, weights):
            if not file.is_file():
                raise MaintainerError(f"{file}: missing; install the models folder again")
        self.path = path
        self.sha256 = hashlib.sha256(path.read_bytes() + weights.read_bytes()).hexdigest()
        options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
        try:
            self._compiled = ov.Core().compile_model(path, "CPU", options)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise MaintainerError(f"{path}: cannot be loaded ({reason}); reinstall it") from None

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [N,256,256,C] to float32 [N,h,w,D], unit length over D."""
        grids = [self._one(grey) for grey in to_grey(frames)]
        return np.stack(grids)

    def _one(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        features = self._compiled(grey[None, None])["features"][0]
        return np.asarray(features.transpose(1, 2, 0), np.float32)
