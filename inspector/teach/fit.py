"""The memory of good parts: a few feature vectors that stand for all of them.

Promises: the same features and seed give the same memory; every distance is in [0, inf) and is
1 - cosine plus a charge for being elsewhere in the image.
Never sees an image, a defect or a file.
"""

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float32]  # [N,h,w,D], unit length over D

CANDIDATES = 24_000  # cells a memory is chosen from
PROJECTED = 32  # dimensions in which the choice is made


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
    if len(cells) > CANDIDATES:
        cells = cells[rng.choice(len(cells), CANDIDATES, replace=False)]
    if len(cells) <= size:
        return cells
    spread = rng.normal(size=(cells.shape[1], PROJECTED)) / np.sqrt(PROJECTED)
    small = np.ascontiguousarray(cells @ spread.astype(np.float32))
    squares = np.einsum("ij,ij->i", small, small)
    chosen = [int(squares.argmax())]
    nearest = np.full(len(small), np.inf, np.float32)
    for _ in range(size - 1):
        last = chosen[-1]
        away = squares + squares[last] - 2 * (small @ small[last])
        np.minimum(nearest, away, out=nearest)
        chosen.append(int(nearest.argmax()))
    return cells[chosen]


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
