"""Export parity: does a model say here what it said where it was made?

Promises: a broken quantisation, another order of colours or another normalisation shows as a
difference; a value that is not finite, or missing, is a difference without bound.
Never: scores anything; the values come from outside.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]

BLOCKS = 4  # a heatmap counts by the maxima of 4x4 blocks


def of_heatmap(score: float, heatmap: Scores) -> tuple[float, ...]:
    """An anomaly model's values: its score, then the block maxima row by row."""
    rows = np.array_split(heatmap, BLOCKS, axis=0)
    blocks = [block for row in rows for block in np.array_split(row, BLOCKS, axis=1)]
    return (float(score), *(float(block.max(initial=0.0)) for block in blocks))


def difference(expected: Sequence[float], found: Sequence[float]) -> float:
    """The largest difference of any value; infinite where one is missing or not finite."""
    if len(expected) != len(found):
        return float("inf")
    apart = np.abs(np.asarray(expected, np.float64) - np.asarray(found, np.float64))
    return float(apart.max(initial=0.0)) if np.isfinite(apart).all() else float("inf")
