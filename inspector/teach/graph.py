"""Composes the one network that a bundle carries: frame in, heatmap and score out.

Promises: "frame" uint8 [1,S,S,C] to "heatmap" float32 [1,h,w] and "score" float32 [1]; both are
what `fit` computes in numpy, times the calibrated scale, up to FP16 weights.
Never resizes or crops: that happens in front of it.
"""

from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

Matrix = NDArray[np.float32]

CHANNELS = {"mono8": 1, "bgr8": 3}


def _constant(values: NDArray[np.floating] | float) -> ov.Node:
    return ops.constant(np.asarray(values, np.float32))


def _ints(*values: int) -> ov.Node:
    return ops.constant(np.asarray(values, np.int64))


def _planes(frame: ov.Node, side: int, channels: int) -> ov.Node:
    """u8 [1,S,S,C] to f32 [1,3,S,S] in 0..255; grey stands in all three."""
    values = ops.convert(frame, "f32")
    if channels == 1:
        values = ops.broadcast(values, _ints(1, side, side, 3))
    return ops.transpose(values, _ints(0, 3, 1, 2))


def _halves(values: Matrix) -> Matrix:
    """A column as two whose sum it is, the first exact in bfloat16. [n] to [n,2]."""
    high = (values.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return np.stack([high, values - high], 1)


def _distances(features: ov.Node, places: Matrix, memory: Matrix) -> ov.Node:
    """f32 [1,D,h,w] to the distance of each cell to its nearest entry, [h*w].

    |q|^2/2 + |m|^2/2 - q.m in one matrix product: the squares are columns beside the features,
    against columns of -1 and 1. So the small difference of large numbers is taken in the product's
    float32 sum, and hardware that multiplies in bfloat16 loses next to nothing; |q|^2 is known
    beforehand, 1 + |place|^2, since features have unit length.
    """
    depth, cells = features.get_output_shape(0)[1], len(places)
    rows = ops.transpose(ops.reshape(features, _ints(depth, cells), False), _ints(1, 0))
    own, other = (1 + (places**2).sum(1)) / 2, (memory**2).sum(1) / 2
    fixed = np.concatenate([places, np.ones((cells, 2)), _halves(own)], 1)
    query = ops.concat([rows, _constant(fixed)], 1)
    entries = np.concatenate([memory, -_halves(other), -np.ones((len(memory), 2))], 1)
    closeness = ops.matmul(query, _constant(entries), False, True)
    return ops.relu(ops.negative(ops.reduce_max(closeness, _ints(1), False)))


def _rename(model: ov.Model) -> None:
    """Number the nodes, since their automatic names differ from run to run, and so the digest."""
    kept = {"frame", "heatmap", "score"}
    for number, node in enumerate(model.get_ordered_ops()):
        if node.get_friendly_name() not in kept:
            node.set_friendly_name(f"node_{number}")


def compose(
    backbone: Path,
    side: int,
    pixel: str,
    memory: Matrix,
    places: Matrix,
    scale: float,
    worst: int,
) -> ov.Model:
    """The whole network.

    memory: [M,D+2] and places: [h*w,2], both already times the position weight. worst: how many of
    the highest cells the score averages.
    """
    inner = ov.Core().read_model(backbone)
    inner.reshape({"image": [1, 3, side, side]})
    frame = ops.parameter([1, side, side, CHANNELS[pixel]], ov.Type.u8, name="frame")
    planes = _planes(frame, side, CHANNELS[pixel])
    image, result = inner.input("image").get_node(), inner.output("features").get_node()
    for taker in image.output(0).get_target_inputs():
        taker.replace_source_output(planes.output(0))
    features = result.input_value(0).get_node()
    height, width = features.get_output_shape(0)[2:]
    scaled = ops.multiply(_distances(features, places, memory), _constant(scale))
    heatmap = ops.reshape(scaled, _ints(1, height, width), False)
    top = ops.topk(scaled, ops.constant(np.int64(worst)), 0, "max", "none")
    score = ops.reduce_mean(top.output(0), _ints(0), True)
    heatmap.output(0).set_names({"heatmap"})
    score.output(0).set_names({"score"})
    frame.output(0).set_names({"frame"})
    outputs = [ops.result(heatmap, name="heatmap"), ops.result(score, name="score")]
    model = ov.Model(outputs, [frame], "anomaly")
    _rename(model)
    return model
