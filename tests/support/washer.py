"""A part to teach in tests: a washer on a tray, a little different for every seed."""

from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.devices.engine import reduce

shrink = partial(reduce, width=256, height=256)  # as the line reduces its frames


def part(seed: int, colour: bool = False) -> NDArray[np.uint8]:
    """A washer on a tray, moved and lit a little differently for every seed. 300x260."""
    rng = np.random.default_rng(seed)
    image = np.full((260, 300, 3), 70, np.uint8)
    centre = (150 + int(rng.integers(-2, 3)), 130 + int(rng.integers(-2, 3)))
    cv2.circle(image, centre, 90, (190, 180, 170), -1, cv2.LINE_AA)
    cv2.circle(image, centre, 40, (60, 60, 60), -1, cv2.LINE_AA)
    lit = image * rng.uniform(0.95, 1.05) + rng.normal(0, 2, image.shape)
    out = np.clip(lit, 0, 255).astype(np.uint8)
    return out if colour else np.asarray(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), np.uint8)


def scratched(seed: int, colour: bool = False) -> NDArray[np.uint8]:
    """The same with a dark scratch over the washer."""
    image = part(seed, colour).copy()
    ink = (20, 20, 20) if colour else 20
    cv2.line(image, (90, 70), (150, 60), ink, 5, cv2.LINE_AA)
    return image
