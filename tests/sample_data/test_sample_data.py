"""The sample set is complete, readable, small, and says where every defect is."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2] / "sample_data"
CAP = ROOT / "cap"
SHAPE = (480, 640)
DEFECTS = (
    "chipped_edge",
    "contamination",
    "dent",
    "faulty_o_ring",
    "missing_hole",
    "scratch",
)
COUNTS = {"train/good": 50, "test/good": 40} | {f"test/{kind}": 8 for kind in DEFECTS}


def stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.iterdir())


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image


@pytest.mark.parametrize(("folder", "count"), COUNTS.items())
def test_every_class_has_its_pictures(folder: str, count: int) -> None:
    assert stems(CAP / folder) == [f"{n:03d}" for n in range(count)]


def test_there_is_no_class_beside_these() -> None:
    assert stems(CAP / "test") == sorted(["good", *DEFECTS])
    assert stems(CAP / "masks") == list(DEFECTS)


@pytest.mark.parametrize("folder", COUNTS)
def test_pictures_are_one_size_bgr8_and_exposed(folder: str) -> None:
    for path in (CAP / folder).iterdir():
        image = read(path)
        assert image.shape == (*SHAPE, 3), path
        assert image.dtype == np.uint8, path
        assert 60 < image.mean() < 130, path
        assert (image == 255).mean() < 0.02, path


def test_no_picture_is_there_twice() -> None:
    pictures = [path.read_bytes() for path in CAP.rglob("*.jpg")]
    assert len(set(pictures)) == len(pictures) == sum(COUNTS.values())


@pytest.mark.parametrize("kind", DEFECTS)
def test_every_defect_has_a_mask_of_its_own(kind: str) -> None:
    assert stems(CAP / "masks" / kind) == stems(CAP / "test" / kind)
    for path in (CAP / "masks" / kind).iterdir():
        mask = read(path)
        assert mask.shape == SHAPE, path
        assert set(np.unique(mask)) == {0, 255}, path
        assert 10 <= (mask > 0).sum() < 0.2 * mask.size, path


def test_the_whole_stays_small() -> None:
    size = sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file())
    assert size < 25_000_000


def test_no_text_names_a_place_on_one_machine() -> None:
    texts = [path for path in ROOT.rglob("*") if path.suffix in (".py", ".md")]
    assert texts
    for path in texts:
        found = re.findall(r"(?:^|[\s\"'(])(/\w[\w./-]+|[A-Z]:\\\S+)", path.read_text())
        assert not found, f"{path.name}: {found}"
