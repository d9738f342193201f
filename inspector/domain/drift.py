"""Drift: whether the scores of now are still spread as those of the beginning were.

Promises: the population stability index of the newest scores against reference scores, 0 where
they are spread alike, and finite whatever they are.
Never: reads a clock, or says anything of too few scores.

The index sums (new - old) * ln(new / old) over classes that each held an equal share of the old
scores (N. Siddiqi, Credit Risk Scorecards, Wiley 2006, chapter 6: below 0.1 no change to speak of,
from 0.25 on a change to act upon). Without any change it comes to about (classes - 1) *
(1 / old + 1 / new) by chance alone (B. Yurdakul, Statistical Properties of Population Stability
Index, Western Michigan University 2018), so few scores get few classes.

The reference are the first scores that the model in force gave on this line, to parts that passed
or failed: a bundle does not carry the scores of its teaching.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inspector.core.messages import Outcome
from inspector.core.terms import Kind
from inspector.domain.challenge import LOT

Shares = NDArray[np.float64]

CLASSES = 10
FEWEST_CLASSES = 4
SCORES_PER_CLASS = 50
LEAST = 0.5  # scores, in a class that has none: the logarithm needs more than 0
CALM = 0.8  # of the limit: below, the drift is over
RENEWALS = 50


def stability_index(reference: Sequence[float], newest: Sequence[float]) -> float | None:
    """The index, 0 or more; None where one side has fewer scores than classes."""
    fewest = min(len(reference), len(newest))
    classes = max(FEWEST_CLASSES, min(CLASSES, fewest // SCORES_PER_CLASS))
    if fewest < classes:
        return None
    inner = np.linspace(0, 1, classes + 1)[1:-1]
    edges = np.unique(np.quantile(np.asarray(reference, np.float64), inner))
    old, new = _shares(edges, reference), _shares(edges, newest)
    return float(np.sum((new - old) * np.log(new / old)))


def _shares(edges: Shares, scores: Sequence[float]) -> Shares:
    """Share of the scores in each class; an edge belongs to the class below it."""
    places = np.searchsorted(edges, np.asarray(scores, np.float64))
    counts = np.maximum(np.bincount(places, minlength=len(edges) + 1), LEAST)
    return np.asarray(counts / counts.sum(), np.float64)


class Drift:
    """The scores of one model on this line."""

    def __init__(
        self, model: str, parts: int, reference: Sequence[float] = (), newest: Sequence[float] = ()
    ) -> None:
        """`parts`: scores on either side; those known so far, oldest first."""
        self.model = model
        self._parts = parts
        self._reference = list(reference[:parts])
        self._newest = deque(newest, parts)
        self._index: float | None = None
        self._fresh = parts

    def take(self, score: float) -> None:
        """The score of one more part."""
        if len(self._reference) < self._parts:
            self._reference.append(score)
        self._newest.append(score)
        self._fresh += 1

    @property
    def index(self) -> float | None:
        """None until there are enough scores; anew whenever a fiftieth of them has changed."""
        if len(self._reference) < self._parts or len(self._newest) < self._parts:
            return None
        if self._fresh >= self._parts / RENEWALS:
            self._fresh = 0
            self._index = stability_index(self._reference, tuple(self._newest))
        return self._index


def counts_for_drift(outcome: Outcome) -> bool:
    """True for a part whose score is compared: it passed or failed, and was no golden part."""
    judged = outcome.kind in (Kind.PASS, Kind.FAIL) and outcome.score is not None
    return judged and outcome.lot != LOT
