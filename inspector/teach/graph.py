"""Composes the one network that a bundle carries: frame in, heatmap and score out.

Promises: "frame" uint8 [1,H,W,C] to "heatmap" float32 [1,h,w] and "score" float32 [1]; both are
what `fit` computes in numpy, times the calibrated scale, up to FP16 weights.
Never resizes, turns or crops: that happens in front of it.
"""

from pathlib import Path

import numpy as np
import openvino as ov
from msgspec import Struct
from numpy.typing import NDArray
from openvino import opset13 as ops

from inspector.teach.kernel import KERNEL

Matrix = NDArray[np.float32]

CHANNELS = {"mono8": 1, "bgr8": 3}


def _constant(values: NDArray[np.floating] | float) -> ov.Node:
    return ops.constant(np.asarray(values, np.float32))


def _ints(*values: int) -> ov.Node:
    return ops.constant(np.asarray(values, np.int64))


class Head(Struct, frozen=True):
    """All that is laid upon the features: what `fit` computes, as numbers.

    memory [M,D+2] and places [h*w,2], both times the position weight already; gains [h,w] of the
    smoothed distances; alarm [D+1,J] of known defects, or none; worst: how many of the highest
    cells the score averages.
    """

    memory: Matrix
    places: Matrix
    gains: Matrix
    scale: float
    worst: int
    alarm: Matrix | None = None


def _planes(frame: ov.Node, height: int, width: int, channels: int) -> ov.Node:
    """u8 [1,H,W,C] to f32 [1,3,H,W] in 0..255; grey stands in all three."""
    values = ops.convert(frame, "f32")
    if channels == 1:
        values = ops.broadcast(values, _ints(1, height, width, 3))
    return ops.transpose(values, _ints(0, 3, 1, 2))


def _halves(values: Matrix) -> Matrix:
    """A column as two whose sum it is, the first exact in bfloat16. [n] to [n,2]."""
    high = (values.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return np.stack([high, values - high], 1)


def _rows(features: ov.Node) -> ov.Node:
    """f32 [1,D,h,w] to [h*w,D]."""
    depth, height, width = features.get_output_shape(0)[1:]
    return ops.transpose(ops.reshape(features, _ints(depth, height * width), False), _ints(1, 0))


def _distances(rows: ov.Node, places: Matrix, memory: Matrix) -> ov.Node:
    """f32 [h*w,D] to the distance of each cell to its nearest entry, [h*w].

    |q|^2/2 + |m|^2/2 - q.m in one matrix product: the squares are columns beside the features,
    against columns of -1 and 1. So the small difference of large numbers is taken in the product's
    float32 sum, and hardware that multiplies in bfloat16 loses next to nothing; |q|^2 is known
    beforehand, 1 + |place|^2, since features have unit length.
    """
    own, other = (1 + (places**2).sum(1)) / 2, (memory**2).sum(1) / 2
    fixed = np.concatenate([places, np.ones((len(places), 2)), _halves(own)], 1)
    query = ops.concat([rows, _constant(fixed)], 1)
    entries = np.concatenate([memory, -_halves(other), -np.ones((len(memory), 2))], 1)
    closeness = ops.matmul(query, _constant(entries), False, True)
    return ops.relu(ops.negative(ops.reduce_max(closeness, _ints(1), False)))


def _smoothed(distances: ov.Node, height: int, width: int) -> ov.Node:
    """[h*w] to [1,1,h,w], as `fit.smoothed`."""
    image = ops.reshape(distances, _ints(1, 1, height, width), False)
    rim = _ints(0, 0, 1, 1)
    padded = ops.pad(image, rim, rim, "reflect", _constant(0.0))
    kernel = _constant(np.outer(KERNEL, KERNEL)[None, None])
    return ops.convolution(padded, kernel, [1, 1], [0, 0], [0, 0], [1, 1])


def _alarms(rows: ov.Node, alarm: Matrix) -> ov.Node:
    """What looks like a known defect, [h*w], 0 or more: as `head.alarms`."""
    said = ops.add(ops.matmul(rows, _constant(alarm[:-1]), False, False), _constant(alarm[-1:]))
    return ops.relu(ops.reduce_max(said, _ints(1), False))


def _rename(model: ov.Model) -> None:
    """Number the nodes, since their automatic names differ from run to run, and so the digest."""
    kept = {"frame", "heatmap", "score"}
    for number, node in enumerate(model.get_ordered_ops()):
        if node.get_friendly_name() not in kept:
            node.set_friendly_name(f"node_{number}")


def compose(backbone: Path, width: int, height: int, pixel: str, head: Head) -> ov.Model:
    """The whole network for views of this size."""
    inner = ov.Core().read_model(backbone)
    inner.reshape({"image": [1, 3, height, width]})
    frame = ops.parameter([1, height, width, CHANNELS[pixel]], ov.Type.u8, name="frame")
    planes = _planes(frame, height, width, CHANNELS[pixel])
    image, result = inner.input("image").get_node(), inner.output("features").get_node()
    for taker in image.output(0).get_target_inputs():
        taker.replace_source_output(planes.output(0))
    heatmap = _heatmap(result.input_value(0).get_node(), head)
    cells = ops.reshape(heatmap, _ints(-1), False)
    top = ops.topk(cells, ops.constant(np.int64(head.worst)), 0, "max", "none")
    score = ops.reduce_mean(top.output(0), _ints(0), True)
    heatmap.output(0).set_names({"heatmap"})
    score.output(0).set_names({"score"})
    frame.output(0).set_names({"frame"})
    outputs = [ops.result(heatmap, name="heatmap"), ops.result(score, name="score")]
    model = ov.Model(outputs, [frame], "anomaly")
    _rename(model)
    return model


def _heatmap(features: ov.Node, head: Head) -> ov.Node:
    """f32 [1,D,h,w] to [1,h,w]."""
    height, width = features.get_output_shape(0)[2:]
    rows = _rows(features)
    found = _distances(rows, head.places, head.memory)
    if head.alarm is not None:
        found = ops.add(found, _alarms(rows, head.alarm))
    gains = _constant(head.scale * head.gains[None, None])
    heat = ops.multiply(_smoothed(found, height, width), gains)
    return ops.reshape(heat, _ints(1, height, width), False)
