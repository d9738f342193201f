"""From a model's output tensors to what they say, one reader a task.

Promises: a reader names the outputs it needs, copies what it keeps, and says 0..1 shares of the
model's picture whatever its size is; `peaks` changes as little as the outputs do, since nothing
was cut off or suppressed before it.
Never: decides what counts; that is the recipe's, in `domain.findings`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.core.bundle import BundleManifest, Task
from inspector.domain import parity
from inspector.domain.findings import GOOD, Finding

Scores = NDArray[np.float32]  # (rows, columns)
Outputs = Mapping[str, NDArray[Any]]

FAINT = 0.01  # confidences below this are no findings
OVERLAP = 0.7  # intersection over union from which two boxes of a class are one object
MOST = 100  # findings of one picture


@dataclass(frozen=True)
class Inference:
    """What the model says of one image: a score and, by its task, where or what."""

    score: float  # of an anomaly; else the highest confidence of any finding
    heatmap: Scores | None = None
    findings: tuple[Finding, ...] | None = None  # None: the model names nothing
    peaks: tuple[float, ...] = ()  # of a model that names: the highest value of each class

    @property
    def values(self) -> tuple[float, ...]:
        """What is compared with the values of a bundle's references (`domain.parity`)."""
        if self.findings is not None:
            return self.peaks
        if self.heatmap is None:
            return (self.score,)
        return parity.of_heatmap(self.score, self.heatmap)


class Reader(Protocol):
    """Reads the outputs of one task."""

    needs: frozenset[str]

    def __call__(self, outputs: Outputs) -> Inference: ...


class AnomalyReader:
    """`score` [1] and `heatmap` [1,rows,columns]."""

    needs = frozenset({"score", "heatmap"})

    def __call__(self, outputs: Outputs) -> Inference:
        heatmap = np.array(outputs["heatmap"], np.float32)
        return Inference(
            float(outputs["score"].reshape(-1)[0]), heatmap.reshape(heatmap.shape[-2:])
        )


class BoxReader:
    """`boxes` [N,4] (left, top, right, bottom as shares), `confidences` [N], surest first,
    `labels` [N] and `peaks` [classes]. Of boxes of one class that overlap the surest stays, and
    only then they are cut at the edges, as the exporters do it."""

    needs = frozenset({"boxes", "confidences", "labels", "peaks"})

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)

    def __call__(self, outputs: Outputs) -> Inference:
        confidences, labels = outputs["confidences"].reshape(-1), outputs["labels"].reshape(-1)
        kept = np.flatnonzero(confidences >= FAINT)
        boxes = outputs["boxes"].reshape(-1, 4)[kept].astype(np.float64)
        found = tuple(
            self._finding(boxes[one], int(labels[kept[one]]), confidences[kept[one]])
            for one in _apart(boxes, labels[kept])
        )
        return _named(found, outputs["peaks"], (outputs["boxes"], confidences))

    def _finding(self, box: NDArray[Any], label: int, confidence: float) -> Finding:
        left, top, right, bottom = (min(1.0, max(0.0, float(edge))) for edge in box)
        known = 0 <= label < len(self._classes)  # what has no name is still found
        name = self._classes[label] if known else f"class {label}"
        return Finding(name, float(confidence), left, top, right, bottom)


class AreaReader:
    """`mask` [classes,rows,columns], the probability of each class but the background's, and
    `peaks` [classes]. A finding is a connected area in which its class is the likeliest; its
    confidence is the mean over the area."""

    needs = frozenset({"mask", "peaks"})

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)

    def __call__(self, outputs: Outputs) -> Inference:
        mask = np.array(outputs["mask"], np.float32)
        likeliest, background = mask.argmax(0), 1 - mask.sum(0)
        inside = mask.max(0) > np.maximum(background, 0)
        found: list[Finding] = []
        for number, label in enumerate(self._classes):
            own = inside & (likeliest == number)
            if own.any():
                found += _areas(own, mask[number], label)
        surest = sorted(found, key=lambda one: -one.confidence)[:MOST]
        defects = [number for number, label in enumerate(self._classes) if label != GOOD]
        heatmap = mask[defects].max(0) if defects else np.zeros_like(mask[0])
        return _named(tuple(surest), outputs["peaks"], (mask,), heatmap)


class ClassReader:
    """`probabilities` [classes]: a finding for each class, covering the whole picture."""

    needs = frozenset({"probabilities"})

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)

    def __call__(self, outputs: Outputs) -> Inference:
        values = outputs["probabilities"].reshape(-1)
        found = tuple(
            Finding(label, float(value), 0.0, 0.0, 1.0, 1.0)
            for label, value in zip(self._classes, values, strict=True)
        )
        return _named(found, values, (values,))


READERS: dict[Task, Callable[[Sequence[str]], Reader]] = {
    "anomaly": lambda _: AnomalyReader(),
    "detection": BoxReader,
    "segmentation": AreaReader,
    "classification": ClassReader,
}


def reader_of(task: Task, classes: Sequence[str]) -> Reader:
    """The reader for a task; `classes` in the order of the model's outputs."""
    return READERS[task](classes)


def reader(manifest: BundleManifest) -> Reader:
    """The reader for the manifest's task."""
    return reader_of(manifest.task, manifest.classes)


def _named(
    found: tuple[Finding, ...],
    peaks: NDArray[Any],
    whole: Sequence[NDArray[Any]],
    heatmap: Scores | None = None,
) -> Inference:
    """What was found; the score is no number where anything of the `whole` output is none."""
    if not all(np.isfinite(one).all() for one in (peaks, *whole)):
        return Inference(float("nan"), None, (), tuple(float(peak) for peak in peaks.reshape(-1)))
    score = max((finding.confidence for finding in found), default=0.0)
    return Inference(score, heatmap, found, tuple(float(peak) for peak in peaks.reshape(-1)))


def _apart(boxes: NDArray[Any], labels: NDArray[Any]) -> list[int]:
    """Numbers of the boxes that stay, surest first and MOST of them: of two of one class that
    overlap, the surer."""
    left, top, right, bottom = np.ascontiguousarray(boxes.T, np.float32)
    across = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    down = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    common = np.maximum(across, 0) * np.maximum(down, 0)
    areas = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    whole = areas[:, None] + areas - common
    same = (common > OVERLAP * whole) & (labels[:, None] == labels)
    kept: list[int] = []
    hidden = np.zeros(len(boxes), np.bool_)
    for number in range(len(boxes)):
        if not hidden[number] and len(kept) < MOST:
            kept.append(number)
            hidden |= same[number]
    return kept


def _areas(own: NDArray[np.bool_], values: Scores, label: str) -> list[Finding]:
    """The connected areas (eight neighbours) of one class."""
    rows, columns = own.shape
    count, numbers, boxes, _ = cv2.connectedComponentsWithStats(own.astype(np.uint8))
    cells = np.bincount(numbers.reshape(-1), minlength=count)
    sums = np.bincount(numbers.reshape(-1), values.reshape(-1), minlength=count)
    found = []
    for number in range(1, count):  # 0 is what lies outside
        x, y, width, height = (int(side) for side in boxes[number, :4])
        confidence = float(sums[number] / cells[number])
        edges = (x / columns, y / rows, (x + width) / columns, (y + height) / rows)
        found.append(Finding(label, confidence, *edges))
    return found
