"""Promise: a turned and moved part is seen upright, and what is found lies on the real place."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.washer import turned

from inspector.core.bundle import Registration
from inspector.devices.engine import Registered, Whole, find
from inspector.devices.engine.upright import Upright, turn_about

EXTENT = 0.75  # of the frame: the view is 240 of 320 pixels


def sight(turn_deg: float = 180.0, score: float = 0.7) -> Registered:
    template = turned(0)[40:280, 40:280]
    made = Registration(template="t.png", extent=EXTENT, turn_deg=turn_deg, score=score)
    return Registered(made, template)


def view(of: Registered | Whole, frame: np.ndarray) -> tuple[np.ndarray, object]:
    image = np.empty((240, 240, 1), np.uint8)
    return image, of.see(frame, image)


@given(
    degrees=st.floats(-180, 180),
    right=st.floats(-20, 20),
    down=st.floats(-20, 20),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_a_turned_and_moved_part_is_seen_upright(
    degrees: float, right: float, down: float, seed: int
) -> None:
    eye = sight()
    found, likeness = eye.pose(turned(degrees, seed, right, down))
    assert abs((found + degrees + 180) % 360 - 180) < 1.5
    assert likeness > 0.9
    still, _ = view(eye, turned(0, 0))
    moved, seen = view(eye, turned(degrees, 0, right, down))
    assert not seen.lost
    blurred = [cv2.GaussianBlur(one, (0, 0), 2).astype(int) for one in (still, moved)]
    assert np.abs(blurred[0] - blurred[1]).mean() < 4


@pytest.mark.parametrize("degrees", [0.0, 37.0, 90.0, -140.0])
def test_a_spot_of_the_view_is_brought_back_to_its_place_in_the_frame(degrees: float) -> None:
    eye = sight()
    frame = turned(degrees, 0, 12, -8)
    spot = np.array([180.0, 160.0])  # on the upright part
    matrix = turn_about((159.5, 159.5), degrees, (159.5 + 12, 159.5 - 8))
    place = matrix @ np.array([*spot, 1])
    _, seen = view(eye, frame)
    row, column = (round((value - 40) / 240 * 30 - 0.5) for value in spot[::-1])
    heatmap = np.zeros((30, 30), np.float32)
    heatmap[row, column] = 7.0
    back = eye.back(heatmap, seen)
    assert back.max() == 7.0  # as high as it was
    rows, columns = np.nonzero(back)
    scale = 320 / back.shape[0]
    found = ((columns.mean() + 0.5) * scale, (rows.mean() + 0.5) * scale)
    assert np.hypot(*(np.array(found) - place)) < 10


def test_what_comes_from_outside_the_frame_is_brought_back_as_nothing() -> None:
    eye = sight()
    _, seen = view(eye, turned(45))
    back = eye.back(np.ones((30, 30), np.float32), seen)
    assert back[0, 0] == 0  # the view does not reach the frame's corner
    assert back[back.shape[0] // 2, back.shape[1] // 2] == 1


@pytest.mark.parametrize("frame", [np.full((320, 320), 60, np.uint8), turned(0)[::-1].copy()])
def test_a_missing_or_mirrored_part_is_lost(frame: np.ndarray) -> None:
    _, seen = view(sight(score=0.9), frame)
    assert seen.lost


def test_a_part_turned_farther_than_allowed_is_lost() -> None:
    assert view(sight(turn_deg=20.0, score=0.9), turned(90))[1].lost
    assert not view(sight(turn_deg=20.0, score=0.9), turned(15))[1].lost


def test_teaching_and_the_line_see_the_same_whatever_the_size() -> None:
    frame = cv2.resize(turned(30), (960, 960), interpolation=cv2.INTER_CUBIC)
    eye = sight()
    large, small = view(eye, frame)[0], view(eye, turned(30))[0]
    assert np.abs(large.astype(int) - small.astype(int)).mean() < 6


def test_a_colour_frame_is_registered_for_a_grey_model_and_the_other_way_round() -> None:
    eye = sight()
    colour = cv2.cvtColor(turned(30), cv2.COLOR_GRAY2BGR)
    assert not view(eye, colour)[1].lost
    image = np.empty((240, 240, 3), np.uint8)
    eye.see(turned(30), image)
    assert (image[..., 0] == image[..., 2]).all()


def test_no_part_is_found_on_a_flat_or_noisy_frame() -> None:
    assert find(np.full((96, 128), 90, np.uint8)) is None
    noise = np.random.default_rng(0).normal(90, 2, (96, 128))
    assert find(np.clip(noise, 0, 255).astype(np.uint8)) is None


def test_a_part_cut_by_the_edge_says_so() -> None:
    frame = np.full((100, 100, 3), 50, np.uint8)
    frame[40:60, 30:] = (90, 200, 30)
    part = find(frame)
    assert part is not None
    assert part.cut


def test_a_long_narrow_template_is_turned_without_its_corners_counting() -> None:
    template = turned(0)[80:200, 60:260]
    upright = Upright(template, 180.0)
    found = upright.pose(cv2.resize(turned(75), None, fx=96 / 200, fy=96 / 200))
    assert found is not None
    assert found[1] > 0.9


def test_a_template_that_is_no_image_is_refused(tmp_path: Path) -> None:
    from inspector.core.errors import MaintainerError
    from inspector.devices.engine.sight import registered

    class Manifest:
        registration = Registration(template="t.png", extent=1, turn_deg=0, score=0.5)

    (tmp_path / "t.png").write_bytes(b"no image")
    with pytest.raises(MaintainerError, match=r"t\.png: is no image"):
        registered(tmp_path, Manifest())  # type: ignore[arg-type] # only this is looked at
