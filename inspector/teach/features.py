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


def to_planes(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [N,H,W,1] or [N,H,W,3] (BGR) to float32 [N,3,H,W] in 0..255; grey in all three."""
    colour = np.broadcast_to(frames, (*frames.shape[:3], 3))
    return np.ascontiguousarray(colour.transpose(0, 3, 1, 2), np.float32)


class Backbone:
    """The trained network: images in, a grid of unit vectors out."""

    def __init__(self, path: Path, width: int, height: int, threads: int = 0) -> None:
        """Load backbone.xml for images of these sides, multiples of 32.

        Raises MaintainerError where it is missing or unreadable.
        """
        weights = path.with_suffix(".bin")
        for file in (path, weights):
            if not file.is_file():
                raise MaintainerError(f"{file}: missing; install the models folder again")
        self.path = path
        self.sha256 = hashlib.sha256(path.read_bytes() + weights.read_bytes()).hexdigest()
        options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
        try:
            model = ov.Core().read_model(path)
            model.reshape({"image": [1, 3, height, width]})
            self._compiled = ov.Core().compile_model(model, "CPU", options)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise MaintainerError(f"{path}: cannot be loaded ({reason}); reinstall it") from None

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [N,H,W,C] to float32 [N,h,w,D], unit length over D."""
        grids = [self._one(planes) for planes in to_planes(frames)]
        return np.stack(grids)

    def _one(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        features = self._compiled(planes[None])["features"][0]
        return np.asarray(features.transpose(1, 2, 0), np.float32)
