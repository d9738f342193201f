"""Promise: the same seed gives the same defects, each of them visible."""

import numpy as np
import pytest
from support.washer import part, shrink

from inspector.teach import images, synthetic


@pytest.mark.parametrize(("pixel", "colour"), [("mono8", False), ("bgr8", True)])
def test_defects_are_visible_and_repeatable(pixel: str, colour: bool) -> None:
    frames = images.as_pixel([shrink(part(s, colour)) for s in range(8)], pixel)
    spoilt, again = synthetic.defects(frames, 3), synthetic.defects(frames, 3)
    assert spoilt.shape == frames.shape
    assert spoilt.dtype == np.uint8
    assert (spoilt == again).all()
    change = np.abs(spoilt.astype(int) - frames.astype(int)).reshape(8, -1)
    assert (change.max(1) >= 8).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_image_gets_a_defect_too(level: int) -> None:
    flat = np.full((6, 256, 256, 1), level, np.uint8)
    assert (synthetic.defects(flat, 0) != flat).reshape(6, -1).any(1).all()
