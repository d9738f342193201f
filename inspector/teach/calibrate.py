"""Limits with a meaning, from good parts that the memory has not seen.

Promises: scores come out scaled so that 1.0 is the fail limit; the overkill that was really
observed is stated with its 95 % interval.
Never moves a limit up for a defect: a limit is a promise about good parts first.
"""

from collections.abc import Iterator
from math import ceil, exp, log, sqrt
from statistics import NormalDist

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Indices = NDArray[np.int64]

SLACK = 2.0  # times the shares aimed at: what catching a labelled defect may cost
FLOOR = 1e-6  # distances below are rounding

BAND = 0.05  # of the fail limit: no less is in doubt, for as much may differ from box to box


class Limits(Struct, frozen=True):
    """`scale` times a raw distance is a score; review < fail = 1.0 are limits on the score."""

    scale: float
    review: float
    fail: float
    overkill_low: float
    overkill_high: float


def folds(count: int, parts: int, seed: int) -> Iterator[tuple[Indices, Indices]]:
    """Cross-fitting: (kept, held out) index pairs; every index is held out exactly once."""
    order = np.random.default_rng(seed).permutation(count)
    for held in np.array_split(order, min(parts, count)):
        yield np.setdiff1d(order, held), np.sort(held)


def student(share: float, freedom: int) -> float:
    """One-sided Student t quantile: exceeded with chance `share`, 0 < share < 1, freedom >= 1.

    Expansion in the normal quantile (Abramowitz and Stegun 26.7.5), within 2 % from 4 degrees of
    freedom on for shares of 0.5 % and more.
    """
    z = NormalDist().inv_cdf(1 - share)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _typical(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without outliers: modified z-score above 3.5 (Iglewicz and Hoaglin 1993).

    A good part unlike all others is often the only one of its kind, and held out it looks like a
    defect. It must not open the limit for everything; it stays in the observed overkill.
    """
    away = logs - np.median(logs)
    spread = float(np.median(np.abs(away)))
    kept = logs[0.6745 * away <= 3.5 * spread]
    return kept if len(kept) >= max(3, len(logs) // 2 + 1) else logs


def exceeded(scores: ArrayLike, share: float) -> float:
    """The level that the next good part exceeds with chance `share`.

    The order statistic where at least three scores lie beyond it. Else the upper prediction limit
    of a log-normal law, mean + t s sqrt(1 + 1/n) in logarithms (Hahn and Meeker, Statistical
    Intervals), without outliers. Scores are [n], n >= 3, in [0, inf).
    """
    raw = np.sort(np.maximum(np.asarray(scores, np.float64), FLOOR))
    count = len(raw)
    if count < 3:
        raise ValueError(f"{count} scores cannot be calibrated; 3 at least")
    if (count + 1) * share >= 3:
        return float(raw[ceil((count + 1) * (1 - share)) - 1])
    logs = _typical(np.log(raw))
    spread = float(logs.std(ddof=1)) * sqrt(1 + 1 / len(logs))
    return exp(float(logs.mean()) + student(share, len(logs) - 1) * spread)


def interval(hits: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson score interval of a proportion, 95 % two-sided."""
    share, spread = hits / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    reach = sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def calibrate(held_out: ArrayLike, target_overkill: float, review_share: float) -> Limits:
    """Limits from cross-fitted raw scores of good parts.

    `target_overkill`: share of good parts that may fail; `review_share` > `target_overkill`: share
    that may reach review or fail. Raises ValueError where these are out of order.
    """
    if not 0 < target_overkill < review_share < 1:
        raise ValueError(f"overkill {target_overkill} must be below review share {review_share}")
    raw = np.asarray(held_out, np.float64)
    fail = exceeded(raw, target_overkill)
    review = min(exceeded(raw, review_share), fail * (1 - BAND))
    low, high = interval(int((raw >= fail).sum()), len(raw))
    return Limits(1 / fail, review / fail, 1.0, low, high)


def sharpened(
    limits: Limits,
    good: ArrayLike,
    bad: ArrayLike,
    target_overkill: float,
    review_share: float,
) -> Limits:
    """Lower limits, where labelled defects lie below them and good parts leave room.

    Both are raw scores of parts that were not learnt from. The fail limit falls to halfway (in
    logarithms) between the highest good part and the lowest defect above it, the review limit to
    just below the lowest defect; neither farther than to where SLACK times as many good parts as
    were aimed at are to be expected beyond it.
    """
    fine, poor = np.asarray(good, np.float64), np.asarray(bad, np.float64)
    fail, review = 1 / limits.scale, limits.review / limits.scale
    highest = float(fine[fine < fail].max(initial=float(fine.min())))
    above = poor[poor > highest]
    if len(above) and above.min() < fail:
        lower = sqrt(highest * float(above.min()))
        fail = min(fail, max(lower, exceeded(fine, SLACK * target_overkill)))
    lowest = 0.98 * float(poor.min())
    review = min(review, max(lowest, exceeded(fine, SLACK * review_share)), fail * (1 - BAND))
    low, high = interval(int((fine >= fail).sum()), len(fine))
    return Limits(1 / fail, review / fail, 1.0, low, high)


def separation(good: ArrayLike, bad: ArrayLike) -> float:
    """How far apart two sets of raw scores lie: d' of the logarithms (Green and Swets 1966)."""
    first, second = (np.log(np.maximum(np.asarray(s, np.float64), FLOOR)) for s in (good, bad))
    spread = sqrt((float(first.var()) + float(second.var())) / 2)
    return float(second.mean() - first.mean()) / max(spread, log(1 + FLOOR))
