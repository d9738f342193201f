"""The pictures that an adopted model is proven with.

Promises: whole frames, no larger than needed, losslessly packed; drawn ones have colours and
shapes, so that a wrong order of colours or a wrong normalisation shows.
Never: stands in for the station's own pictures where there are some.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from inspector.adopt.terms import Image
from inspector.core.bundle import Input

MOST = 6
DRAWN = 4


def chosen(frames: Sequence[Image], size: Input) -> list[Image]:
    """At most MOST of the frames, spread evenly, no side longer than the model's longer one; drawn
    ones where there are none. (H, W, 1 or 3) uint8 each."""
    given = list(frames) or _drawn(size)
    count = min(MOST, len(given))
    longest = max(size.width, size.height)
    return [_fitted(given[index * len(given) // count], longest) for index in range(count)]


def packed(image: Image) -> bytes:
    """As PNG."""
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert done  # an encoder in memory has nothing to fail at
    return data.tobytes()


def _fitted(image: Image, longest: int) -> Image:
    share = longest / max(image.shape[:2])
    if share >= 1:
        return image
    size = (max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small.reshape(size[1], size[0], -1)


def _drawn(size: Input) -> list[Image]:
    """Coloured shapes on a soft ground, wider than high, as cameras see."""
    channels = 1 if size.pixel == "mono8" else 3
    longest = max(size.width, size.height)
    shape = (max(16, longest * 3 // 4), longest, channels)
    return [_picture(np.random.default_rng(seed), shape) for seed in range(DRAWN)]


def _picture(rng: np.random.Generator, shape: tuple[int, int, int]) -> Image:
    rows, columns, channels = shape
    across = np.linspace(0, 1, columns)[None, :, None]
    down = np.linspace(0, 1, rows)[:, None, None]
    corners = rng.uniform(40, 215, (3, channels))
    ground = corners[0] * (1 - across) + corners[1] * across + (corners[2] - 128) * down * 0.5
    image = np.ascontiguousarray(np.clip(ground, 0, 255).astype(np.uint8))
    for _ in range(6):
        colour = [int(value) for value in rng.integers(0, 256, channels)]
        x, y = int(rng.integers(0, columns)), int(rng.integers(0, rows))
        width, height = (int(side) for side in rng.integers(rows // 16 + 1, rows // 3 + 2, 2))
        if rng.random() < 0.5:
            cv2.rectangle(image, (x, y), (x + width, y + height), colour, -1)
        else:
            cv2.ellipse(image, (x, y), (width // 2 + 1, height // 2 + 1), 0, 0, 360, colour, -1)
    noisy = image.reshape(shape) + rng.normal(0, 6, shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
