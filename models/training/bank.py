"""The bank of generated pieces that training draws from.

Promises: the same count gives the same bank; it is cached as one .npy file in the run folder and
read through the page cache, so that processes share it.
Never grows while training.
"""

from __future__ import annotations

from functools import partial
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .parts import SIDE, piece

PIECES = 4  # of each product

Bank = NDArray[np.uint8]  # [products,PIECES,256,256,3] BGR


def _pieces(product: int) -> NDArray[np.uint8]:
    return np.stack([piece(product, number) for number in range(PIECES)])


def load(products: int, folder: Path, workers: int) -> Bank:
    """uint8 [products,4,256,256,3]; generated on the first call, read from `folder` afterwards."""
    path = folder / f"bank-{products}.npy"
    if not path.exists():
        draft = path.with_suffix(".tmp")
        shape = (products, PIECES, SIDE, SIDE, 3)
        made = np.lib.format.open_memmap(draft, "w+", np.uint8, shape)
        with Pool(workers, initializer=partial(cv2.setNumThreads, 1)) as pool:
            for number, pieces in enumerate(pool.imap(_pieces, range(products), chunksize=10)):
                made[number] = pieces
        made.flush()
        draft.replace(path)
    return np.asarray(np.load(path, mmap_mode="r"))
