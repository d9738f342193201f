"""A part to teach in tests: a washer on a tray, a little different for every seed."""

from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.devices.engine import reduce
from inspector.procedures.teaching import EYES

__all__ = ["EYES", "part", "scratched", "shrink", "turned"]

shrink = partial(reduce, width=256, height=256)  # as the line reduces its frames


def part(seed: int, colour: bool = False) -> NDArray[np.uint8]:
    """A washer on a tray, moved and lit a little differently for every seed. 300x260."""
    rng = np.random.default_rng(seed)
    image = np.full((260, 300, 3), 70, np.uint8)
    cv2.circle(image, (150, 130), 90, (190, 180, 170), -1, cv2.LINE_AA)
    cv2.circle(image, (150, 130), 40, (60, 60, 60), -1, cv2.LINE_AA)
    moved = np.array([[1, 0, rng.uniform(-2, 2)], [0, 1, rng.uniform(-2, 2)]])
    image = cv2.warpAffine(image, moved, (300, 260), borderMode=cv2.BORDER_REPLICATE)
    lit = image * rng.uniform(0.95, 1.05) + rng.normal(0, 2, image.shape)
    out = np.clip(lit, 0, 255).astype(np.uint8)
    return out if colour else np.asarray(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), np.uint8)


def scratched(seed: int, colour: bool = False) -> NDArray[np.uint8]:
    """The same with a dark scratch over the washer."""
    image = part(seed, colour).copy()
    ink = (20, 20, 20) if colour else 20
    cv2.line(image, (90, 70), (150, 60), ink, 5, cv2.LINE_AA)
    return image


def turned(
    degrees: float, seed: int = 0, right: float = 0.0, down: float = 0.0, scratch: bool = False
) -> NDArray[np.uint8]:
    """A lever with one hole near its end, turned (y down) and moved, a little noisy. 320x320."""
    rng = np.random.default_rng(seed)
    image = np.full((320, 320), 60, np.uint8)
    cv2.rectangle(image, (80, 130), (240, 190), 180, -1)
    cv2.rectangle(image, (80, 90), (120, 190), 200, -1)
    cv2.circle(image, (215, 160), 16, 70, -1, cv2.LINE_AA)
    if scratch:
        cv2.line(image, (140, 145), (180, 175), 90, 4, cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((159.5, 159.5), -degrees, 1)
    matrix[:, 2] += (right, down)
    moved = cv2.warpAffine(image, matrix, (320, 320), borderMode=cv2.BORDER_REPLICATE)
    lit = moved * rng.uniform(0.95, 1.05) + rng.normal(0, 2, moved.shape)
    return np.clip(lit, 0, 255).astype(np.uint8)
