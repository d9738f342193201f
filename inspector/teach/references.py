"""The images that a bundle proves itself with: a few good parts, and the same with defects.

Promises: whole frames as a camera gives them, losslessly packed, spread over the images taught
from; colour, contrast and fine detail all matter to their scores.
Never sets a limit, never enters the memory.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.teach import synthetic

Image = NDArray[np.uint8]

LONGEST = 384  # pixels of a reference's longer side
GOOD, SPOILT = 3, 4


def frames(images: Sequence[Image], seed: int) -> list[Image]:
    """GOOD images as they are, then SPOILT ones with a synthetic defect. uint8 [H,W] or [H,W,3],
    at most LONGEST on a side."""
    rng = np.random.default_rng(seed)
    chosen = [images[index * len(images) // (GOOD + SPOILT)] for index in range(GOOD + SPOILT)]
    fitting = [fitted(image) for image in chosen]
    spoilt = [_spoilt(image, rng) for image in fitting[GOOD:]]
    return fitting[:GOOD] + spoilt


def packed(image: Image) -> bytes:
    """As PNG."""
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert done  # an encoder in memory has nothing to fail at
    return data.tobytes()


def fitted(image: Image) -> Image:
    share = LONGEST / max(image.shape[:2])
    if share >= 1:
        return image
    size = (max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _spoilt(image: Image, rng: np.random.Generator) -> Image:
    planes = image if image.ndim == 3 else image[..., None]
    return synthetic.spoil(planes, rng).reshape(image.shape)
