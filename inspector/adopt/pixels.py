"""From a camera's picture to the numbers a model was trained on, twice: as nodes, and in numpy.

Promises: `graph` and `plain` know nothing of each other, so that a wrong order of colours or a
wrong normalisation in one shows as a difference at import.
Never: resizes; that happens in front of the model (devices.engine).
"""

from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from inspector.adopt.graphs import ints
from inspector.adopt.terms import Image, Pixel, Pixels, Source

CHANNELS = {"mono8": 1, "bgr8": 3}


def graph(source: Source, pixels: Pixels, pixel: Pixel) -> tuple[ov.Node, ov.Node]:
    """The parameter `frame`, u8 [1,H,W,C], and the node that takes the place of the model's own
    input."""
    shape = [1, source.height, source.width, CHANNELS[pixel]]
    frame = ops.parameter(shape, ov.Type.u8, name="frame")
    frame.output(0).set_names({"frame"})
    values = ops.convert(frame, "f32")
    if shape[3] < source.channels:
        values = ops.broadcast(values, ints(*shape[:3], source.channels))
    elif pixels.colours == "rgb" and source.channels == 3:
        values = ops.gather(values, ints(2, 1, 0), ops.constant(np.int64(3)))
    if any(pixels.mean):
        values = ops.subtract(values, _constant(pixels.mean))
    if any(one != 1 for one in pixels.scale):
        values = ops.divide(values, _constant(pixels.scale))
    if source.layout == "NCHW":
        values = ops.transpose(values, ints(0, 3, 1, 2))
    wanted = source.model.inputs[0].element_type
    return frame, values if wanted == ov.Type.f32 else ops.convert(values, wanted)


def plain(source: Source, pixels: Pixels, picture: Image) -> NDArray[Any]:
    """What the original model takes for a picture of its own size, (H, W, 1 or 3) uint8."""
    planes = [picture[..., number % picture.shape[2]] for number in range(source.channels)]
    if pixels.colours == "rgb":
        planes.reverse()
    means = np.resize(np.asarray(pixels.mean, np.float64), len(planes))
    scales = np.resize(np.asarray(pixels.scale, np.float64), len(planes))
    scaled = [
        (plane.astype(np.float64) - mean) / scale
        for plane, mean, scale in zip(planes, means, scales, strict=True)
    ]
    stacked = np.stack(scaled, 0 if source.layout == "NCHW" else 2)[None]
    return stacked.astype(source.model.inputs[0].element_type.to_dtype())


def _constant(values: tuple[float, ...]) -> ov.Node:
    return ops.constant(np.asarray(values, np.float32))
