"""Promise: how the parts lie is found, or said why not; the proposal lets them lie alike."""

import cv2
import numpy as np
import pytest
from support.washer import EYES, part, turned

from inspector.core.bundle import Input
from inspector.teach import pose

SIZE = Input(width=256, height=256, pixel="mono8")


def proposed(frames: list[np.ndarray], turns: bool = True) -> pose.Posed | pose.Nothing:
    found = pose.parts(frames, EYES)
    assert pose.missing(found) is None
    return pose.propose(frames, found, EYES, SIZE, turns)


def test_parts_that_lie_anyhow_are_turned_lengthwise() -> None:
    rng = np.random.default_rng(0)
    frames = [turned(float(rng.uniform(-180, 180)), n, *rng.uniform(-15, 15, 2)) for n in range(12)]
    found = proposed(frames)
    assert isinstance(found, pose.Posed)
    assert found.registration.turn_deg == 180
    assert found.likeness > 0.9
    assert found.width > found.height  # a long part gets a long view
    assert found.width % 32 == found.height % 32 == 0
    assert found.width * found.height <= 256 * 256


def test_parts_that_are_hardly_turned_keep_their_way_up() -> None:
    rng = np.random.default_rng(0)
    frames = [turned(float(rng.uniform(15, 25)), n, *rng.uniform(-9, 9, 2)) for n in range(12)]
    found = proposed(frames)
    assert isinstance(found, pose.Posed)
    assert 5 <= found.registration.turn_deg <= 30
    eye = EYES.registered(found.registration, found.template)
    assert abs(np.mean([eye.pose(frame)[0] for frame in frames])) < 3


def test_the_view_holds_the_parts_and_little_else() -> None:
    rng = np.random.default_rng(0)
    frames = [turned(float(rng.uniform(-180, 180)), n) for n in range(12)]
    found = proposed(frames)
    assert isinstance(found, pose.Posed)
    assert found.registration.extent < 0.75
    assert found.near.mean() > 0.3
    border = np.concatenate([found.near[0], found.near[-1], found.near[:, 0], found.near[:, -1]])
    assert not border.any()


def test_textures_have_no_part() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (6, 200, 200), np.uint8)
    reason = pose.missing(pose.parts(list(noise), EYES))
    assert reason is not None
    assert "of 6 images only" in reason


def test_parts_that_are_no_copies_of_one_another_are_not_registered() -> None:
    frames = [np.full((320, 320), 60, np.uint8) for _ in range(8)]
    for number, frame in enumerate(frames):
        rng = np.random.default_rng(number)
        corners = rng.uniform(-90, 90, (5, 2)) + 160
        cv2.fillPoly(frame, [cv2.convexHull(corners.astype(np.int32))], 190)
        cv2.circle(frame, (160, 160), int(rng.integers(5, 60)), int(rng.integers(90, 255)), -1)
    found = proposed(frames)
    assert isinstance(found, pose.Nothing)
    assert "unlike one another" in found.reason


@pytest.mark.parametrize("turns", [True, False])
def test_the_same_frames_give_the_same_proposal(turns: bool) -> None:
    frames = [part(seed) for seed in range(8)]
    first, again = proposed(frames, turns), proposed(frames, turns)
    assert isinstance(first, pose.Posed)
    assert isinstance(again, pose.Posed)
    assert first.registration == again.registration
    assert (first.template == again.template).all()
