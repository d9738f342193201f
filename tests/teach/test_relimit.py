"""Another limit makes another version of a bundle, and leaves its proof true."""

from pathlib import Path

import cv2
import pytest
from msgspec import structs
from support.washer import EYES, part, scratched

from inspector.core import bundle_folder
from inspector.core.bundle import LOST, Limits, Reference
from inspector.core.config import Detect
from inspector.core.errors import OperatorError
from inspector.core.recipe import Region
from inspector.devices.bundles import open_bundle
from inspector.devices.engine import Engine
from inspector.procedures.proof import check, show
from inspector.teach import pipeline
from inspector.teach.relimit import relimit
from inspector.teach.settings import Settings

SMALL = Settings(memory=200, weights=(0.0,), defects=12, folds=4, register=False, threads=1)


def taught(good: Path, backbone: Path, out: Path, **settings: object) -> pipeline.Taught:
    """With three labelled defects beside the good images."""
    bad = out.with_name("bad")
    bad.mkdir(exist_ok=True)
    for seed in range(3):
        cv2.imwrite(str(bad / f"{seed}.png"), scratched(40 + seed))
    given = structs.replace(SMALL, **settings)  # type: ignore[arg-type]
    return pipeline.teach(good, backbone, "washer", out, EYES, given, defects=[bad])


def test_teaching_hands_out_the_scores_that_its_limits_rest_on(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    made = taught(good, backbone, tmp_path / "bundle")
    calibration, metrics = made.manifest.calibration, made.manifest.metrics
    assert calibration
    assert len(made.good) == calibration.good_images
    assert len(made.defects) == 3
    fail = made.manifest.limits.fail
    by_name = {metric.name: metric.value for metric in metrics}
    assert by_name["overkill"] == sum(score >= fail for score in made.good) / len(made.good)
    assert min(made.defects) > sorted(made.good)[len(made.good) // 2]


def test_other_limits_make_another_version_that_is_proven_alike(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    made = taught(good, backbone, tmp_path / "bundle")
    limits = Limits(review=0.5, fail=0.6)
    changed = relimit(
        tmp_path / "bundle", made.manifest, limits, made.good, made.defects, tmp_path / "other"
    )
    bundle = open_bundle(tmp_path / "other")
    assert bundle.manifest == changed
    assert (changed.limits, changed.files) == (limits, made.manifest.files)
    assert changed.version != made.manifest.version
    overkill = next(metric for metric in changed.metrics if metric.name == "overkill")
    assert overkill.value == sum(score >= 0.6 for score in made.good) / len(made.good)
    engine = Engine(Detect(threads=1), tmp_path / "cache")
    check(bundle, show(bundle, engine.load(bundle.folder, changed)))


def test_the_same_limits_make_the_very_same_version(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    made = taught(good, backbone, tmp_path / "bundle")
    again = relimit(
        *(tmp_path / "bundle", made.manifest, made.manifest.limits, made.good, made.defects),
        tmp_path / "other",
    )
    assert again == made.manifest


def test_references_on_which_no_part_is_found_are_left_out(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    """Their score is set by the limit, and not by the model."""
    made = taught(good, backbone, tmp_path / "bundle").manifest
    first, *others = made.proof.references
    lost = Reference(image=first.image, values=(LOST, *first.values[1:]))
    proof = structs.replace(made.proof, references=(lost, *others))
    manifest = structs.replace(made, proof=proof)
    limits = Limits(review=0.5, fail=0.6)
    changed = relimit(tmp_path / "bundle", manifest, limits, (0.1,), (), tmp_path / "other")
    assert changed.proof.references == tuple(others)
    alone = structs.replace(made, proof=structs.replace(made.proof, references=(lost,)))
    with pytest.raises(OperatorError, match="the part is found on no reference"):
        relimit(tmp_path / "bundle", alone, limits, (0.1,), (), tmp_path / "third")
    assert not (tmp_path / "third").exists()


def test_limits_out_of_order_are_refused(good: Path, backbone: Path, tmp_path: Path) -> None:
    made = taught(good, backbone, tmp_path / "bundle").manifest
    with pytest.raises(OperatorError, match=r"review from 0.9 lies above fail from 0.8"):
        relimit(tmp_path / "bundle", made, Limits(review=0.9, fail=0.8), (), (), tmp_path / "x")


def test_only_the_region_of_the_recipe_is_taught(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    """Whatever lies beyond it makes no difference."""
    height, width = part(0).shape[:2]
    region = Region(x=16, y=16, width=width - 32, height=height - 32)
    scribbled = tmp_path / "scribbled"
    scribbled.mkdir()
    for path in sorted(good.iterdir()):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        image[:16] = 0
        image[:, :16] = 255
        cv2.imwrite(str(scribbled / path.name), image)
    first = taught(good, backbone, tmp_path / "a", region=region).manifest
    second = taught(scribbled, backbone, tmp_path / "b", region=region).manifest
    assert first.limits == second.limits
    assert first.files == second.files
    beyond = Region(x=0, y=0, width=width + 1, height=height)
    with pytest.raises(OperatorError, match="the recipe's region reaches beyond it"):
        taught(good, backbone, tmp_path / "c", region=beyond)
    assert not (tmp_path / "c" / bundle_folder.MANIFEST).exists()
