"""Models as other programs export them, in their layouts and with their metadata, made of a few
operations.

Promises: what they say of a picture can be told by hand: a coloured patch is a defect. None holds
anything of the program whose export it looks like.
Never: a good detector.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino as ov
from onnx import TensorProto, helper, numpy_helper
from openvino import opset13 as ops

SIDE = 64
CELLS = 8  # along each side: a cell of 8x8 pixels is a place that a box may stand at
CLASSES = ("red", "blue")
TRAINED = {"task": "detect", "names": "{0: 'red', 1: 'blue'}", "imgsz": "[64, 64]", "stride": "32"}


def picture(*patches: tuple[int, int, str], rows: int = SIDE, columns: int = SIDE) -> np.ndarray:
    """Grey, (rows, columns, 3) uint8 in BGR, with a 16x16 patch of a colour at (x, y) each."""
    colours = {"red": (20, 20, 250), "blue": (250, 20, 20)}
    image = np.full((rows, columns, 3), 120, np.uint8)
    image[::7, ::5] = 128
    for x, y, colour in patches:
        image[y : y + 16, x : x + 16] = colours[colour]
    return image


def colourful(
    layout: str = "NCHW", dtype: Any = np.float32, channels: int = 3
) -> tuple[ov.Node, ov.Node]:
    """Input `images` in 0..1 RGB, and how red and how blue each cell is, [1,2,8,8] in 0..1."""
    shape = [1, channels, SIDE, SIDE] if layout == "NCHW" else [1, SIDE, SIDE, channels]
    image = ops.parameter(shape, dtype, name="images")
    image.output(0).set_names({"images"})
    planes = ops.convert(image, "f32")
    if layout == "NHWC":
        planes = ops.transpose(planes, constant([0, 3, 1, 2], np.int64))
    if channels == 1:
        planes = ops.broadcast(planes, constant([1, 3, SIDE, SIDE], np.int64))
    cells = ops.avg_pool(planes, [8, 8], [0, 0], [0, 0], [8, 8], True)
    mixed = np.array([[1, -0.72, -0.22], [-0.22, -0.72, 1]], np.float32)[:, :, None, None]
    found = ops.convolution(cells, constant(mixed), [1, 1], [0, 0], [0, 0], [1, 1])
    return image, ops.clamp(found, 0.0, 1.0)


def constant(values: Any, dtype: Any = np.float32) -> ov.Node:
    return ops.constant(np.asarray(values, dtype))


def grid(columns: int = CELLS) -> np.ndarray:
    """Centre, width and height in pixels of a box around each cell, two cells wide: [4, 64]."""
    centres = (np.arange(columns) + 0.5) * SIDE / columns
    x, y = np.meshgrid(centres, centres)
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, 16.0), np.full(x.size, 16.0)])


def yolo(masks: int = 0) -> ov.Model:
    """Ultralytics as trained: [1, 4 + 2 + masks, 64], and protos [1, masks, 16, 16] where there
    are masks."""
    image, found = colourful()
    scores = ops.reshape(found, constant([1, 2, 64], np.int64), False)
    boxes = [constant(grid()[None]), scores]
    if not masks:
        return network(image, {"output0": ops.concat(boxes, 1)})
    rest = constant(np.zeros((1, masks, 64)))
    mean = ops.reduce_mean(found, constant([0, 1, 2, 3], np.int64), False)
    protos = ops.multiply(constant(np.ones((1, masks, 16, 16))), mean)
    return network(image, {"output0": ops.concat([*boxes, rest], 1), "output1": protos})


def rows_of(found: ov.Node) -> tuple[ov.Node, ov.Node, ov.Node]:
    """Edges in pixels [64,4], confidence [64] and class [64] of each cell."""
    scores = ops.reshape(found, constant([2, 64], np.int64), False)
    best = ops.topk(scores, constant(1, np.int64), 0, "max", "none")
    x, y, width, height = grid()
    edges = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 1)
    flat = constant([0], np.int64)
    return constant(edges), ops.squeeze(best.output(0), flat), ops.squeeze(best.output(1), flat)


def yolo_suppressed() -> ov.Model:
    """Ultralytics with its suppression inside: [1, 64, 6]."""
    image, found = colourful()
    edges, confidences, labels = rows_of(found)
    last = constant([1], np.int64)
    columns = [edges, ops.unsqueeze(confidences, last), ops.unsqueeze(labels, last)]
    table = ops.concat([ops.convert(column, "f32") for column in columns], 1)
    return network(image, {"output0": ops.unsqueeze(table, constant([0], np.int64))})


def geti_detector(batched: bool = True) -> ov.Model:
    """`boxes` [1,?,5] and `labels` [1,?] of the cells that answer at all, as Geti's suppression
    leaves them: their number is not fixed. Takes 0..255."""
    image = ops.parameter([1, 3, SIDE, SIDE], np.float32, name="image")
    image.output(0).set_names({"image"})
    inner, found = colourful()
    for taker in inner.output(0).get_target_inputs():
        taker.replace_source_output(ops.divide(image, constant(255.0)).output(0))
    edges, confidences, labels = rows_of(found)
    answering = ops.non_zero(ops.greater(confidences, constant(0.05)), "i64")
    answering = ops.reshape(answering, constant([-1], np.int64), False)
    last, first = constant([1], np.int64), constant([0], np.int64)
    table = ops.concat([edges, ops.unsqueeze(confidences, last)], 1)
    boxes = ops.gather(table, answering, constant(0, np.int64))
    kept = ops.convert(ops.gather(labels, answering, constant(0, np.int64)), "i64")
    if batched:
        boxes, kept = ops.unsqueeze(boxes, first), ops.unsqueeze(kept, first)
    return network(image, {"boxes": boxes, "labels": kept})


def classifier(logits: bool = True) -> ov.Model:
    """`logits` [1,3] of good, red, blue. Takes 0..1."""
    image, found = colourful()
    sums = ops.reduce_max(found, constant([2, 3], np.int64), False)
    values = ops.concat([constant([[0.2]]), sums], 1)
    scaled = ops.multiply(values, constant(10.0))
    return network(image, {"logits": scaled if logits else ops.softmax(scaled, 1)})


def segmenter(hard: bool = False) -> ov.Model:
    """Logits [1,3,8,8] of background, red, blue, or the number of the class [1,1,8,8]."""
    image, found = colourful()
    logits = ops.concat(
        [constant(np.full((1, 1, 8, 8), 3.0)), ops.multiply(found, constant(9.0))], 1
    )
    if hard:
        best = ops.topk(logits, constant(1, np.int64), 1, "max", "none")
        logits = ops.convert(best.output(1), "f32")
    return network(image, {"output1": logits})


def anomalib_finished(threshold: float = 0.5) -> ov.Model:
    """Anomalib 2.x: scaled, clipped and compared inside the model; takes RGB in 0..1."""
    image, found = colourful()
    cells = ops.reduce_sum(found, constant([1], np.int64), True)
    heat = ops.clamp(
        ops.interpolate(
            cells,
            constant([SIDE, SIDE], np.int64),
            "nearest",
            "sizes",
            axes=constant([2, 3], np.int64),
        ),
        0.0,
        1.0,
    )
    score = ops.reshape(
        ops.reduce_max(heat, constant([1, 2, 3], np.int64), False),
        constant([1, 1], np.int64),
        False,
    )
    limit = constant(threshold)
    return network(
        image,
        {
            "pred_score": score,
            "pred_label": ops.greater(score, limit),
            "anomaly_map": heat,
            "pred_mask": ops.greater(heat, limit),
        },
    )


def anomalib_raw() -> ov.Model:
    """Anomalib 1.x: one raw map [1,1,64,64]; takes RGB in 0..1. A pure patch reaches 20."""
    image, found = colourful()
    cells = ops.multiply(ops.reduce_sum(found, constant([1], np.int64), True), constant(20.0))
    heat = ops.interpolate(
        cells, constant([SIDE, SIDE], np.int64), "nearest", "sizes", axes=constant([2, 3], np.int64)
    )
    return network(image, {"output": heat})


def network(image: ov.Node, outputs: Mapping[str, ov.Node]) -> ov.Model:
    for name, node in outputs.items():
        node.output(0).set_names({name} if name else set())
    return ov.Model([ops.result(node) for node in outputs.values()], [image], "foreign")


def saved(folder: Path, model: ov.Model, info: Mapping[str, Any] | None = None) -> Path:
    """As IR, with `info` under model_info."""
    for key, value in (info or {}).items():
        model.set_rt_info(value, ["model_info", key])
    path = folder / "foreign.xml"
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def onnx_yolo(
    folder: Path,
    shape: Sequence[int | str] = (1, 3, SIDE, SIDE),
    notes: Mapping[str, str] | None = None,
    operation: str = "Relu",
) -> Path:
    """An ONNX file whose output [1,6,64] answers to the mean red and blue of each cell. `shape`
    may hold names, for sides that are not fixed; `operation` stands before the last node."""
    mixed = np.array([[1, -0.72, -0.22], [-0.22, -0.72, 1]], np.float32)[:, :, None, None]
    boxes = grid()[None].astype(np.float32)
    domain = "" if operation == "Relu" else "some.vendor"
    nodes = [
        helper.make_node("AveragePool", ["images"], ["cells"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["cells", "mixed"], ["colours"]),
        helper.make_node(operation, ["colours"], ["answers"], domain=domain),
        helper.make_node("Reshape", ["answers", "flat"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores"], ["output0"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 6, "anchors"])],
        [
            numpy_helper.from_array(mixed, "mixed"),
            numpy_helper.from_array(boxes, "boxes"),
            numpy_helper.from_array(np.array([1, 2, -1], np.int64), "flat"),
        ],
    )
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("some.vendor", 1)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=9)
    helper.set_model_props(model, dict(TRAINED if notes is None else notes))
    path = folder / "foreign.onnx"
    onnx.save(model, path)
    return path
