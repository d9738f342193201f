"""Promise: what cannot be taught from is refused in one line that names the file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.washer import shrink

from inspector.core.errors import OperatorError
from inspector.devices.engine import kept_of
from inspector.teach import images


def refusal(source: Path) -> str:
    with pytest.raises(OperatorError) as caught:
        images.load(source, kept_of, shrink)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_good_folder_is_read_by_name(good: Path) -> None:
    loaded = images.load(good, kept_of, shrink).pictures
    assert len(loaded) == 12
    assert {picture.whole.shape for picture in loaded} == {(256, 256)}


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "nowhere: no such folder" in refusal(tmp_path / "nowhere")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "holds no images" in refusal(tmp_path)


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("good parts follow")
    assert "holds no images" in refusal(tmp_path)


def test_a_zero_byte_image_is_named(good: Path) -> None:
    (good / "05.png").write_bytes(b"")
    assert "05.png: is empty (0 bytes)" in refusal(good)


@pytest.mark.parametrize("content", [b"not an image", b"\x89PNG\r\n\x1a\n"])
def test_a_corrupt_image_is_named(good: Path, content: bytes) -> None:
    (good / "07.png").write_bytes(content)
    assert "07.png: is no readable image" in refusal(good)


def test_too_few_images_are_refused(good: Path) -> None:
    for path in sorted(good.iterdir())[4:]:
        path.unlink()
    assert "4 good images; teach from at least 5" in refusal(good)


def test_identical_images_are_refused(good: Path) -> None:
    content = (good / "00.png").read_bytes()
    for path in good.iterdir():
        path.write_bytes(content)
    assert "all 12 images are identical" in refusal(good)


def test_a_vanished_file_of_a_list_is_named(good: Path) -> None:
    paths = sorted(good.iterdir())
    paths[3].unlink()
    with pytest.raises(OperatorError, match=r"03\.png: cannot be read"):
        images.load(paths, kept_of, shrink)


@given(
    height=st.integers(16, 1400),
    width=st.integers(16, 1400),
    value=st.integers(0, 255),
    channels=st.sampled_from([(), (3,)]),
)
def test_shrinking_keeps_a_flat_image_flat(
    height: int, width: int, value: int, channels: tuple[int, ...]
) -> None:
    flat = np.full((height, width, *channels), value, np.uint8)
    small = shrink(flat)
    assert small.shape == (256, 256, *channels)
    assert (small == value).all()


def test_a_one_pixel_scratch_survives_a_five_megapixel_frame() -> None:
    frame = np.full((2048, 2448), 200, np.uint8)
    frame[:, 1223] = 0
    assert (shrink(frame).min(1) < 190).all()


def test_shrinking_is_the_area_average() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8)
    expected = cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA)
    assert (shrink(frame) == expected).all()


def test_a_big_folder_is_thinned_evenly(good: Path) -> None:
    chosen = images.evenly(images.listed(good), 5)
    assert [path.stem for path in chosen] == ["00", "02", "04", "07", "09"]
    assert len(images.load(good, kept_of, shrink, most=6).pictures) == 6


@pytest.mark.parametrize(("pixel", "channels"), [("mono8", 1), ("bgr8", 3)])
def test_grey_and_colour_images_both_become_the_pixel_asked_for(pixel: str, channels: int) -> None:
    mixed = [np.full((256, 256), 9, np.uint8), np.full((256, 256, 3), 9, np.uint8)]
    stacked = images.as_pixel(mixed, pixel)
    assert stacked.shape == (2, 256, 256, channels)
    assert (stacked == 9).all()


def test_mixed_sizes_of_other_proportions_are_refused(good: Path) -> None:
    cv2.imwrite(str(good / "04.png"), np.full((300, 300), 90, np.uint8))
    assert "04.png: is 300x300, most others are 300x260" in refusal(good)


def test_mixed_sizes_of_the_same_proportions_are_taken_and_said(good: Path) -> None:
    small = cv2.resize(cv2.imread(str(good / "04.png"), 0), (150, 130))
    cv2.imwrite(str(good / "04.png"), small)
    assert images.load(good, kept_of, shrink).notes == [
        "1 images are not 300x260 and were resized: 04.png"
    ]


def test_grey_among_colour_is_taken_and_said(good: Path) -> None:
    for path in sorted(good.iterdir())[2:]:
        cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_COLOR))
    loaded = images.load(good, kept_of, shrink)
    assert loaded.notes == ["2 of 12 images are grey, taken as colour: 00.png, 01.png"]


def test_16_bit_images_are_refused(good: Path) -> None:
    cv2.imwrite(str(good / "03.png"), np.full((260, 300), 900, np.uint16))
    assert "03.png: has 16-bit pixels, the line inspects 8" in refusal(good)


def test_cmyk_is_refused(good: Path) -> None:
    plain = cv2.imencode(".jpg", np.full((260, 300, 3), 90, np.uint8))[1].tobytes()
    place = plain.index(b"\xff\xc0") + 9
    (good / "02.jpg").write_bytes(plain[:place] + b"\x04" + plain[place + 1 :])
    assert "02.jpg: is CMYK" in refusal(good)


@pytest.mark.parametrize("kind", [".jpg", ".png", ".bmp", ".webp"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_image_is_named(good: Path, kind: str, share: float) -> None:
    whole = cv2.imencode(kind, cv2.imread(str(good / "06.png")))[1].tobytes()
    (good / f"06b{kind}").write_bytes(whole[: int(share * len(whole))])
    assert f"06b{kind}: is cut off" in refusal(good)


def test_one_image_only_is_refused(good: Path) -> None:
    for path in sorted(good.iterdir())[1:]:
        path.unlink()
    assert "1 good images; teach from at least 5" in refusal(good)
