"""Defects made on good images, to choose settings before any real defect is known.

Promises: the same images and seed give the same defects, each of them visible.
Never enters the memory and never sets a limit: limits come from good parts alone.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Rng = np.random.Generator
Part = NDArray[np.bool_]

VISIBLE = 8.0  # mean change under the mask, grey levels
ATTEMPTS = 8
LARGE = 0.2  # share of defects as large as a missing piece
LEAST = 36  # pixels that the sizes of defects are taken from, at least


def _mask(rng: Rng, height: int, width: int, part: Part | None) -> NDArray[np.float32]:
    """A spot, a scratch or, now and then, a piece as large as one that broke off; soft-edged, on
    the part where one is known. [height,width] in 0..1."""
    mask, side = np.zeros((height, width), np.uint8), min(height, width)
    if part is None:
        x, y = (int(rng.integers(size // 5, size * 4 // 5)) for size in (width, height))
    else:
        rows, columns = np.nonzero(part)
        place = int(rng.integers(len(rows)))
        x, y = int(columns[place]), int(rows[place])
        side = max(LEAST, min(side, int(np.sqrt(1.5 * len(rows)))))
    kind = rng.random()
    if kind < LARGE:
        axes = (int(rng.integers(side // 10, side // 5)), int(rng.integers(side // 10, side // 5)))
        cv2.ellipse(mask, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    elif kind < 0.6:
        axes = (int(rng.integers(2, side // 12)), int(rng.integers(2, side // 12)))
        cv2.ellipse(mask, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    else:
        steps = rng.normal(0, 0.4, (4, 2)) + rng.normal(0, 1, 2)
        line = np.cumsum(steps * side / 25, 0) + np.array([x, y])
        thick = int(rng.integers(1, 4))
        cv2.polylines(mask, [line.astype(np.int32)], False, 255, thick, cv2.LINE_AA)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.8)
    return np.asarray(soft, np.float32)


def _foreign(rng: Rng, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """What shows under the mask: the image from elsewhere, another brightness, or a blur."""
    kind = int(rng.integers(0, 4))
    if kind <= 1:
        shift = rng.integers(image.shape[0] // 8, image.shape[0] // 2, 2) * rng.choice([-1, 1], 2)
        return np.roll(image, (int(shift[0]), int(shift[1])), (0, 1))
    if kind == 2:
        return image + float(rng.choice([-1, 1]) * rng.uniform(20, 80))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 6.0), np.float32)


def spoil(image: Image, rng: Rng, part: Part | None = None) -> Image:
    """One visible defect on a copy of uint8 [H,W,C]; a bright or dark spot where all else fails.
    `part` [H,W] is where the part lies, if that is known: the defect sits there."""
    base = image.astype(np.float32)
    for _ in range(ATTEMPTS):
        mask = _mask(rng, image.shape[0], image.shape[1], part)[..., None]
        changed = np.clip(base + (_foreign(rng, base).reshape(base.shape) - base) * mask, 0, 255)
        if np.abs(changed - base).sum() > VISIBLE * mask.sum() * image.shape[2]:
            return changed.astype(np.uint8)
    away = np.where(base.mean() > 128, -80.0, 80.0)
    return np.clip(base + away * mask, 0, 255).astype(np.uint8)
