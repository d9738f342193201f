"""The bank of generated images and defect masks that training draws from.

Promises: the same count gives the same bank; it is cached as one .npy file in the run folder.
Never grows while training.
"""

from __future__ import annotations

from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .parts import image
from .textures import Rng, fractal

MASK = 128


def images(count: int, folder: Path, workers: int) -> Tensor:
    """uint8 [count,224,224]; generated on the first call, read from `folder` afterwards."""
    path = folder / f"bank-{count}.npy"
    if not path.exists():
        with Pool(workers) as pool:
            made = np.stack(pool.map(image, range(count), chunksize=25))
        np.save(path, made)
    return torch.from_numpy(np.load(path))


def _scratch(rng: Rng, mask: NDArray[np.uint8]) -> None:
    steps = rng.normal(0, 1, (rng.integers(2, 8), 2)) * rng.uniform(0.2, 1) + rng.normal(0, 1, 2)
    points = np.cumsum(steps * rng.uniform(3, 14), 0) + rng.uniform(20, MASK - 20, 2)
    cv2.polylines(mask, [points.astype(np.int32)], False, 1, int(rng.integers(1, 4)))


def _spot(rng: Rng, mask: NDArray[np.uint8], biggest: float) -> None:
    centre = rng.integers(10, MASK - 10, 2)
    axes = np.maximum(1, rng.uniform(1, biggest, 2)).astype(int)
    turn = float(rng.uniform(0, 180))
    cv2.ellipse(
        mask, (int(centre[0]), int(centre[1])), (int(axes[0]), int(axes[1])), turn, 0, 360, 1, -1
    )


def mask(index: int) -> NDArray[np.uint8]:
    """Defect mask number `index`: blob, scratch, spot or specks. uint8 {0,1} [128,128]."""
    rng = np.random.default_rng(900_000 + index)
    out = np.zeros((MASK, MASK), np.uint8)
    if index % 4 == 0:
        field = fractal(rng, MASK, rng.uniform(2.5, 4))
        return (field > rng.uniform(1.2, 2.2)).astype(np.uint8)
    for _ in range(rng.integers(1, 4)):
        if index % 4 == 1:
            _scratch(rng, out)
        else:
            _spot(rng, out, 14 if index % 4 == 2 else 4)
    return out


def masks(count: int) -> Tensor:
    """uint8 [count,128,128]."""
    return torch.from_numpy(np.stack([mask(index) for index in range(count)]))
