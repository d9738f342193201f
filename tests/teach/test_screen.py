"""Promise: an image that should not be taught from is named with its reason; too many refuse."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from support.washer import part, shrink

from inspector.core.errors import OperatorError
from inspector.teach import screen
from inspector.teach.images import Picture


def picture(seed: int, image: np.ndarray | None = None) -> Picture:
    frame = textured(seed) if image is None else image
    return Picture(Path(f"good/{seed:02}.png"), frame, shrink(frame))


def textured(seed: int) -> np.ndarray:
    """A washer with a surface of its own: no two are alike."""
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(0, 60, (260, 300)), (0, 0), 3)
    return np.clip(part(seed) + grain, 0, 255).astype(np.uint8)


def shot_again(seed: int, light: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(99).normal(0, 3, (260, 300))
    return np.clip(textured(seed) * light + noise, 0, 255).astype(np.uint8)


def test_good_images_all_stay() -> None:
    pictures = [picture(seed) for seed in range(12)]
    kept, aside = screen.screened(pictures)
    assert kept == pictures
    assert aside == []


@pytest.mark.parametrize("light", [1.0, 0.93])
def test_the_same_part_shot_twice_is_set_aside(light: float) -> None:
    pictures = [picture(seed) for seed in range(10)]
    pictures[7] = Picture(Path("good/07.png"), again := shot_again(3, light), shrink(again))
    kept, aside = screen.screened(pictures)
    assert len(kept) == 9
    assert [(one.path.name, one.reason) for one in aside] == [
        ("07.png", "shows the same part as 03.png")
    ]


def test_two_parts_shot_many_times_are_refused() -> None:
    pictures = [picture(n, shot_again(n % 2, 1 + n / 100)) for n in range(10)]
    with pytest.raises(OperatorError, match="10 images show only 2 different parts"):
        screen.screened(pictures)


def test_many_repeated_shots_are_refused() -> None:
    pictures = [picture(n, textured(n) if n < 7 else shot_again(n - 7)) for n in range(14)]
    with pytest.raises(OperatorError, match="14 images show only 7 different parts"):
        screen.screened(pictures)


def test_a_blurred_image_is_set_aside() -> None:
    blurred = cv2.GaussianBlur(textured(4), (0, 0), 6)
    pictures = [picture(seed, blurred if seed == 4 else None) for seed in range(10)]
    _, aside = screen.screened(pictures)
    assert [(one.path.name, one.reason) for one in aside] == [("04.png", "is blurred")]


@pytest.mark.parametrize(("level", "word"), [(255, "over"), (0, "under")])
def test_an_overexposed_or_underexposed_image_is_set_aside(level: int, word: str) -> None:
    burnt = cv2.addWeighted(textured(4), 0.02, np.full((260, 300), level, np.uint8), 0.98, 0)
    pictures = [picture(seed, burnt if seed == 4 else None) for seed in range(10)]
    _, aside = screen.screened(pictures)
    assert [one.path.name for one in aside] == ["04.png"]
    assert aside[0].reason in (f"is {word}exposed", "is blurred")


def test_a_blank_surface_looks_the_same_on_every_part() -> None:
    blank = [np.random.default_rng(n).normal(120, 3, (260, 300)) for n in range(10)]
    pictures = [picture(n, image.astype(np.uint8)) for n, image in enumerate(blank)]
    assert screen.screened(pictures)[1] == []


def test_repeats_among_many_parts_are_only_set_aside() -> None:
    pictures = [picture(n, textured(n) if n < 22 else shot_again(n - 22)) for n in range(30)]
    kept, aside = screen.screened(pictures)
    assert len(kept) == 22
    assert len(aside) == 8


def test_a_repeat_among_very_few_images_stays() -> None:
    pictures = [picture(n, textured(n) if n < 4 else shot_again(n - 4)) for n in range(6)]
    kept, aside = screen.screened(pictures)
    assert kept == pictures
    assert aside == []
