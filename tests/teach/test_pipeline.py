"""Promise: good images in, a bundle out that finds a defect it was never shown."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from support.disks import fill, small_disk
from support.washer import EYES, part, scratched, turned

from inspector.core.bundle import LOST, BundleManifest
from inspector.core.config import Detect
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.toml import read_toml
from inspector.devices.engine import Engine, OpenVinoModel
from inspector.domain import parity
from inspector.teach import images, pipeline
from inspector.teach.settings import Settings

SMALL = Settings(memory=200, weights=(0.0, 2.0), defects=12, folds=4)


def loaded(bundle: Path, manifest: BundleManifest) -> OpenVinoModel:
    settings = Detect(threads=2, precision="f32")
    return Engine(settings, bundle.parent / "cache").load(bundle, manifest)


def taught(source: Path, backbone: Path, out: Path, **more: object) -> pipeline.Taught:
    given = {"settings": SMALL, **more}
    return pipeline.teach(source, backbone, "washer", out, EYES, **given)  # type: ignore[arg-type]


@pytest.fixture
def levers(tmp_path: Path) -> Path:
    """A folder with 16 good parts that lie anyhow."""
    folder, rng = tmp_path / "levers", np.random.default_rng(5)
    folder.mkdir()
    for seed in range(16):
        frame = turned(float(rng.uniform(-180, 180)), seed, *rng.uniform(-15, 15, 2))
        cv2.imwrite(str(folder / f"{seed:02}.png"), frame)
    return folder


def test_a_defect_that_was_never_shown_scores_above_the_fail_limit(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    made = taught(good, backbone, tmp_path / "bundle").manifest
    model = loaded(tmp_path / "bundle", made)
    fine = [model.infer(part(seed)).score for seed in range(20, 26)]
    bad = [model.infer(scratched(seed)).score for seed in range(20, 26)]
    assert np.median(fine) < made.limits.fail < min(bad)
    assert max(fine) < min(bad)


def test_a_defect_is_found_on_parts_that_lie_anyhow(
    levers: Path, backbone: Path, tmp_path: Path
) -> None:
    made = taught(levers, backbone, tmp_path / "bundle")
    assert made.manifest.registration
    assert made.manifest.registration.turn_deg == 180
    assert any("turned upright" in note for note in made.notes)
    model = loaded(tmp_path / "bundle", made.manifest)
    angles = (10.0, 77.0, -120.0, 165.0)
    fine = [model.infer(turned(angle, 50)).score for angle in angles]
    bad = [model.infer(turned(angle, 50, scratch=True)) for angle in angles]
    assert max(fine) < min(one.score for one in bad)
    for angle, one in zip(angles, bad, strict=True):  # the scratch is at (160, 160), the middle
        assert one.heatmap is not None
        row, column = np.unravel_index(one.heatmap.argmax(), one.heatmap.shape)
        away = np.hypot(
            row + 0.5 - one.heatmap.shape[0] / 2, column + 0.5 - one.heatmap.shape[1] / 2
        )
        assert away < 0.12 * max(one.heatmap.shape), angle


def test_a_frame_without_its_part_cannot_pass(levers: Path, backbone: Path, tmp_path: Path) -> None:
    made = taught(levers, backbone, tmp_path / "bundle").manifest
    model = loaded(tmp_path / "bundle", made)
    empty = np.random.default_rng(0).normal(60, 2, (320, 320)).clip(0, 255).astype(np.uint8)
    assert model.infer(empty).score >= LOST * made.limits.fail


def test_the_engine_says_what_the_references_say(
    levers: Path, backbone: Path, tmp_path: Path
) -> None:
    made = taught(levers, backbone, tmp_path / "bundle").manifest
    model = loaded(tmp_path / "bundle", made)
    for reference in made.proof.references:
        said = model.infer(images.read(tmp_path / "bundle" / reference.image))
        assert said.heatmap is not None
        values = parity.of_heatmap(said.score, said.heatmap)
        assert parity.difference(reference.values, values) < made.proof.tolerance


def test_golden_parts_pass(good: Path, backbone: Path, tmp_path: Path) -> None:
    made = taught(good, backbone, tmp_path / "bundle").manifest
    assert len(made.golden.good) == 2
    assert made.golden.defective == ()
    model = loaded(tmp_path / "bundle", made)
    for name in made.golden.good:
        assert model.infer(images.read(tmp_path / "bundle" / name)).score < made.limits.review


def test_labelled_defects_are_counted_and_their_golden_parts_fail(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    for seed in range(6):
        folder = tmp_path / "bad" / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{seed}.png"), scratched(40 + seed))
    made = taught(good, backbone, tmp_path / "bundle", defects=(tmp_path / "bad",)).manifest
    assert made.calibration
    assert made.calibration.defect_images == 6
    assert {metric.name for metric in made.metrics} == {"overkill", "synthetic_auroc", "escapes"}
    model = loaded(tmp_path / "bundle", made)
    assert made.golden.defective
    for name in made.golden.defective:
        assert model.infer(images.read(tmp_path / "bundle" / name)).score >= made.limits.fail


def test_an_empty_folder_of_defects_is_refused(good: Path, backbone: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    with pytest.raises(OperatorError, match="bad: holds no images"):
        taught(good, backbone, tmp_path / "bundle", defects=(tmp_path / "bad",))


def test_the_manifest_says_what_was_done(good: Path, backbone: Path, tmp_path: Path) -> None:
    made = taught(good, backbone, tmp_path / "bundle").manifest
    assert read_toml(tmp_path / "bundle" / "bundle.toml", BundleManifest) == made
    assert made.provenance.made_from == "washer"
    assert made.calibration
    assert made.calibration.good_images == 12
    assert made.calibration.memory == 200
    assert made.calibration.position_weight in SMALL.weights
    assert made.input.pixel == "mono8"
    assert [metric.name for metric in made.metrics] == ["overkill", "synthetic_auroc"]
    assert str(tmp_path) not in (tmp_path / "bundle" / "bundle.toml").read_text()


def test_the_same_images_give_the_same_bundle(good: Path, backbone: Path, tmp_path: Path) -> None:
    first = taught(good, backbone, tmp_path / "a").manifest
    assert first == taught(good, backbone, tmp_path / "b").manifest


def test_grey_parts_can_be_taught_for_a_colour_camera(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    settings = Settings(pixel="bgr8", memory=100, weights=(1.0,), defects=12, folds=4)
    paths = sorted(good.iterdir())
    made = pipeline.teach(paths, backbone, "washer", tmp_path / "c", EYES, settings).manifest
    assert made.input.pixel == "bgr8"
    assert made.provenance.made_from == "list"
    colour = cv2.cvtColor(part(30), cv2.COLOR_GRAY2BGR)
    assert loaded(tmp_path / "c", made).infer(colour).score < LOST * made.limits.fail


def test_progress_reaches_the_end_of_every_step(good: Path, backbone: Path, tmp_path: Path) -> None:
    told: dict[str, float] = {}
    taught(good, backbone, tmp_path / "b", progress=told.__setitem__)
    assert set(told.values()) == {1.0}
    assert list(told)[-1] == "bundle"


def test_a_missing_backbone_is_named(good: Path, tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match=r"gone\.xml: missing"):
        taught(good, tmp_path / "gone.xml", tmp_path / "b")


def test_a_refusal_leaves_no_bundle(good: Path, backbone: Path, tmp_path: Path) -> None:
    (good / "03.png").write_bytes(b"")
    with pytest.raises(OperatorError, match=r"03\.png"):
        taught(good, backbone, tmp_path / "b")
    assert [p.name for p in tmp_path.iterdir()] == ["washer"]


def test_one_odd_image_among_the_good_is_set_aside_and_named(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(good / "99.png"), scratched(5))
    made = taught(good, backbone, tmp_path / "b")
    assert ("99.png", "is unlike the others") in [(o.path.name, o.reason) for o in made.aside]
    assert made.manifest.calibration
    assert made.manifest.calibration.set_aside == len(made.aside)


def test_a_folder_of_defects_given_as_good_is_refused(backbone: Path, tmp_path: Path) -> None:
    folder, rng = tmp_path / "bad", np.random.default_rng(3)
    folder.mkdir()
    for seed in range(12):
        image = part(seed)
        for _ in range(3):
            first, second = rng.integers(40, 220, (2, 2)).tolist()
            cv2.line(image, first, second, int(rng.integers(0, 255)), int(rng.integers(3, 14)))
        cv2.imwrite(str(folder / f"{seed:02}.png"), image)
    with pytest.raises(OperatorError, match=r"cannot be told from|are unfit|look like defects"):
        taught(folder, backbone, tmp_path / "b")


def test_disk_full_while_teaching_leaves_nothing_that_could_be_loaded(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, "2m"):
        fill(disk, leave=200_000)
        with pytest.raises(MaintainerError, match="cannot be written"):
            taught(good, backbone, disk / "bundle")
        assert [path.name for path in disk.iterdir()] == ["filler"]
