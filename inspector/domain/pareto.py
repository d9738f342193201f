"""Counts put in order: the Pareto of defect classes, and histograms over the same bins.

Promises: the cumulative share grows to 1 when nothing is left out, and what is left out is
counted; two sets of scores are binned alike, so that their bars can be laid over each other.
Never: drops a value: those beyond the last bin are counted in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BARS = 8
BINS = 40
FURTHEST = 1.5  # times the fail limit: where the last bin ends at the latest

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bar:
    """One class. `share` and `cumulative` are 0 to 1 of all, those left out included."""

    name: str
    count: int
    share: float
    cumulative: float


@dataclass(frozen=True, slots=True)
class Pareto:
    """The largest classes, largest first, and how many are in all others together."""

    total: int
    bars: tuple[Bar, ...]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Histogram:
    """Two sets of scores over the same bins of equal width from `low` to `high`; what lies
    further out is counted in the first and the last bin. `now` and `before` are counts."""

    low: float
    high: float
    now: tuple[int, ...]
    before: tuple[int, ...]


def pareto(counts: Mapping[str, int], most: int = MOST_BARS) -> Pareto:
    """The classes by their counts, equal ones by name; those beyond `most` are summed."""
    ordered = sorted(
        ((name, count) for name, count in counts.items() if count > 0),
        key=lambda named: (-named[1], named[0]),
    )
    total = sum(count for _, count in ordered)
    bars: list[Bar] = []
    seen = 0
    for name, count in ordered[:most]:
        seen += count
        bars.append(Bar(name, count, count / total, seen / total))
    return Pareto(total, tuple(bars), total - seen)


def histogram(
    now: Sequence[float], before: Sequence[float], fail: float | None = None, bins: int = BINS
) -> Histogram | None:
    """Finite scores `now` and `before`, binned alike; None without any.

    With a `fail` limit the bins reach beyond it, yet not further than FURTHEST times, so that a
    few broken parts do not press all others into one bar.
    """
    both = np.asarray([*now, *before], np.float64)
    if not both.size:
        return None
    low, high = min(0.0, float(both.min())), float(both.max())
    if fail is not None:
        high = max(min(high, FURTHEST * fail), 1.1 * fail)
    if not high - low > 1e-9 * max(1.0, abs(high)):
        high = low + 1.0
    return Histogram(low, high, _binned(now, low, high, bins), _binned(before, low, high, bins))


def _binned(values: Sequence[float], low: float, high: float, bins: int) -> tuple[int, ...]:
    held: Values = np.clip(np.asarray(values, np.float64), low, high)
    return tuple(int(count) for count in np.histogram(held, bins, (low, high))[0])
