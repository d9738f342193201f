"""Semantic segmentation: the probability of each class in each cell.

Promises: `mask` [classes, h, w] without the background, h and w at most FINEST where they can be
reduced by whole cells, and `peaks` [classes], the highest of each.
Never: decides where an area ends; the reader does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from inspector.adopt.graphs import ints, step_of
from inspector.adopt.terms import Facts, Source, Tensors, name_of, named
from inspector.core.bundle import Task

FINEST = 128  # cells of the longer side: finding areas has to fit into the deadline
EXPLAINED = ("saliency_map", "feature_vector")
BACKGROUND = "background"

Means = Literal["probabilities", "logits", "classes"]


@dataclass(frozen=True)
class Areas:
    """One output of [1,C,h,w], or of [1,h,w] or [1,1,h,w] with the number of the class."""

    classes: tuple[str, ...]  # without the background
    at: int
    first: int  # channel of the first of them
    rows: int
    columns: int
    step: int  # cells averaged to one, each way
    means: Means
    task: Task = "segmentation"

    def graph(self, outputs: Sequence[ov.Output]) -> dict[str, ov.Output]:
        shape = ints(1, -1, self.rows, self.columns)
        values = ops.reshape(ops.convert(outputs[self.at], "f32"), shape, False)
        if self.means == "logits":
            values = ops.softmax(values, 1)
        if self.means == "classes":
            each = np.arange(self.first, self.first + len(self.classes), dtype=np.float32)
            values = ops.equal(values, ops.constant(each[None, :, None, None]))
            values = ops.convert(values, "f32")
        elif self.first:
            values = ops.slice(values, ints(1), ints(1 << 30), ints(1), ints(1))
        if self.step > 1:
            size = [self.step, self.step]
            values = ops.avg_pool(values, size, [0, 0], [0, 0], size, True)
        mask = ops.squeeze(values, ints(0))
        return {"mask": mask.output(0), "peaks": ops.reduce_max(mask, ints(1, 2)).output(0)}

    def plain(self, outputs: Sequence[NDArray[Any]]) -> Tensors:
        values = np.asarray(outputs[self.at], np.float64).reshape(-1, self.rows, self.columns)
        if self.means == "logits":
            values = np.exp(values - values.max(0))
            values /= values.sum(0)
        if self.means == "classes":
            numbers = range(self.first, self.first + len(self.classes))
            values = np.stack([values[0] == number for number in numbers]).astype(np.float64)
        else:
            values = values[self.first :]
        small = (len(values), self.rows // self.step, self.step, self.columns // self.step, -1)
        mask = values.reshape(small).mean((2, 4))
        return {"mask": mask.astype(np.float32), "peaks": mask.max((1, 2)).astype(np.float32)}


def head(source: Source, facts: Facts, said: Sequence[Sequence[NDArray[Any]]]) -> Areas:
    """What the model's outputs mean. `said`: what the original model gave for some pictures.

    Raises MaintainerError naming the outputs where they are unknown.
    """
    at = _fitting(source)
    sides = [side.get_length() for side in source.model.outputs[at].partial_shape]
    channels, rows, columns = (1 if len(sides) == 3 else sides[1]), *sides[-2:]
    if channels == 1:
        classes, first = _of_map(source, facts)
        _whole_numbers(source, [one[at] for one in said], first + len(classes))
        means: Means = "classes"
    else:
        classes, first = _of_channels(source, facts, channels)
        shares = all(_probabilities(one[at]) for one in said)
        means = "probabilities" if shares else "logits"
    return Areas(classes, at, first, rows, columns, step_of(rows, columns, FINEST), means)


def _fitting(source: Source) -> int:
    fitting = [
        number
        for number, output in enumerate(source.model.outputs)
        if name_of(output) not in EXPLAINED
        and output.partial_shape.is_static
        and len(output.partial_shape) in (3, 4)
    ]
    if len(fitting) != 1:
        raise source.refuse(
            f"outputs {source.outputs} are those of no known segmentation (one of [1,classes,h,w] "
            "or [1,h,w])"
        )
    return fitting[0]


def _of_channels(source: Source, facts: Facts, channels: int) -> tuple[tuple[str, ...], int]:
    """Geti names no background, though it is the first channel; others name it."""
    given = facts.classes
    if len(given) == channels - 1:
        return given, 1
    classes = named(source, given, channels)
    return (classes[1:], 1) if classes[0].lower() == BACKGROUND else (classes, 0)


def _of_map(source: Source, facts: Facts) -> tuple[tuple[str, ...], int]:
    if not facts.classes:
        raise source.refuse(
            "names none of its classes; give --classes background,a,b in their order"
        )
    if facts.classes[0].lower() == BACKGROUND:
        return facts.classes[1:], 1
    return facts.classes, 1 if facts.kind == "geti-segment" else 0


def _whole_numbers(source: Source, said: Sequence[NDArray[Any]], count: int) -> None:
    """Raises MaintainerError where one channel holds no numbers of named classes."""
    for values in said:
        if not np.array_equal(values, np.rint(values)):
            raise source.refuse(
                f"outputs {source.outputs}: one channel with fractions, where numbers of classes "
                "are expected; export one channel for each class, the background first"
            )
        if values.min() < 0 or values.max() >= count:
            raise source.refuse(
                f"says class {values.max():g}, and there are names up to {count - 1}; "
                "give --classes with all names"
            )


def _probabilities(values: NDArray[Any]) -> bool:
    sums = np.asarray(values, np.float64).sum(1)
    return bool((values >= 0).all() and np.allclose(sums, 1.0, atol=1e-3))
