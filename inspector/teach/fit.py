"""The memory of good parts: a few feature vectors that stand for all of them.

Promises: the same features and seed give the same memory; every distance is in [0, inf) and is
1 - cosine plus a charge for being elsewhere in the image.
Never sees an image, a defect or a file.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.teach.kernel import KERNEL

Grid = NDArray[np.float32]  # [N,h,w,D], unit length over D

CANDIDATES = 40_000  # cells a memory is chosen from, at most
PER_ENTRY = 24  # and for each of its entries
RIM = 1  # cells about a part that are still looked at
FLOOR = 0.3  # of the mean distance: what even the quietest cell counts as unrest
FEW = 20  # images from which the unrest of a place is half trusted
TOP, AT_ONCE, ALMOST = 64, 16, 0.9  # how many cells of a memory are chosen at once
PROJECTED = 24  # dimensions in which the choice is made


def positions(height: int, width: int) -> NDArray[np.float32]:
    """Cell centres relative to the image centre, in image sizes. [height*width, 2] in (-.5,.5)."""
    y = (np.arange(height, dtype=np.float32) + 0.5) / height - 0.5
    x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
    grid = np.stack(np.meshgrid(x, y), -1)
    return np.asarray(grid.reshape(-1, 2), np.float32)


def placed(grid: Grid, weight: float) -> NDArray[np.float32]:
    """Append weight * (x,y) to every feature. [N,h,w,D] to [N*h*w, D+2]."""
    count, height, width, depth = grid.shape
    place = np.tile(weight * positions(height, width), (count, 1))
    return np.concatenate([grid.reshape(-1, depth), place], 1)


def coreset(cells: NDArray[np.float32], size: int, seed: int) -> NDArray[np.float32]:
    """Greedy k-centre choice of `size` cells (PatchCore, Roth et al. 2022). [M,D] to [size,D].

    Chosen in a random projection (Johnson-Lindenstrauss), since only the order of distances counts.
    """
    rng = np.random.default_rng(seed)
    most = min(CANDIDATES, PER_ENTRY * size)
    if len(cells) > most:
        cells = cells[rng.choice(len(cells), most, replace=False)]
    if len(cells) <= size:
        return cells
    spread = rng.normal(size=(cells.shape[1], PROJECTED)) / np.sqrt(PROJECTED)
    small = np.ascontiguousarray(cells @ spread.astype(np.float32))
    squares = np.einsum("ij,ij->i", small, small)
    chosen = [int(squares.argmax())]
    nearest = _away(small, squares, chosen)
    while len(chosen) < size:
        more = _farthest(small, squares, nearest)[: size - len(chosen)]
        np.minimum(nearest, _away(small, squares, more), out=nearest)
        chosen += more
    return cells[chosen]


def _away(
    small: NDArray[np.float32], squares: NDArray[np.float32], chosen: list[int]
) -> NDArray[np.float32]:
    """Squared distance of each cell to the nearest of the chosen ones. [M]"""
    products = small @ small[chosen].T
    away = squares[:, None] + squares[chosen] - 2 * products
    return np.asarray(away.min(1), np.float32)


def _farthest(
    small: NDArray[np.float32], squares: NDArray[np.float32], nearest: NDArray[np.float32]
) -> list[int]:
    """The next few cells, as choosing one by one would have them or nearly so: of the TOP farthest
    the farthest, then the farthest that is left, while it is hardly nearer. Many at once, since a
    call costs more than its arithmetic."""
    top = np.argpartition(nearest, -min(TOP, len(nearest)))[-TOP:]
    left, apart = nearest[top].copy(), small[top] @ small[top].T
    between = squares[top][:, None] + squares[top] - 2 * apart
    worth = ALMOST * float(left.max())
    chosen: list[int] = []
    while len(chosen) < AT_ONCE:
        place = int(left.argmax())
        if chosen and left[place] < worth:
            break
        chosen.append(int(top[place]))
        np.minimum(left, between[place], out=left)
        left[place] = -1
    return chosen


def memorise(grid: Grid, weight: float, size: int, seed: int) -> NDArray[np.float32]:
    """The memory of these good parts. float32 [<=size, D+2], as `placed` orders it."""
    return coreset(placed(grid, weight), size, seed)


def distances(grid: Grid, memory: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    """Distance of each cell to its nearest memory entry. float32 [N,h,w], >= 0.

    Half the squared Euclidean distance of the placed vectors, which is 1 - cosine where the
    weight is 0. One matrix product finds the nearest: max over m of q.m - |m|^2 / 2.
    """
    count, height, width, _ = grid.shape
    query = placed(grid, weight)
    half = np.einsum("ij,ij->i", memory, memory) / 2
    best = np.concatenate([(q @ memory.T - half).max(1) for q in np.array_split(query, count)])
    away = np.einsum("ij,ij->i", query, query) / 2 - best
    return np.asarray(np.maximum(away, 0).reshape(count, height, width), np.float32)


def scores(heatmaps: NDArray[np.float32], worst: int) -> NDArray[np.float32]:
    """Image score: mean of the `worst` highest cells, steadier than the single highest. [N]."""
    flat = heatmaps.reshape(len(heatmaps), -1)
    top = np.partition(flat, -worst, axis=1)[:, -worst:]
    return np.asarray(top.mean(1), np.float32)


def smoothed(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each map, [N,h,w], under a small Gaussian: a defect covers neighbours, noise need not."""
    border = cv2.BORDER_REFLECT_101
    kernel = np.array(KERNEL, np.float32)
    smooth = [cv2.sepFilter2D(one, cv2.CV_32F, kernel, kernel, borderType=border) for one in maps]
    return np.asarray(np.stack(smooth), np.float32)


def near(part: NDArray[np.bool_], height: int, width: int) -> NDArray[np.float32]:
    """1 for the cells of a part and RIM cells about it, 0 for the others. [h,w]"""
    cells = cv2.resize(part.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
    size = 2 * RIM + 1
    return cv2.dilate(cells.astype(np.float32), np.ones((size, size), np.uint8)).astype(np.float32)


def gains(maps: NDArray[np.float32], looked_at: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each place's smoothed distance counts: less where held-out good parts are restless.

    maps [N,h,w]; looked_at [h,w], 0 or 1. About 1 at the usual place, 0 where nothing is looked at.
    """
    return _gains(maps.mean(0), len(maps), looked_at)


def left_out_gains(
    maps: NDArray[np.float32], looked_at: NDArray[np.float32]
) -> NDArray[np.float32]:
    """For each image the gains without it, so that its score is that of an unseen part. [N,h,w]"""
    count, total = len(maps), maps.sum(0)
    left = [_gains((total - one) / (count - 1), count - 1, looked_at) for one in maps]
    return np.stack(left)


def _gains(
    mean: NDArray[np.float32], count: int, looked_at: NDArray[np.float32]
) -> NDArray[np.float32]:
    unrest = cv2.GaussianBlur(mean, (0, 0), 1.0)
    usual = float(unrest[looked_at > 0].mean())
    trust = count / (count + FEW)
    return np.asarray((usual / (unrest + FLOOR * usual + 1e-9)) ** trust * looked_at, np.float32)
