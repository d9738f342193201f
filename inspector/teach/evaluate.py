"""How good a detector is, from its scores on labelled images.

Promises: every rate comes with its 95 % interval; a set that is too small says so by its width.
Never loads a model: the scores are passed in.
"""

from math import sqrt

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Z95 = 1.959964  # two-sided 95 % of the normal distribution


class Rate(Struct, frozen=True):
    """`hits` of `total`, and the interval that the true rate lies in with 95 % confidence."""

    hits: int
    total: int
    low: float
    high: float


class Report(Struct, frozen=True):
    """One evaluation. Escapes are bad parts below the review limit: nobody looks at them."""

    good: int
    bad: int
    auroc: float
    average_precision: float
    overkill: Rate
    review: Rate
    escapes: Rate


def wilson(hits: int, total: int, z: float = Z95) -> Rate:
    """Wilson score interval of a proportion (Wilson 1927). No trials: the interval is [0,1]."""
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} of {total} is no proportion")
    if total == 0:
        return Rate(0, 0, 0.0, 1.0)
    share, spread = hits / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    reach = sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    low = 0.0 if hits == 0 else max(0.0, centre - reach)
    high = 1.0 if hits == total else min(1.0, centre + reach)
    return Rate(hits, total, low, high)


def _checked(good: ArrayLike, bad: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.asarray(good, np.float64), np.asarray(bad, np.float64)
    if not len(first) or not len(second):
        raise ValueError(f"{len(first)} good and {len(second)} bad scores: both are needed")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a score is not finite")
    return first, second


def auroc(good: ArrayLike, bad: ArrayLike) -> float:
    """Chance that a bad part scores above a good one, ties half (Mann-Whitney U). In [0,1]."""
    first, second = _checked(good, bad)
    ordered = np.sort(first)
    below = np.searchsorted(ordered, second, "left")
    upto = np.searchsorted(ordered, second, "right")
    return float((below + upto).sum() / (2 * len(first) * len(second)))


def average_precision(good: ArrayLike, bad: ArrayLike) -> float:
    """Area under precision over recall, as a step function over distinct scores. In (0,1]."""
    first, second = _checked(good, bad)
    levels = np.unique(second)[::-1]
    caught = np.array([(second >= level).sum() for level in levels])
    alarms = np.array([(first >= level).sum() for level in levels])
    gains = np.diff(caught, prepend=0) / len(second)
    return float((gains * caught / (caught + alarms)).sum())


def roc(good: ArrayLike, bad: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve whose area is `auroc`: share of good and share of bad parts that reach each
    distinct score, from the highest down. Both [n], from 0 to 1."""
    first, second = (np.sort(scores) for scores in _checked(good, bad))
    levels = np.unique(np.concatenate([first, second]))[::-1]
    reached = [
        1 - np.searchsorted(scores, levels, "left") / len(scores) for scores in (first, second)
    ]
    return np.append(0.0, reached[0]), np.append(0.0, reached[1])


def report(good: ArrayLike, bad: ArrayLike, review: float, fail: float) -> Report:
    """All figures for scores of good and bad parts at these limits."""
    first, second = _checked(good, bad)
    return Report(
        good=len(first),
        bad=len(second),
        auroc=auroc(first, second),
        average_precision=average_precision(first, second),
        overkill=wilson(int((first >= fail).sum()), len(first)),
        review=wilson(int(((first >= review) & (first < fail)).sum()), len(first)),
        escapes=wilson(int((second < review).sum()), len(second)),
    )
