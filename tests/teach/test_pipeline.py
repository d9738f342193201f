"""Promise: good images in, a bundle out that finds a defect it was never shown."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from support.washer import part, scratched, shrink

from inspector.core.bundle import BundleManifest
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.toml import read_toml
from inspector.teach import images, pipeline

SMALL = pipeline.Settings(memory=200, weights=(0.0, 2.0), defects=12)


def scores(bundle: Path, frames: list[images.Image], pixel: str = "mono8") -> list[float]:
    model = ov.compile_model(bundle / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    stacked = images.as_pixel([shrink(frame) for frame in frames], pixel)
    return [float(np.asarray(model(frame[None])["score"]).item()) for frame in stacked]


def test_a_defect_that_was_never_shown_scores_above_the_fail_limit(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    made = pipeline.teach(good, backbone, "washer", tmp_path / "bundle", shrink, SMALL)
    fine = scores(tmp_path / "bundle", [part(seed) for seed in range(20, 26)])
    bad = scores(tmp_path / "bundle", [scratched(seed) for seed in range(20, 26)])
    assert np.median(fine) < made.limits.fail < min(bad)
    assert max(fine) < min(bad)


def test_the_manifest_says_what_was_done(good: Path, backbone: Path, tmp_path: Path) -> None:
    made = pipeline.teach(good, backbone, "washer", tmp_path / "bundle", shrink, SMALL)
    assert read_toml(tmp_path / "bundle" / "bundle.toml", BundleManifest) == made
    assert made.provenance.made_from == "washer"
    assert made.calibration
    assert made.calibration.good_images == 12
    assert made.calibration.memory == 200
    assert made.calibration.position_weight in SMALL.weights
    assert made.input.pixel == "mono8"
    assert str(tmp_path) not in (tmp_path / "bundle" / "bundle.toml").read_text()


def test_the_same_images_give_the_same_bundle(good: Path, backbone: Path, tmp_path: Path) -> None:
    first = pipeline.teach(good, backbone, "washer", tmp_path / "a", shrink, SMALL)
    again = pipeline.teach(good, backbone, "washer", tmp_path / "b", shrink, SMALL)
    assert first == again


def test_grey_parts_can_be_taught_for_a_colour_camera(
    good: Path, backbone: Path, tmp_path: Path
) -> None:
    settings = pipeline.Settings(pixel="bgr8", memory=100, weights=(1.0,), defects=12)
    made = pipeline.teach(
        sorted(good.iterdir()), backbone, "washer", tmp_path / "c", shrink, settings
    )
    assert made.input.pixel == "bgr8"
    assert made.provenance.made_from == "list"
    assert scores(tmp_path / "c", [part(30)], "bgr8")[0] < made.limits.fail


def test_progress_reaches_the_end_of_every_step(good: Path, backbone: Path, tmp_path: Path) -> None:
    told: dict[str, float] = {}
    pipeline.teach(good, backbone, "washer", tmp_path / "b", shrink, SMALL, told.__setitem__)
    assert set(told.values()) == {1.0}
    assert list(told)[-1] == "bundle"


def test_a_missing_backbone_is_named(good: Path, tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match=r"gone\.xml: missing"):
        pipeline.teach(good, tmp_path / "gone.xml", "washer", tmp_path / "b", shrink)


def test_a_refusal_leaves_no_bundle(good: Path, backbone: Path, tmp_path: Path) -> None:
    (good / "03.png").write_bytes(b"")
    with pytest.raises(OperatorError, match=r"03\.png"):
        pipeline.teach(good, backbone, "washer", tmp_path / "b", shrink, SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["washer"]
