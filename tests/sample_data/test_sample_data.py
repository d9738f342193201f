"""The sample sets are complete, readable, small, and say where every defect is."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2] / "sample_data"
SHAPE = (480, 640)
DEFECTS = {
    "cap": (
        "chipped_edge",
        "contamination",
        "dent",
        "faulty_o_ring",
        "missing_hole",
        "scratch",
    ),
    "plate": (
        "chipped_edge",
        "dent",
        "discoloured",
        "missing_hole",
        "scratch",
        "stain",
        "wrong_print",
    ),
}
GOOD = {
    "cap": {"train/good": 50, "test/good": 40},
    "plate": {"train/good": 61, "test/good": 49},
}
COUNTS = [
    (product, folder, count)
    for product, kinds in DEFECTS.items()
    for folder, count in (GOOD[product] | {f"test/{kind}": 8 for kind in kinds}).items()
]
KINDS = [(product, kind) for product, kinds in DEFECTS.items() for kind in kinds]
SECTORS = 8


def stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.iterdir())


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image


def content(path: Path) -> str:
    """What stands for the pixels, whatever the file around them."""
    return hashlib.sha256(read(path).tobytes()).hexdigest()


def angle(path: Path) -> float:
    """Where the seat, bright and colourless, lies from the middle of the plate; radians."""
    image = read(path).astype(np.int16)
    blue, _, red = cv2.split(image)
    plate = np.median(np.argwhere((blue > 90) & (blue > red + 50)), axis=0)
    seat = np.median(np.argwhere(image.min(axis=2) > 150), axis=0)
    return float(np.arctan2(*(seat - plate)))


def test_every_product_is_one_of_these() -> None:
    assert sorted(p.name for p in ROOT.iterdir() if (p / "train").exists()) == sorted(DEFECTS)


@pytest.mark.parametrize(("product", "folder", "count"), COUNTS)
def test_every_class_has_its_pictures(product: str, folder: str, count: int) -> None:
    assert stems(ROOT / product / folder) == [f"{n:03d}" for n in range(count)]


@pytest.mark.parametrize("product", DEFECTS)
def test_there_is_no_class_beside_these(product: str) -> None:
    assert len(DEFECTS[product]) >= 5
    assert stems(ROOT / product / "test") == sorted(["good", *DEFECTS[product]])
    assert stems(ROOT / product / "masks") == sorted(DEFECTS[product])


def test_there_are_enough_good_and_defective_pictures() -> None:
    good = len(list(ROOT.glob("*/*/good/*.jpg")))
    assert good >= 200
    assert len(list(ROOT.glob("*/test/*/*.jpg"))) - len(list(ROOT.glob("*/test/good/*.jpg"))) >= 100


@pytest.mark.parametrize(("product", "folder", "_count"), COUNTS)
def test_pictures_are_one_size_bgr8_and_exposed(product: str, folder: str, _count: int) -> None:
    for path in (ROOT / product / folder).iterdir():
        image = read(path)
        assert image.shape == (*SHAPE, 3), path
        assert image.dtype == np.uint8, path
        assert 50 < image.mean() < 130, path
        assert (image == 255).mean() < 0.02, path


def test_no_picture_is_there_twice() -> None:
    pictures = [content(path) for path in ROOT.rglob("*.jpg")]
    assert len(set(pictures)) == len(pictures) == sum(count for _, _, count in COUNTS)


@pytest.mark.parametrize(("product", "kind"), KINDS)
def test_every_defect_has_a_mask_of_its_own(product: str, kind: str) -> None:
    masks = ROOT / product / "masks" / kind
    assert stems(masks) == stems(ROOT / product / "test" / kind)
    for path in masks.iterdir():
        mask = read(path)
        assert mask.shape == SHAPE, path
        assert set(np.unique(mask)) == {0, 255}, path
        assert 10 <= (mask > 0).sum() < 0.2 * mask.size, path


def test_no_two_masks_are_alike() -> None:
    masks = [content(path) for path in ROOT.rglob("masks/*/*.png")]
    assert len(set(masks)) == len(masks)


@pytest.mark.parametrize("folder", ["train/good", "test/good"])
def test_plates_lie_at_any_angle(folder: str) -> None:
    angles = np.array([angle(path) for path in (ROOT / "plate" / folder).iterdir()])
    assert set(np.floor((angles / np.pi + 1) / 2 * SECTORS) % SECTORS) == set(range(SECTORS))


def test_plates_are_in_colour() -> None:
    for path in (ROOT / "plate" / "test" / "good").iterdir():
        saturation = cv2.cvtColor(read(path), cv2.COLOR_BGR2HSV)[..., 1]
        assert (saturation > 150).mean() > 0.1, path


def test_the_whole_stays_small() -> None:
    size = sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file())
    assert size < 40_000_000


def test_no_text_names_a_place_on_one_machine() -> None:
    texts = [path for path in ROOT.rglob("*") if path.suffix in (".py", ".md")]
    assert texts
    for path in texts:
        found = re.findall(r"(?:^|[\s\"'(])(/\w[\w./-]+|[A-Z]:\\\S+)", path.read_text())
        assert not found, f"{path.name}: {found}"
