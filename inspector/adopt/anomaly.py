"""Anomaly models: one score and a heatmap, 1.0 where the export's own threshold lies.

Promises: `score` [1] and `heatmap` [1,h,w]; what Anomalib 2.x has scaled already is divided by the
threshold that stands in its graph, a raw map of 1.x is scaled as Anomalib itself does it.
Never: finds a threshold; one that is not exported is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from inspector.adopt.graphs import ints, step_of
from inspector.adopt.terms import Facts, Source, Tensors, Thresholds
from inspector.core.bundle import Task

FINEST = 64  # cells of the longer side: the highest of several are kept
FEWEST = 4  # cells of a heatmap where the model gives none
SCORE, MAP = "pred_score", "anomaly_map"
LABEL, MASK = "pred_label", "pred_mask"


@dataclass(frozen=True)
class Scaled:
    """score = slope * value + offset, never below 0."""

    slope: float
    offset: float

    def graph(self, values: ov.Node | ov.Output) -> ov.Node:
        scaled = ops.multiply(values, ops.constant(np.float32(self.slope)))
        return ops.relu(ops.add(scaled, ops.constant(np.float32(self.offset))))

    def plain(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.maximum(self.slope * np.asarray(values, np.float64) + self.offset, 0.0)


@dataclass(frozen=True)
class Heat:
    """A score output, a map output, or both."""

    score_at: int | None  # None: the map's highest value
    map_at: int | None  # None: the score in every cell
    score: Scaled
    cells: Scaled
    rows: int = FEWEST
    columns: int = FEWEST
    step: int = 1
    task: Task = "anomaly"
    classes: tuple[str, ...] = ()

    def graph(self, outputs: Sequence[ov.Output]) -> dict[str, ov.Output]:
        raw: ov.Node | None = None
        if self.map_at is not None:
            shape = ints(1, 1, self.rows, self.columns)
            raw = ops.reshape(ops.convert(outputs[self.map_at], "f32"), shape, False)
        if self.score_at is not None:
            value = ops.reshape(ops.convert(outputs[self.score_at], "f32"), ints(1), False)
        else:
            value = ops.reshape(ops.reduce_max(raw, ints(1, 2, 3), False), ints(1), False)
        score = self.score.graph(value)
        if raw is None:
            heatmap = ops.broadcast(score, ints(1, self.rows, self.columns))
        else:
            heatmap = ops.squeeze(self.cells.graph(_highest(raw, self.step)), ints(1))
        return {"score": score.output(0), "heatmap": heatmap.output(0)}

    def plain(self, outputs: Sequence[NDArray[Any]]) -> Tensors:
        if self.map_at is None:
            assert self.score_at is not None
            score = self.score.plain(outputs[self.score_at]).reshape(1)
            heatmap = np.full((1, self.rows, self.columns), score[0])
        else:
            raw = np.asarray(outputs[self.map_at], np.float64)
            value = raw.max() if self.score_at is None else outputs[self.score_at]
            score = self.score.plain(np.asarray(value)).reshape(1)
            small = (1, self.rows // self.step, self.step, self.columns // self.step, -1)
            heatmap = self.cells.plain(raw.reshape(small).max((2, 4)))
        return {"score": score.astype(np.float32), "heatmap": heatmap.astype(np.float32)}


def head(source: Source, facts: Facts) -> Heat:
    """What the model's outputs mean. Raises MaintainerError naming them where they are unknown."""
    places = {name: at for at, one in enumerate(source.model.outputs) for name in one.names}
    if SCORE in places or MAP in places:
        return _finished(source, places)
    assert facts.thresholds  # a raw map comes with them, or was refused
    return _raw(source, facts.thresholds)


def _finished(source: Source, places: dict[str, int]) -> Heat:
    """Anomalib 2.x: both outputs are scaled to 0..1 inside the model, and compared there."""
    score, cells = _compared(source, places.get(LABEL)), _compared(source, places.get(MASK))
    scaled = Scaled(1 / score, 0.0), Scaled(1 / cells, 0.0)
    if MAP not in places:
        return Heat(places[SCORE], None, *scaled)
    rows, columns = _sides(source, places[MAP])
    step = step_of(rows, columns, FINEST)
    if SCORE not in places:
        scaled = scaled[1], scaled[1]
    return Heat(places.get(SCORE), places[MAP], *scaled, rows, columns, step)


def _raw(source: Source, given: Thresholds) -> Heat:
    """Anomalib 1.x: the first output is a raw map, or a raw score alone."""
    score = _around(given.image, given.image_range)
    cells = _around(given.pixel, given.pixel_range)
    shape = source.model.outputs[0].partial_shape
    if shape.is_static and np.prod(list(shape.to_shape())) == 1:
        return Heat(0, None, score, score)
    rows, columns = _sides(source, 0)
    return Heat(None, 0, score, cells, rows, columns, step_of(rows, columns, FINEST))


def _around(threshold: float, spread: float) -> Scaled:
    """Anomalib's (value - threshold) / (max - min) + 0.5, times two: 1.0 at the threshold."""
    return Scaled(2 / spread, 1 - 2 * threshold / spread)


def _compared(source: Source, at: int | None) -> float:
    """What the export compares with to give its label or its mask: 0.5 unless its sensitivity was
    set otherwise."""
    if at is None:
        return 0.5
    node = source.model.outputs[at].get_node().input_value(0).get_node()
    while node.get_type_name() in ("Convert", "Squeeze", "Unsqueeze", "Reshape"):
        node = node.input_value(0).get_node()
    if node.get_type_name() in ("Greater", "GreaterEqual"):
        other = node.input_value(1).get_node()
        while other.get_type_name() == "Convert":
            other = other.input_value(0).get_node()
        if other.get_type_name() == "Constant" and other.get_data().size == 1:
            value = float(other.get_data().reshape(-1)[0])
            return value if 0 < value <= 1 else 0.5
    return 0.5


def _sides(source: Source, at: int) -> tuple[int, int]:
    shape = source.model.outputs[at].partial_shape
    sides = [] if shape.is_dynamic else [side.get_length() for side in shape]
    if len(sides) not in (2, 3, 4) or np.prod(sides[:-2]) != 1:
        raise source.refuse(
            f"outputs {source.outputs} are those of no known anomaly model (pred_score and "
            "anomaly_map, or one map [1,1,h,w])"
        )
    return sides[-2], sides[-1]


def _highest(cells: ov.Node, step: int) -> ov.Output:
    if step == 1:
        return cells.output(0)
    size = [step, step]
    return ops.max_pool(cells, size, [1, 1], [0, 0], [0, 0], size).output(0)
