"""From good images to a line that tells good from bad, with the shipped feature network."""

import json
from pathlib import Path

import pytest
from support.commands import inspector
from support.stations import write_images

pytestmark = pytest.mark.line

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

# Folders of good and of defective images, and how many good ones are for teaching.
PRODUCTS = {
    "screw_block": (("good",), ("defect",), 14),
    "cookie": (("train/good", "test/good"), ("train/defect", "test/defect"), 31),
}


def test_taught_on_good_images_it_finds_the_bad_ones(root: Path) -> None:
    images = write_images(root / "images", good=24, bad=8)
    taught = inspector(
        *("teach", half(images / "good", root / "taught", 0, 12), "--name", "part"),
        *("--out", root / "part", "--json"),
    )
    assert taught.returncode == 0, taught.stderr
    manifest = json.loads(taught.stdout)
    assert manifest["calibration"]["good_images"] == 12
    done = inspector(
        *("evaluate", root / "part", "--good", half(images / "good", root / "held", 12, 24)),
        *("--defect", images / "square", "--json"),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["image_auroc"] > 0.95
    assert told["good"] == 12
    assert told["defective"] == 8
    low, high = told["overkill_interval"]
    assert low <= told["overkill_rate"] <= high


def test_labelled_defects_are_taught_and_what_was_found_is_said(root: Path) -> None:
    images = write_images(root / "images", good=12, bad=8)
    known = half(images / "square", root / "known", 0, 6)
    taught = inspector(
        *("teach", images / "good", "--name", "part", "--out", root / "part"),
        *("--defect", known, "--target-overkill", "0.02", "--side", "192", "--json"),
    )
    assert taught.returncode == 0, taught.stderr
    manifest = json.loads(taught.stdout)
    assert manifest["calibration"]["defect_images"] == 6
    assert manifest["calibration"]["target_overkill"] == 0.02
    assert manifest["input"]["width"] == 192
    assert any("labelled defects fail" in note for note in manifest["notes"])
    assert manifest["set_aside"] == []


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--side", "100"), "--side 100: must be a multiple of 32"),
        (("--target-overkill", "0"), "--target-overkill 0.0: must be above 0"),
    ],
)
def test_what_cannot_be_taught_with_is_refused(
    root: Path, option: tuple[str, str], said: str
) -> None:
    images = write_images(root / "images", good=6)
    out = ("--name", "part", "--out", root / "part")
    refused = inspector("teach", images / "good", *out, *option)
    assert refused.returncode == 65
    assert said in refused.stderr
    assert not (root / "part").exists()


@pytest.mark.parametrize("product", PRODUCTS)
def test_real_product_runs_end_to_end(root: Path, product: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("real images are absent (../shared/data)")
    good_folders, bad_folders, taught = PRODUCTS[product]
    good = listed(product, good_folders)
    bad = listed(product, bad_folders)
    link(good[:taught], root / "teach")
    link(good[taught:], root / "images" / "good")
    link(bad, root / "images" / "defect")
    name = ("--name", product, "--out", root / "bundle")
    assert inspector("teach", root / "teach", *name, timeout=200).returncode == 0
    done = inspector(
        *("demo", "--parts", str(len(good) - taught + len(bad)), "--headless", "--json"),
        *("--images", root / "images", "--bundle", root / "bundle"),
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["triggers"] == told["pass"] + told["fail"] + told["review"] + told["fault"]
    assert told["good"] == len(good) - taught
    assert told["defective"] == len(bad)


def half(source: Path, target: Path, start: int, stop: int) -> Path:
    return link(sorted(source.iterdir())[start:stop], target)


def listed(product: str, folders: tuple[str, ...]) -> list[Path]:
    return [path for folder in folders for path in sorted((SHARED / product / folder).iterdir())]


def link(files: list[Path], target: Path) -> Path:
    target.mkdir(parents=True)
    for file in files:
        (target / f"{file.parent.parent.name}-{file.name}").symlink_to(file)
    return target
