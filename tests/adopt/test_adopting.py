"""Promise: a foreign model becomes a bundle that says what the original says, or nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from msgspec import structs
from support import foreign
from support.adopting import LINE, SEEN, imported, said
from support.foreign import TRAINED, onnx_yolo, picture, saved

from inspector.adopt import network, pixels
from inspector.adopt.adopting import BLIND, DRAWN, Order, adopt
from inspector.adopt.terms import Asked, Pixel, Pixels, Source
from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.recipe import Findings, Recipe, RecipeLimits
from inspector.core.terms import Kind
from inspector.devices.bundles import open_bundle
from inspector.domain.parity import difference
from inspector.procedures.opinion import form

RECIPE = Recipe(
    schema=1, name="part", model="bundle", limits=RecipeLimits(review=0.3, fail=0.6), mm_per_px=0.1
)


def test_an_imported_detector_decides_by_class_size_and_count(tmp_path: Path) -> None:
    path = onnx_yolo(tmp_path)
    imported(path)
    frame = picture((16, 16, "red"), (64, 64, "red"), rows=128, columns=128)
    inference = said(path, frame)
    region = (0, 0, 128, 128)

    def kind(**rules: object) -> Kind:
        recipe = structs.replace(RECIPE, findings=Findings(**rules))
        return form(inference, recipe, recipe.limits, region).kind

    assert kind() is Kind.FAIL
    assert kind(classes=("blue",)) is Kind.PASS
    assert kind(min_size_mm=3.0) is Kind.FAIL  # a box of 16 of the model's pixels is 3.2 mm
    assert kind(min_size_mm=3.5) is Kind.PASS
    assert kind(count=2) is Kind.FAIL
    assert kind(count=50) is Kind.PASS


def test_boxes_lie_on_the_frame_whatever_its_proportions(tmp_path: Path) -> None:
    path = onnx_yolo(tmp_path)
    imported(path)
    frame = picture(rows=128, columns=256)
    frame[32:96, 192:256] = (20, 20, 250)
    inference = said(path, frame)
    region = (100, 50, 256, 128)
    surest = [box for box in form(inference, RECIPE, RECIPE.limits, region).boxes if box.peak > 0.7]
    assert surest
    assert min(box.x for box in surest) >= 100 + 192 - 32
    assert max(box.x + box.width for box in surest) <= 100 + 256
    assert min(box.y for box in surest) >= 50 + 0
    assert {box.label for box in surest} == {"red"}


def test_the_bundle_says_what_its_references_say(tmp_path: Path) -> None:
    adopted = imported(onnx_yolo(tmp_path))
    bundle = open_bundle(tmp_path / "bundle")
    assert bundle.manifest == adopted.manifest
    assert adopted.manifest.classes == ("red", "blue")
    assert adopted.manifest.input.fit == "letterbox"
    for reference, frame in zip(adopted.manifest.proof.references, SEEN, strict=True):
        found = said(tmp_path / "foreign.onnx", frame).values
        assert difference(reference.values, found) < 1e-3
    assert max(adopted.manifest.proof.references[0].values) > 0.6


def test_the_same_model_makes_the_same_bundle(tmp_path: Path) -> None:
    path = onnx_yolo(tmp_path)
    versions = set()
    for name in ("one", "two"):
        order = Order("foreign", tmp_path / name, Asked())
        versions.add(adopt(path, order, SEEN, LINE).manifest.version)
    assert len(versions) == 1


def _with_wrong(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """From here on the composed network, and it alone, looks at pixels differently."""
    right = pixels.graph

    def wrong(source: Source, given: Pixels, pixel: Pixel) -> tuple[ov.Node, ov.Node]:
        return right(source, replace(given, **changes), pixel)

    monkeypatch.setattr(pixels, "graph", wrong)


@pytest.mark.parametrize("changes", [{"colours": "bgr"}, {"scale": (128.0,)}, {"mean": (60.0,)}])
def test_wrong_preprocessing_in_our_network_is_refused_at_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    path = onnx_yolo(tmp_path)
    _with_wrong(monkeypatch, **changes)
    with pytest.raises(EngineerError, match="as a bundle it differs by"):
        imported(path)
    assert not (tmp_path / "bundle").exists()


def test_boxes_elsewhere_than_the_originals_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = network.answers

    def moved(*given: object) -> list[dict[str, np.ndarray]]:
        return [one | {"boxes": one["boxes"] + 0.1} for one in right(*given)]

    monkeypatch.setattr(network, "answers", moved)
    with pytest.raises(EngineerError, match="its boxes lie elsewhere"):
        imported(onnx_yolo(tmp_path))


def test_references_that_prove_nothing_are_said_so(tmp_path: Path) -> None:
    grey = [picture(), picture()]
    assert any("prove little" in remark for remark in imported(onnx_yolo(tmp_path), grey).remarks)


def test_good_references_leave_no_remark(tmp_path: Path) -> None:
    assert imported(onnx_yolo(tmp_path)).remarks == ()
    assert "prove little" in BLIND


def test_without_references_pictures_are_drawn(tmp_path: Path) -> None:
    adopted = imported(onnx_yolo(tmp_path), [])
    assert DRAWN in adopted.remarks
    assert adopted.manifest.proof.references


def test_a_model_that_says_nan_is_refused(tmp_path: Path) -> None:
    image, found = foreign.colourful()
    broken = foreign.ops.divide(
        foreign.constant(0.0), foreign.ops.relu(foreign.ops.negative(found))
    )
    scores = foreign.ops.reshape(broken, foreign.constant([1, 2, 64], np.int64), False)
    table = foreign.ops.concat([foreign.constant(foreign.grid()[None]), scores], 1)
    path = saved(tmp_path, foreign.network(image, {"output0": table}))
    with pytest.raises(MaintainerError, match="NaN or infinity"):
        imported(path, kind="yolo-detect", classes=("red", "blue"))


def test_limits_are_the_persons_or_the_exports(tmp_path: Path) -> None:
    limits = imported(onnx_yolo(tmp_path), limits=(0.2, 0.4)).manifest.limits
    assert (limits.review, limits.fail) == (0.2, 0.4)


def test_review_above_fail_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match=r"review 0\.6 and fail 0\.4"):
        imported(onnx_yolo(tmp_path), limits=(0.6, 0.4))


def test_a_confidence_limit_above_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match="fail 2 lies above 1"):
        imported(onnx_yolo(tmp_path), limits=(0.6, 2.0))


def test_colour_for_a_grey_model_is_refused(tmp_path: Path) -> None:
    image, found = foreign.colourful(channels=1)
    scores = foreign.ops.reshape(found, foreign.constant([1, 2, 64], np.int64), False)
    table = foreign.ops.concat([foreign.constant(foreign.grid()[None]), scores], 1)
    path = saved(tmp_path, foreign.network(image, {"output0": table}))
    asked = {"kind": "yolo-detect", "classes": ("red", "blue")}
    with pytest.raises(MaintainerError, match="use --pixel mono8"):
        imported(path, pixel="bgr8", **asked)
    assert imported(path, **asked).manifest.input.pixel == "mono8"


def test_a_grey_camera_serves_a_colour_model(tmp_path: Path) -> None:
    path = onnx_yolo(tmp_path)
    grey = [one[..., :1] for one in SEEN]
    assert imported(path, grey, pixel="mono8").manifest.input.pixel == "mono8"
    assert said(path, grey[0]).values == pytest.approx(said(path, SEEN[0][..., [0] * 3]).values)


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    with pytest.raises(MaintainerError, match="exists already"):
        imported(onnx_yolo(tmp_path, notes=TRAINED))
