"""Promise: proportions are kept, and what is said of the picture comes back to the frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.bundle import Input
from inspector.devices.engine.letterbox import (
    fill,
    findings_back,
    fitted,
    heatmap_back,
    place,
)
from inspector.domain.findings import Finding

SIDES = st.integers(16, 3000)


def test_the_rest_is_filled_with_grey() -> None:
    frame = np.full((100, 200, 3), 7, np.uint8)
    image = np.empty((64, 64, 3), np.uint8)
    where = fill(frame, image, 114)
    assert (where.left, where.top, where.width, where.height) == (0, 16, 64, 32)
    assert set(np.unique(image[16:48])) == {7}
    assert set(np.unique(image[:16])) == set(np.unique(image[48:])) == {114}


def test_colour_and_grey_fit_either_model() -> None:
    for have, want in ((1, "bgr8"), (3, "mono8")):
        frame = np.full((80, 40, have), 9, np.uint8)
        size = Input(width=32, height=32, pixel=want, fit="letterbox")  # type: ignore[arg-type]
        image = fitted(frame, size)
        assert image.shape == (32, 32, 3 if want == "bgr8" else 1)
        assert image[16, 16, 0] == 9
        assert image[16, 2, 0] == 114


def test_without_a_letterbox_the_frame_is_stretched() -> None:
    frame = np.full((80, 40, 1), 9, np.uint8)
    assert set(np.unique(fitted(frame, Input(width=32, height=32, pixel="mono8")))) == {9}


@given(SIDES, SIDES, st.integers(16, 640), st.integers(16, 640))
def test_the_frame_lies_within_and_touches_two_edges(
    width: int, height: int, across: int, down: int
) -> None:
    where = place(width, height, across, down)
    assert 0 <= where.left <= across - where.width
    assert 0 <= where.top <= down - where.height
    assert where.width == across or where.height == down
    assert abs((across - where.width) - 2 * where.left) <= 1


@given(SIDES, SIDES, *[st.floats(0, 1)] * 4)
def test_a_box_comes_back_to_where_it_was(
    width: int, height: int, x: float, y: float, across: float, down: float
) -> None:
    left, right = sorted((x, min(1.0, x + across + 0.01)))
    top, bottom = sorted((y, min(1.0, y + down + 0.01)))
    where = place(width, height, 320, 256)
    inside = Finding(
        "dent",
        0.5,
        (left * where.width + where.left) / 320,
        (top * where.height + where.top) / 256,
        (right * where.width + where.left) / 320,
        (bottom * where.height + where.top) / 256,
    )
    for back in findings_back([inside], where):
        assert back.left == pytest.approx(left, abs=1e-6)
        assert back.bottom == pytest.approx(bottom, abs=1e-6)


def test_what_lies_in_the_filling_is_dropped() -> None:
    where = place(200, 100, 64, 64)
    assert findings_back([Finding("dent", 0.9, 0.2, 0.0, 0.4, 0.2)], where) == ()
    cut = findings_back([Finding("dent", 0.9, 0.2, 0.0, 0.4, 0.5)], where)
    assert (cut[0].top, cut[0].bottom) == (0.0, 0.5)


def test_a_heatmap_is_cut_to_the_frame() -> None:
    heatmap = np.arange(64, dtype=np.float32).reshape(8, 8)
    assert heatmap_back(heatmap, place(200, 100, 64, 64)).tolist() == heatmap[2:6].tolist()
    assert heatmap_back(heatmap, place(100, 100, 64, 64)).shape == (8, 8)
