"""Where a part is suspicious: boxes around the hot areas of a heatmap.

Promises: boxes are in pixels of the whole frame, hottest first, and at most MOST of them.
Never: changes a verdict.
"""

from collections.abc import Iterable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from inspector.core.terms import Box, Heatmap
from inspector.domain.findings import Finding

Scores = NDArray[np.float32]
Rectangle = tuple[int, int, int, int]  # x, y, width, height in the frame

MOST = 8


def boxes(heatmap: Scores, limit: float, region: Rectangle, min_px: int) -> tuple[Box, ...]:
    """Boxes around connected cells of `heatmap` (rows, columns) float32 that reach `limit`.

    `region` is what the heatmap covers; areas of fewer than `min_px` frame pixels are left out.
    """
    hot = heatmap >= limit
    if not hot.any():
        return ()
    found = [_box(cells, heatmap, region) for cells in _areas(hot)]
    cell_px = region[2] * region[3] / heatmap.size
    large = [box for box, cells in found if cells * cell_px >= min_px]
    return tuple(sorted(large, key=lambda box: -box.peak)[:MOST])


def named(findings: Iterable[Finding], region: Rectangle) -> tuple[Box, ...]:
    """The boxes of named findings, surest first, at most MOST of them."""
    x, y, width, height = region
    found = []
    for finding in findings:
        left, top = x + int(finding.left * width), y + int(finding.top * height)
        right, bottom = x + ceil(finding.right * width), y + ceil(finding.bottom * height)
        size = {"width": max(1, right - left), "height": max(1, bottom - top)}
        found.append(Box(x=left, y=top, peak=finding.confidence, label=finding.label, **size))
    return tuple(sorted(found, key=lambda box: -box.peak)[:MOST])


def packed(heatmap: Scores, region: Rectangle, limit: float) -> Heatmap:
    """The heatmap as bytes: 255 is the larger of `limit` and its own peak."""
    scale = max(float(heatmap.max(initial=0.0)), limit, 1e-6)
    rows, columns = heatmap.shape
    data = np.clip(np.rint(heatmap * (255.0 / scale)), 0, 255).astype(np.uint8)
    return Heatmap(width=columns, height=rows, scale=scale, region=region, data=data.tobytes())


def _areas(hot: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """Connected cells (eight neighbours), as lists of (row, column)."""
    left = set(zip(*(axis.tolist() for axis in np.nonzero(hot)), strict=True))
    areas = []
    while left:
        area, edge = [], [left.pop()]
        while edge:
            row, column = edge.pop()
            area.append((row, column))
            around = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)}
            edge.extend(around & left)
            left -= around
        areas.append(area)
    return areas


def _box(cells: list[tuple[int, int]], heatmap: Scores, region: Rectangle) -> tuple[Box, int]:
    """The box around the cells, and their number."""
    rows, columns = [row for row, _ in cells], [column for _, column in cells]
    x, y, width, height = region
    across, down = width / heatmap.shape[1], height / heatmap.shape[0]
    left, top = x + int(min(columns) * across), y + int(min(rows) * down)
    right, bottom = x + int((max(columns) + 1) * across), y + int((max(rows) + 1) * down)
    peak = max(float(heatmap[cell]) for cell in cells)
    return Box(x=left, y=top, width=right - left, height=bottom - top, peak=peak), len(cells)
