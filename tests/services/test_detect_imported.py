"""An imported model on the way of a frame of the line: loaded, proven, and refused."""

from pathlib import Path

import pytest
from msgspec import structs
from support.adopting import SEEN, imported
from support.foreign import onnx_yolo, picture
from support.stations import picture as grey_picture
from support.stations import small
from support.tiny_model import write_bundle

from inspector.core.config import Detect
from inspector.core.paths import under
from inspector.core.recipe import Findings, Recipe, RecipeLimits
from inspector.core.terms import Kind
from inspector.devices.engine import Engine
from inspector.procedures.judge import Judge
from inspector.procedures.loading import Loader, ModelRefused

RECIPE = Recipe(schema=1, name="part", model="x", limits=RecipeLimits(review=0.3, fail=0.6))


def judged(root: Path, folder: Path, **rules: object) -> Judge:
    paths = under(root)
    recipe = structs.replace(RECIPE, mm_per_px=0.1, findings=Findings(**rules))
    return Loader(paths, Engine(Detect(threads=1), paths.cache)).judge(recipe, folder)


@pytest.fixture
def detector(root: Path) -> Path:
    imported(onnx_yolo(root))
    return root / "bundle"


def test_an_imported_detector_is_proven_and_decides(root: Path, detector: Path) -> None:
    judge = judged(root, detector, classes=("red",), min_size_mm=1.0)
    assert judge.whole(SEEN[0]).kind is Kind.FAIL
    assert judge.whole(SEEN[1]).kind is Kind.PASS
    assert judge.whole(picture()).kind is Kind.PASS


def test_a_class_that_the_model_does_not_know_is_refused(root: Path, detector: Path) -> None:
    """It would never be found, and so every such defect would pass."""
    with pytest.raises(ModelRefused, match=r"names rust; foreign@\w+ knows red, blue"):
        judged(root, detector, classes=("red", "rust"))


def test_classes_for_a_model_that_names_nothing_are_refused(root: Path) -> None:
    tiny = write_bundle(root / "tiny", small(grey_picture(3)))
    with pytest.raises(ModelRefused, match=r"names red; tiny@\w+ knows no classes"):
        judged(root, tiny, classes=("red",))
