"""Promise: the same seed gives the same defects, each of them visible."""

import numpy as np
import pytest
from support.washer import part, shrink

from inspector.teach import images, synthetic


def spoilt_all(frames: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([synthetic.spoil(frame, rng) for frame in frames])


@pytest.mark.parametrize(("pixel", "colour"), [("mono8", False), ("bgr8", True)])
def test_defects_are_visible_and_repeatable(pixel: str, colour: bool) -> None:
    frames = images.as_pixel([shrink(part(s, colour)) for s in range(8)], pixel)
    spoilt, again = spoilt_all(frames, 3), spoilt_all(frames, 3)
    assert spoilt.shape == frames.shape
    assert spoilt.dtype == np.uint8
    assert (spoilt == again).all()
    change = np.abs(spoilt.astype(int) - frames.astype(int)).reshape(8, -1)
    assert (change.max(1) >= 8).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_image_gets_a_defect_too(level: int) -> None:
    flat = np.full((6, 256, 256, 1), level, np.uint8)
    assert (spoilt_all(flat, 0) != flat).reshape(6, -1).any(1).all()


def test_a_defect_sits_on_the_part() -> None:
    flat = np.random.default_rng(0).integers(60, 200, (200, 200, 1), np.uint8)
    where = np.zeros((200, 200), bool)
    where[150:180, 20:60] = True
    for seed in range(20):
        spoilt = synthetic.spoil(flat, np.random.default_rng(seed), where)
        changed = (spoilt != flat)[..., 0]
        assert changed[where].any()
