"""Promise: every image has one label, every mask is its image's; the rest is refused by name."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector.core.errors import OperatorError
from inspector.teach.labelled import listed, read_mask


def save(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """good/, bad/dent, bad/scratch with two images each, and bad/good with another good one."""
    for folder in ("good", "bad/dent", "bad/scratch", "bad/good"):
        for number in range(2):
            save(tmp_path / folder / f"{number}.png", np.zeros((8, 8), np.uint8))
    return tmp_path


def mask(size: int = 8, value: int = 255) -> np.ndarray:
    image = np.zeros((size, size), np.uint8)
    image[2:4, 2:5] = value
    return image


def test_a_folder_of_folders_is_a_class_each(parts: Path) -> None:
    found = listed([parts / "good", parts / "bad/good"], [parts / "bad"], None)
    labels = [one.label for one in found if one.defective]
    assert labels == ["dent", "dent", "scratch", "scratch"]
    assert sum(not one.defective for one in found) == 4


def test_several_folders_are_a_class_each(parts: Path) -> None:
    found = listed([parts / "good"], [parts / "bad/scratch", parts / "bad/dent"], None)
    assert [one.label for one in found if one.defective] == ["scratch"] * 2 + ["dent"] * 2


def test_masks_are_found_by_stem_in_their_class_or_beside_it(parts: Path) -> None:
    first = save(parts / "masks/dent/0.png", mask())
    second = save(parts / "masks/dent/1_mask.bmp", mask())
    third = save(parts / "masks/0.png", mask())
    found = listed([parts / "good"], [parts / "bad/dent", parts / "bad/scratch"], parts / "masks")
    assert [one.mask for one in found] == [None, None, first, second, third, None]


def test_a_missing_folder(parts: Path) -> None:
    with pytest.raises(OperatorError, match="absent: no such folder"):
        listed([parts / "good"], [parts / "absent"], None)
    with pytest.raises(OperatorError, match="absent: no such folder; --masks"):
        listed([parts / "good"], [parts / "bad/dent"], parts / "absent")


def test_an_empty_folder(parts: Path) -> None:
    (parts / "empty").mkdir()
    with pytest.raises(OperatorError, match="empty: holds no image"):
        listed([parts / "empty"], [parts / "bad"], None)
    with pytest.raises(OperatorError, match="empty: holds no mask of these images"):
        listed([parts / "good"], [parts / "bad"], parts / "empty")


def test_an_image_given_as_good_and_as_defective(parts: Path) -> None:
    with pytest.raises(OperatorError, match=r"0\.png: is given twice, as good and as dent"):
        listed([parts / "bad/dent"], [parts / "bad/dent"], None)


def test_a_mask_of_another_size(tmp_path: Path) -> None:
    path = save(tmp_path / "0.png", mask(16))
    with pytest.raises(OperatorError, match="the mask is 16x16, its image 8x8"):
        read_mask(path, (8, 8))


@pytest.mark.parametrize(("value", "word"), [(0, "nothing"), (255, "everything")])
def test_a_mask_that_marks_nothing_or_all(tmp_path: Path, value: int, word: str) -> None:
    path = save(tmp_path / "0.png", np.full((8, 8), value, np.uint8))
    with pytest.raises(OperatorError, match=f"marks {word}"):
        read_mask(path, (8, 8))


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_a_mask_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = save(tmp_path / "0.png", mask())
    path.write_bytes(path.read_bytes()[:60] if content is None else content)
    with pytest.raises(OperatorError, match="no readable mask"):
        read_mask(path, (8, 8))


@pytest.mark.parametrize("kind", ["grey", "ones", "16 bit", "colour", "transparent", "jpeg"])
def test_every_usual_kind_of_mask_marks_the_same(tmp_path: Path, kind: str) -> None:
    plain = mask(64)
    image = {
        "grey": plain,
        "ones": mask(64, 1),
        "16 bit": mask(64).astype(np.uint16) * 256,
        "colour": cv2.merge([plain // 5, plain // 2, plain * 0]),
        "transparent": cv2.merge([plain * 0 + 54, plain * 0 + 164, plain * 0 + 35, plain]),
        "jpeg": plain,
    }[kind]
    path = save(tmp_path / ("0.jpg" if kind == "jpeg" else "0.png"), image)
    found = read_mask(path, (64, 64))
    if kind == "jpeg":
        assert (found != (plain > 0)).sum() <= 2
    else:
        np.testing.assert_array_equal(found, plain > 0)
