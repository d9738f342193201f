"""Simulated cameras: every part has its own frame, and every broken file its own cause."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.stations import picture, write_images

from inspector.core.config import FolderCamera as FolderConfig
from inspector.core.config import VideoCamera as VideoConfig
from inspector.core.errors import MaintainerError
from inspector.core.terms import Cause, FrameFormat, Pixel
from inspector.devices.cameras import Camera, FolderCamera, FrameMissing, VideoCamera


def folder(path: Path, **settings: object) -> FolderCamera:
    return FolderCamera(FolderConfig(name="cam0", path=str(path), **settings))  # type: ignore[arg-type]


def take(camera: Camera) -> np.ndarray:
    frame = np.empty(camera.format.shape, np.uint8)
    assert camera.wait(0.1) is not None
    camera.read(frame)
    return frame


def test_folder_plays_in_order_and_loops(root: Path) -> None:
    write_images(root, good=2, bad=1)
    camera = folder(root)
    sources = [camera.wait(0.1) for _ in range(4)]
    assert sources == ["good/000.png", "good/001.png", "square/000.png", "good/000.png"]
    assert camera.format == FrameFormat(width=160, height=128, pixel=Pixel.MONO8)


def test_file_name_that_is_no_text_can_be_told(root: Path) -> None:
    write_images(root, good=1, bad=0)
    (root / "good" / "000.png").rename(os.fsdecode(os.fsencode(root / "good") + b"/\xff.png"))
    source = folder(root).wait(0.1)
    assert source == "good/\ufffd.png"
    source.encode()


def test_folder_without_loop_ends(root: Path) -> None:
    write_images(root, good=2, bad=0)
    camera = folder(root, loop=False)
    assert [camera.wait(0.0) is None for _ in range(3)] == [False, False, True]
    assert camera.ended


def test_parts_limit_ends_the_camera(root: Path) -> None:
    write_images(root, good=2, bad=0)
    camera = folder(root, parts=3)
    assert sum(camera.wait(0.0) is not None for _ in range(5)) == 3
    assert camera.ended


def test_takt_is_kept_over_many_parts(root: Path) -> None:
    write_images(root, good=1, bad=0)
    camera = folder(root, takt_ms=5.0)
    seen = sum(camera.wait(0.001) is not None for _ in range(100))
    assert 1 < seen < 100  # most waits are too short for a part


@pytest.mark.parametrize("seed", [0, 1])
def test_shuffle_is_repeatable(root: Path, seed: int) -> None:
    write_images(root, good=8, bad=0)
    order = [
        [camera.wait(0) for _ in range(8)] for camera in (folder(root, shuffle_seed=seed),) * 1
    ]
    again = [folder(root, shuffle_seed=seed)]
    assert order[0] == [again[0].wait(0) for _ in range(8)]


@pytest.mark.parametrize(
    ("content", "cause", "reason"),
    [
        (b"", Cause.CAMERA, "empty"),
        (b"rubbish" * 50, Cause.CAMERA, "no image"),
        ("truncated", Cause.CAMERA, None),
        ("16 bit", Cause.FRAME, "8 bits"),
        ("another size", Cause.FRAME, "format is 160x128 mono8"),
        ("colour", Cause.FRAME, "3 channels"),
    ],
)
def test_broken_file_is_a_fault_of_its_own_part(
    root: Path, content: bytes | str, cause: Cause, reason: str | None
) -> None:
    write_images(root, good=1, bad=0)
    path = root / "good" / "001.png"
    write_broken(path, content)
    camera = folder(root)
    take(camera)
    if content == "truncated":
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(FrameMissing) as caught:
        take(camera)
    assert caught.value.cause is cause
    assert "001.png" in caught.value.reason
    assert reason is None or reason in caught.value.reason
    assert take(camera).any()  # the next part is fine again


def write_broken(path: Path, content: bytes | str) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
        return
    image = picture(1)
    if content == "16 bit":
        image = image.astype(np.uint16) * 256
    elif content == "another size":
        image = image[:50]
    elif content == "colour":
        image = np.repeat(image, 3, axis=2)
    cv2.imwrite(str(path), image)


def test_empty_folder_is_one_line(root: Path) -> None:
    with pytest.raises(MaintainerError, match="holds no image"):
        folder(root)


def test_missing_folder_is_one_line(root: Path) -> None:
    with pytest.raises(MaintainerError, match="is no folder"):
        folder(root / "absent")


def test_folder_of_rubbish_is_one_line(root: Path) -> None:
    (root / "a.png").write_bytes(b"")
    with pytest.raises(MaintainerError, match="none of 1 images can be read"):
        folder(root)


def test_alpha_is_dropped(root: Path) -> None:
    cv2.imwrite(str(root / "a.png"), np.full((20, 30, 4), 99, np.uint8))
    camera = folder(root)
    assert camera.format.pixel is Pixel.BGR8
    assert (take(camera) == 99).all()


def test_video_plays_and_loops(root: Path) -> None:
    path = root / "line.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 128))
    for index in range(3):
        writer.write(np.full((128, 160, 3), 60 * (index + 1), np.uint8))
    writer.release()
    camera = VideoCamera(VideoConfig(name="cam0", path=str(path)))
    means = [round(float(take(camera).mean()) / 60) for _ in range(4)]
    assert means == [1, 2, 3, 1]
    assert not camera.ended


def test_rubbish_is_no_video(root: Path) -> None:
    (root / "line.avi").write_bytes(b"rubbish")
    with pytest.raises(MaintainerError, match="no video"):
        VideoCamera(VideoConfig(name="cam0", path=str(root / "line.avi")))
