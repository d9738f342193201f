"""A frame that shows no part in a state to be judged is never judged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inspector.core.recipe import FrameCheck
from inspector.domain.framecheck import complaint, focus_of, measure

LIMITS = FrameCheck(min_focus=20.0)


def noise(seed: int = 0, low: int = 60, high: int = 190) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (64, 64, 1), np.uint8)


def check(frame: np.ndarray, before: int | None = None) -> str | None:
    return complaint(measure(frame, focus_of(frame)), before, LIMITS)


def test_sound_frame_has_no_complaint() -> None:
    assert check(noise()) is None


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (np.zeros((64, 64, 1), np.uint8), "too dark"),
        (np.full((64, 64, 3), 255, np.uint8), "too bright"),
        (np.full((64, 64, 1), 128, np.uint8), "no contrast"),
        (np.tile(np.linspace(20, 220, 64).astype(np.uint8), (64, 1))[:, :, None], "out of focus"),
    ],
)
def test_black_white_flat_and_blurred_frames_are_named(frame: np.ndarray, words: str) -> None:
    problem = check(frame)
    assert problem is not None
    assert problem.startswith(words)


def test_frozen_camera_is_named() -> None:
    before = measure(noise(), None).fingerprint
    assert check(noise(), before) == "the very frame before again: the camera has frozen"
    assert check(noise(1), before) is None


def test_identical_frames_are_fine_where_the_recipe_says_so() -> None:
    facts = measure(noise(), None)
    assert complaint(facts, facts.fingerprint, FrameCheck(refuse_identical=False)) is None


def test_blur_lowers_the_focus() -> None:
    sharp = noise()
    soft = (sharp.astype(int) + np.roll(sharp, 1, 0) + np.roll(sharp, 1, 1)) // 3
    assert focus_of(soft.astype(np.uint8)) < focus_of(sharp) / 2


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))))
def test_any_frame_can_be_measured(frame: np.ndarray) -> None:
    facts = measure(frame, focus_of(frame))
    assert 0 <= facts.mean <= 255
    assert facts.contrast >= 0
    assert facts.focus is not None
    assert np.isfinite(facts.focus)
