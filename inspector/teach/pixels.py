"""How well heatmaps find the defects' own pixels: pixel AUROC and AUPRO.

Promises: the figures are those of their definitions over all pixels of all images; with at most
LEVELS different values they are exact, else thresholds are spread over the values' ranks.
Never: reads a file, or holds more than one full-size map at a time.

AUPRO is the area under the per-region overlap curve up to a false-positive rate of 0.3, divided
by 0.3 (Bergmann et al., "The MVTec anomaly detection dataset", IJCV 2021): every connected defect
weighs the same, however small.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rectangle = tuple[int, int, int, int]  # x, y, width, height in the frame

LEVELS = 8192
SAMPLED = 4_000_000  # pixels from which the thresholds are chosen
WIDEST = 0.3  # false-positive rate up to which AUPRO is integrated


@dataclass(frozen=True)
class Map:
    """What a model says of one image, pixel by pixel, and where its defects are."""

    heatmap: Scores  # (rows, columns), over `region`
    size: tuple[int, int]  # (height, width) of the whole image
    region: Rectangle
    mask: Callable[[], Mask] | None = None  # (height, width); None: no pixel is defective


Follow = Callable[[Sequence[Map]], Iterable[Map]]


class Pixels(Struct, frozen=True):
    """Both in [0,1]; `regions` connected defects were looked for."""

    auroc: float
    aupro: float
    regions: int


def measure(maps: Sequence[Map], follow: Follow = iter) -> Pixels | None:
    """The figures over all maps; None without a defective or without a good pixel. `follow` goes
    through the maps and may tell how far it is.

    Raises ValueError where a heatmap is not finite.
    """
    levels = _levels(maps)
    counts = _Counts(len(levels) + 1)
    for found in follow(maps):
        counts.add(np.searchsorted(levels, _whole(found), "right"), found.mask)
    if not counts.regions or not counts.good.any():
        return None
    false = _reached(counts.good)
    return Pixels(
        auroc=area(false, _reached(counts.bad)),
        aupro=area(false, _reached(counts.overlap), WIDEST) / WIDEST,
        regions=counts.regions,
    )


def area(x: Values, y: Values, limit: float = 1.0) -> float:
    """Area below the curve (x,y), x ascending from 0 to 1, up to x = `limit`; linear between."""
    inside = x <= limit
    across = np.append(x[inside], limit)
    along = np.append(y[inside], np.interp(limit, x, y))
    return float(np.trapezoid(along, across))


class _Counts:
    """Pixels by the highest level that they reach."""

    def __init__(self, bins: int) -> None:
        self.good = np.zeros(bins)
        self.bad = np.zeros(bins)
        self.overlap = np.zeros(bins)  # the same, each pixel as a share of its region
        self.regions = 0

    def add(self, reached: NDArray[np.int64], mask: Callable[[], Mask] | None) -> None:
        """`reached`: (height, width) numbers of levels."""
        bins = len(self.good)
        if mask is None:
            self.good += np.bincount(reached.ravel(), minlength=bins)
            return
        where = mask()
        count, labels = cv2.connectedComponents(where.astype(np.uint8), connectivity=8)
        inside, region = reached[where], labels[where]
        sizes = np.bincount(region, minlength=count)
        self.good += np.bincount(reached[~where], minlength=bins)
        self.bad += np.bincount(inside, minlength=bins)
        self.overlap += np.bincount(inside, 1 / sizes[region], minlength=bins)
        self.regions += count - 1


def _levels(maps: Sequence[Map]) -> Scores:
    """The thresholds, ascending. The peaks, which lie in the cells, are never left out."""
    if not all(np.isfinite(found.heatmap).all() for found in maps):
        raise ValueError("a heatmap is not finite")
    step = 1 + sum(found.size[0] * found.size[1] for found in maps) // SAMPLED
    chosen = [_whole(found).ravel()[::step] for found in maps]
    values = np.unique(np.concatenate([*chosen, *(found.heatmap.ravel() for found in maps)]))
    values = values[np.isfinite(values)]
    if len(values) > LEVELS:
        values = values[np.linspace(0, len(values) - 1, LEVELS).round().astype(np.int64)]
    return np.asarray(values, np.float32)


def _whole(found: Map) -> Scores:
    """The heatmap over the whole image; what was not inspected reaches no level."""
    x, y, width, height = found.region
    scaled = cv2.resize(found.heatmap, (width, height), interpolation=cv2.INTER_LINEAR)
    if found.region == (0, 0, *found.size[::-1]):
        return np.asarray(scaled, np.float32)
    whole = np.full(found.size, -np.inf, np.float32)
    whole[y : y + height, x : x + width] = scaled
    return whole


def _reached(counts: Values) -> Values:
    """Share of the pixels that reach each level, from the highest level down; 0 first, 1 last."""
    return np.append(0.0, np.cumsum(counts[::-1]) / counts.sum())
