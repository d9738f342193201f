"""What a quantised model has lost against its original, on pictures that calibration never saw.

Promises: with labels, the loss of AUROC (anomaly) or F1 (a model that names); without, the share
of its decisions that are no longer the original's, as 1 - F1 against the original.
Never: infers; what both models said comes from outside.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from inspector.core.bundle import Limits, Task

GOOD = "good"
DEFECT = "defect"
REVIEWED = "review"

Auroc = Callable[[Sequence[float], Sequence[float]], float]  # of good and of bad scores
Measure = Literal["AUROC", "F1", "agreement"]


@dataclass(frozen=True)
class Said:
    """What a model says of one picture: its score, and the name of its surest defect, if any."""

    score: float
    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Loss:
    """A figure of both models, 0..1, and how many pictures it rests on."""

    measure: Measure
    before: float
    after: float
    images: int
    agreement: float  # share of equal decisions
    kinds: int  # different decisions of the original

    @property
    def lost(self) -> float:
        return self.before - self.after


def loss(
    task: Task,
    labels: Sequence[str | None],
    original: Sequence[Said],
    found: Sequence[Said],
    limits: Limits,
    auroc: Auroc,
) -> Loss:
    """Compare the two, picture by picture."""
    before = [decision(said, limits, task) for said in original]
    after = [decision(said, limits, task) for said in found]
    agreed = float(np.mean([one == two for one, two in zip(before, after, strict=True)]))
    count, kinds = len(labels), len(set(before))
    if not all(np.isfinite(said.score) for said in found):
        return Loss("agreement", 1.0, 0.0, count, agreed, kinds)
    if task == "anomaly" and {label == GOOD for label in labels if label} == {True, False}:
        values = [auroc(*_parted(labels, said)) for said in (original, found)]
        return Loss("AUROC", values[0], values[1], count, agreed, kinds)
    truth = [label for label in labels if label is not None]
    if task != "anomaly" and len(truth) == count and len(set(truth)) > 1:
        if not set(truth) <= {GOOD, *before, *after}:  # the folders are not the model's classes
            truth, before, after = (_plain(names) for names in (truth, before, after))
        return Loss("F1", f1(truth, before), f1(truth, after), count, agreed, kinds)
    return Loss("agreement", 1.0, f1(before, after), count, agreed, kinds)


def decision(said: Said, limits: Limits, task: Task) -> str:
    """What becomes of a part, at the bundle's own limits; a defect bears its name."""
    if said.score < limits.review:
        return GOOD
    if task == "anomaly":
        return DEFECT if said.score >= limits.fail else REVIEWED
    return said.name


def f1(truth: Sequence[str], said: Sequence[str]) -> float:
    """The mean over all names of the harmonic mean of precision and recall."""
    values = []
    for name in sorted({*truth, *said}):
        pairs = [(one == name, two == name) for one, two in zip(truth, said, strict=True)]
        hits = sum(one and two for one, two in pairs)
        values.append(2 * hits / sum(one + two for one, two in pairs))
    return float(np.mean(values))


def _plain(names: Sequence[str]) -> list[str]:
    return [GOOD if name == GOOD else DEFECT for name in names]


def _parted(labels: Sequence[str | None], said: Sequence[Said]) -> tuple[list[float], list[float]]:
    pairs = [(label, one.score) for label, one in zip(labels, said, strict=True) if label]
    good = [score for label, score in pairs if label == GOOD]
    return good, [score for label, score in pairs if label != GOOD]
