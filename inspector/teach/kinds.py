"""Do the good images show one kind of part, or two?

Promises: two products in one folder are told; parts that only vary are not.
Never decides what is done about it.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

FEWEST = 3  # images of a kind
ROUNDS = 20
GAP = 4.0  # between the kinds, in standard deviations within them: worth a word
MIXED = 10.0  # two products: mixtures reached 11 to 21, one product in two lights 7


class Kinds(Struct, frozen=True):
    """The images of the smaller kind, and how wide the gap to the others is."""

    fewer: NDArray[np.int64]
    gap: float


def two(features: NDArray[np.float32]) -> Kinds | None:
    """Split in two about two means (Lloyd), from the main direction. [N,h,w,D]; None where a kind
    would have fewer than FEWEST images."""
    points = features.mean((1, 2)).astype(np.float64)
    points = points - points.mean(0)
    side = points @ np.linalg.svd(points, full_matrices=False)[2][0] > 0
    for _ in range(ROUNDS):
        if side.all() or not side.any():
            return None
        away = [((points - points[one].mean(0)) ** 2).sum(1) for one in (side, ~side)]
        side = away[0] < away[1]
    if min(side.sum(), (~side).sum()) < FEWEST:
        return None
    fewer = side if side.sum() <= (~side).sum() else ~side
    return Kinds(np.nonzero(fewer)[0], _gap(points, side))


def _gap(points: NDArray[np.float64], side: NDArray[np.bool_]) -> float:
    """Between the nearest points of both kinds along the line through their means."""
    line = points[side].mean(0) - points[~side].mean(0)
    along = points @ (line / max(float(np.linalg.norm(line)), 1e-9))
    within = np.concatenate([along[one] - along[one].mean() for one in (side, ~side)])
    return float(along[side].min() - along[~side].max()) / max(float(within.std()), 1e-9)
