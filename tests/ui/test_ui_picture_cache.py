"""What is kept of pictures in memory, and how they are drawn."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from support.screen import HEAT

from inspector.ui import drawing
from inspector.ui.picture_cache import PictureCache

STREAM = "s"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=60))
def test_cache_never_holds_more_than_its_bytes(puts: list[tuple[int, int]]) -> None:
    cache = PictureCache(100)
    held: dict[int, int] = {}
    for seq, size in puts:
        cache.put((STREAM, seq, "320"), bytes(size))
        held[seq] = size
        assert cache.used <= 100
        assert cache.get((STREAM, seq, "320")) == bytes(size)
    there = [seq for seq in held if (STREAM, seq, "320") in cache]
    assert cache.used == sum(held[seq] for seq in there)


def test_what_was_not_asked_for_longest_goes_first() -> None:
    cache = PictureCache(30)
    for seq in range(3):
        cache.put((STREAM, seq, "320"), bytes(10))
    assert cache.get((STREAM, 0, "320"))
    cache.put((STREAM, 3, "320"), bytes(10))
    assert [(STREAM, seq, "320") in cache for seq in range(4)] == [True, False, True, True]


def test_what_is_larger_than_the_shelf_is_not_kept_and_drives_nothing_out() -> None:
    cache = PictureCache(30)
    cache.put((STREAM, 1, "320"), bytes(10))
    cache.put((STREAM, 2, "320"), np.zeros((10, 10, 1), np.uint8))
    assert (STREAM, 1, "320") in cache
    assert (STREAM, 2, "320") not in cache


@pytest.mark.parametrize(
    ("shape", "width", "expected"),
    [
        ((128, 160, 1), 320, (128, 160, 1)),
        ((480, 640, 3), 320, (240, 320, 3)),
        ((2048, 2448, 1), 1280, (1071, 1280, 1)),
        ((2048, 2448, 3), 320, (268, 320, 3)),
        ((16, 16384, 1), 320, (1, 320, 1)),
    ],
)
def test_picture_is_as_wide_as_asked_and_never_wider_than_the_frame(
    shape: tuple[int, int, int], width: int, expected: tuple[int, int, int]
) -> None:
    frame = np.full(shape, 99, np.uint8)
    small = drawing.shrunk(frame, width)
    assert small.shape == expected
    assert abs(float(small.mean()) - 99) < 1
    small[:] = 0
    assert frame.min() == 99  # a copy


def test_heat_is_clear_below_the_limits_and_strongest_from_the_fail_limit_on() -> None:
    even = structs.replace(HEAT, scale=1.0)

    def alpha(score: float) -> int:
        flat = structs.replace(even, data=bytes([round(255 * score)]) * 32)
        data = drawing.heat(flat, review=0.5, fail=0.8)
        assert data
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert image is not None
        return int(image[:, :, 3].max())

    assert alpha(0.3) == 0
    assert 0 < alpha(0.6) < alpha(0.8) == alpha(1.0)


def test_heat_whose_data_does_not_fit_its_size_is_none() -> None:
    assert drawing.heat(structs.replace(HEAT, data=b"short"), 0.5, 1.0) is None


def test_picture_that_is_none_is_none() -> None:
    for data in (b"", b"text", b"\xff\xd8\xff\xe0 half a JPEG"):
        assert drawing.decoded(data) is None
