"""Detectors: boxes with a class and a confidence, whatever order the exporter wrote them in.

Promises: `boxes` [N,4] (left, top, right, bottom as shares of the input; they may reach beyond
it), `confidences` [N] and `labels` [N], surest first, N fixed; `peaks` [classes], the highest
confidence of each class before anything is cut off. Overlapping boxes of one object stay; the
reader suppresses them.
Never: decodes masks: of an instance segmentation, boxes are taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from inspector.adopt.graphs import ints
from inspector.adopt.terms import Facts, Floats, Source, Tensors, name_of, named
from inspector.core.bundle import Task

MOST = 300  # boxes that leave the model: several of them may mean one object
EXPLAINED = ("saliency_map", "feature_vector")  # extra outputs of Geti exports


@dataclass(frozen=True)
class Grid:
    """Ultralytics as trained: [1, 4 + classes + others, A], centre and size in pixels."""

    classes: tuple[str, ...]
    width: int
    height: int
    candidates: int
    task: Task = "detection"

    def graph(self, outputs: Sequence[ov.Output]) -> dict[str, ov.Output]:
        count = len(self.classes)
        table = ops.squeeze(outputs[0], ints(0))
        centre, size, scores, _ = ops.variadic_split(
            table, _int(0), ints(2, 2, count, -1)
        ).outputs()
        best = ops.topk(scores, _int(1), 0, "max", "none")
        half = ops.multiply(size, _real(0.5))
        edges = ops.concat([ops.subtract(centre, half), ops.add(centre, half)], 0)
        found = (ops.squeeze(best.output(0), ints(0)), ops.squeeze(best.output(1), ints(0)))
        boxes = ops.divide(ops.transpose(edges, ints(1, 0)), _sides(self.width, self.height))
        ordered = _surest(boxes, *found, min(MOST, self.candidates))
        return ordered | {"peaks": ops.reduce_max(scores, ints(1), False).output(0)}

    def plain(self, outputs: Sequence[NDArray[Any]]) -> Tensors:
        table = np.asarray(outputs[0][0], np.float32).T
        scores = table[:, 4 : 4 + len(self.classes)]
        x, y, width, height = table[:, :4].T
        edges = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        boxes = np.stack(edges, 1) / [self.width, self.height, self.width, self.height]
        found = _plainly(boxes, scores.max(1), scores.argmax(1), min(MOST, self.candidates))
        return found | {"peaks": scores.max(0)}


@dataclass(frozen=True)
class Rows:
    """A list of boxes in pixels: Ultralytics with its suppression inside, [1, N, 6 or more] (edges,
    confidence, class), or Geti's [N, 5] with the classes in an output of their own."""

    classes: tuple[str, ...]
    width: int
    height: int
    boxes_at: int
    labels_at: int | None = None  # the output that holds the classes; None: the sixth column
    task: Task = "detection"

    def graph(self, outputs: Sequence[ov.Output]) -> dict[str, ov.Output]:
        columns = outputs[self.boxes_at].partial_shape[-1].get_length()
        rows = ops.reshape(outputs[self.boxes_at], ints(-1, columns), False)
        edges = ops.slice(rows, ints(0), ints(4), ints(1), ints(1))
        confidences = ops.gather(rows, _int(4), _int(1))
        if self.labels_at is None:
            labels = ops.round(ops.gather(rows, _int(5), _int(1)), "half_to_even")
        else:
            labels = ops.reshape(outputs[self.labels_at], ints(-1), False)
        labels = ops.convert(labels, "i32")
        padded = [  # as many rows as leave, even where the model's own number is not fixed
            ops.concat([ops.convert(edges, "f32"), _zeros(MOST, 4)], 0),
            ops.concat([ops.convert(confidences, "f32"), _zeros(MOST)], 0),
            ops.concat([labels, ops.constant(np.zeros(MOST, np.int32))], 0),
        ]
        boxes = ops.divide(padded[0], _sides(self.width, self.height))
        ordered = _surest(boxes, padded[1], padded[2], MOST)
        return ordered | {"peaks": self._peaks(padded[1], padded[2])}

    def plain(self, outputs: Sequence[NDArray[Any]]) -> Tensors:
        columns = outputs[self.boxes_at].shape[-1]
        rows = np.asarray(outputs[self.boxes_at], np.float32).reshape(-1, columns)
        labels = rows[:, 5] if self.labels_at is None else outputs[self.labels_at].reshape(-1)
        labels = np.rint(labels).astype(np.int32)
        sides = [self.width, self.height, self.width, self.height]
        found = _plainly(rows[:, :4] / sides, rows[:, 4], labels, MOST)
        peaks = [rows[labels == one, 4].max(initial=0.0) for one in range(len(self.classes))]
        return found | {"peaks": np.asarray(peaks, np.float32)}

    def _peaks(self, confidences: ov.Node, labels: ov.Node) -> ov.Output:
        each = ops.constant(np.arange(len(self.classes), dtype=np.int32)[:, None])
        own = ops.convert(ops.equal(ops.unsqueeze(labels, ints(0)), each), "f32")
        by_class = ops.multiply(own, ops.unsqueeze(confidences, ints(0)))
        return ops.reduce_max(by_class, ints(1), False).output(0)


def head(source: Source, facts: Facts) -> Grid | Rows:
    """What the model's outputs mean. Raises MaintainerError naming them where they are unknown."""
    if facts.kind == "geti-detect":
        return _boxes_and_labels(source, facts)
    shapes = [output.partial_shape for output in source.model.outputs]
    if not shapes or any(shape.is_dynamic for shape in shapes) or len(shapes[0]) != 3:
        raise _unknown(source)
    _, rows, columns = (side.get_length() for side in shapes[0])
    others = shapes[1][1].get_length() if len(shapes) > 1 and len(shapes[1]) == 4 else 0
    if columns == 6 + others:
        if not facts.classes:
            raise source.refuse("names none of its classes; give --classes a,b,c in their order")
        return Rows(facts.classes, source.width, source.height, 0)
    if rows - 4 - others < 1 or columns <= rows:
        raise _unknown(source)
    classes = named(source, facts.classes, rows - 4 - others)
    return Grid(classes, source.width, source.height, columns)


def _boxes_and_labels(source: Source, facts: Facts) -> Rows:
    """Geti and model_api: `boxes` [N,5] or [1,N,5], `labels` [N] or [1,N]; masks are left out."""
    found: dict[str, list[int]] = {"boxes": [], "labels": []}
    for number, output in enumerate(source.model.outputs):
        shape = output.partial_shape
        if name_of(output) in EXPLAINED or shape.rank.is_dynamic:
            continue
        if len(shape) in (2, 3) and shape[-1].to_string() == "5":
            found["boxes"].append(number)
        elif len(shape) <= 2 and "label" in name_of(output):
            found["labels"].append(number)
    if len(found["boxes"]) != 1 or len(found["labels"]) != 1:
        raise _unknown(source)
    if not facts.classes:
        raise source.refuse("names none of its classes; give --classes a,b,c in their order")
    boxes, labels = found["boxes"][0], found["labels"][0]
    return Rows(facts.classes, source.width, source.height, boxes, labels)


def _unknown(source: Source) -> Exception:
    return source.refuse(
        f"outputs {source.outputs} are those of no known detector ([1,4+classes,A], [1,N,6], or "
        "boxes [N,5] with labels [N])"
    )


def _surest(
    boxes: ov.Node, confidences: ov.Node, labels: ov.Node, most: int
) -> dict[str, ov.Output]:
    top = ops.topk(confidences, _int(most), 0, "max", "value")
    return {
        "boxes": ops.gather(boxes, top.output(1), _int(0)).output(0),
        "confidences": top.output(0),
        "labels": ops.gather(labels, top.output(1), _int(0)).output(0),
    }


def _plainly(
    boxes: NDArray[Any], confidences: NDArray[Any], labels: NDArray[Any], most: int
) -> Tensors:
    """Surest first, as many rows as the bundle has: those that are missing say nothing."""
    order = np.argsort(-confidences, kind="stable")[:most]
    missing = most - len(order)
    return {
        "boxes": np.pad(boxes[order], ((0, missing), (0, 0))).astype(np.float32),
        "confidences": np.pad(confidences[order], (0, missing)).astype(np.float32),
        "labels": np.pad(labels[order], (0, missing)).astype(np.int32),
    }


def _sides(width: int, height: int) -> ov.Node:
    return ops.constant(np.asarray([width, height, width, height], np.float32))


def _zeros(*shape: int) -> ov.Node:
    empty: Floats = np.zeros(shape, np.float32)
    return ops.constant(empty)


def _real(value: float) -> ov.Node:
    return ops.constant(np.float32(value))


def _int(value: int) -> ov.Node:
    return ops.constant(np.int64(value))
