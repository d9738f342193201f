"""Promise: each family's outputs become those of a bundle, by its own numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from support import foreign
from support.adopting import SEEN, imported, said
from support.foreign import TRAINED, onnx_yolo, picture, saved

from inspector.core.errors import MaintainerError

RED, BLUE, GREY = SEEN
UNIT = {"scale_values": "255", "reverse_input_channels": "False", "optimization_config": "{}"}
TWO = {"kind": "yolo-detect", "classes": ("red", "blue")}


def test_boxes_of_ultralytics_with_suppression(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.yolo_suppressed())
    assert imported(path, **TWO).manifest.task == "detection"
    surest = max(said(path, BLUE).findings or (), key=lambda one: one.confidence)
    assert surest.label == "blue"
    assert surest.confidence > 0.8
    assert 32 / 64 - 0.1 <= surest.left < surest.right <= 48 / 64 + 0.1


def test_boxes_of_an_ultralytics_segmentation(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.yolo(masks=4), {"model_type": "YOLO", "labels": "red blue"})
    adopted = imported(path)
    assert "boxes are used, masks are not" in adopted.remarks
    found = said(path, RED)
    assert found.peaks[0] > 0.8 > 0.2 > found.peaks[1]


@pytest.mark.parametrize("batched", [True, False])
def test_boxes_of_geti(tmp_path: Path, batched: bool) -> None:
    info = {"model_type": "ssd", "labels": "red blue", "confidence_threshold": "0.4"}
    info |= {"scale_values": "1", "optimization_config": "{}"}
    path = saved(tmp_path, foreign.geti_detector(batched), info)
    limits = imported(path).manifest.limits
    assert (limits.review, limits.fail) == (0.24, 0.4)
    found = said(path, RED)
    assert {one.label for one in found.findings or () if one.confidence > 0.5} == {"red"}
    assert said(path, GREY).findings == ()


def test_classes_of_geti(tmp_path: Path) -> None:
    info = UNIT | {"model_type": "Classification", "labels": "good red blue"}
    path = saved(tmp_path, foreign.classifier(), info)
    assert imported(path).manifest.classes == ("good", "red", "blue")
    found = said(path, BLUE)
    assert sum(found.values) == pytest.approx(1.0, abs=1e-4)
    assert np.argmax(found.values) == 2
    assert np.argmax(said(path, GREY).values) == 0


def test_probabilities_are_not_softened_again(tmp_path: Path) -> None:
    info = UNIT | {"model_type": "Classification", "labels": "good red blue"}
    values = []
    for logits in (True, False):
        folder = tmp_path / str(logits)
        folder.mkdir()
        path = saved(folder, foreign.classifier(logits), info)
        imported(path)
        values.append(said(path, RED).values)
    assert values[0] == pytest.approx(values[1], abs=1e-4)


def test_several_classes_may_hold_at_once(tmp_path: Path) -> None:
    info = UNIT | {"model_type": "Classification", "labels": "good red blue", "multilabel": "True"}
    path = saved(tmp_path, foreign.classifier(), info)
    imported(path)
    both = picture((8, 8, "red"), (40, 40, "blue"))
    assert min(said(path, both).values[1:]) > 0.9


@pytest.mark.parametrize("hard", [False, True])
def test_areas_of_geti(tmp_path: Path, hard: bool) -> None:
    """Geti names no background, though it is the first channel."""
    info = UNIT | {"model_type": "Segmentation", "labels": "red blue"}
    path = saved(tmp_path, foreign.segmenter(hard), info)
    assert imported(path).manifest.classes == ("red", "blue")
    found = said(path, picture((8, 8, "red"), (40, 40, "blue"))).findings or ()
    places = {one.label: (one.left, one.top, one.right, one.bottom) for one in found}
    assert places["red"] == (8 / 64, 8 / 64, 24 / 64, 24 / 64)
    assert places["blue"] == (40 / 64, 40 / 64, 56 / 64, 56 / 64)
    assert len(found) == 2
    assert said(path, GREY).findings == ()


def test_a_named_background_is_left_out(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.segmenter(), UNIT | {"model_type": "Segmentation"})
    classes = ("Background", "red", "blue")
    assert imported(path, classes=classes).manifest.classes == ("red", "blue")


@pytest.mark.parametrize("threshold", [0.5, 0.25])
def test_anomalib_2_fails_at_the_threshold_in_its_graph(tmp_path: Path, threshold: float) -> None:
    path = saved(tmp_path, foreign.anomalib_finished(threshold))
    manifest = imported(path).manifest
    assert (manifest.task, manifest.limits.fail, manifest.limits.review) == ("anomaly", 1.0, 0.9)
    found = said(path, RED)
    raw = (250 - 0.94 * 20) / 255
    assert found.score == pytest.approx(raw / threshold, abs=0.02)
    assert found.heatmap is not None
    assert found.heatmap[8, 8] == pytest.approx(raw / threshold, abs=0.02)
    assert found.heatmap[60, 60] < 0.2 / threshold


def test_anomalib_1_fails_at_its_threshold(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.anomalib_raw())
    raw = 20 * (250 - 0.94 * 20) / 255
    export = {"image_threshold": raw, "pixel_threshold": raw / 2, "min": 0.0, "max": 40.0}
    (tmp_path / "metadata.json").write_text(json.dumps(export))
    imported(path)
    found = said(path, RED)
    assert found.heatmap is not None
    assert found.score == pytest.approx(1.0, abs=0.01)
    assert found.heatmap.max() == pytest.approx(1 + raw / 40, abs=0.01)


def test_an_anomaly_model_without_a_map_has_its_score_everywhere(tmp_path: Path) -> None:
    image, found = foreign.colourful()
    score = foreign.ops.reduce_max(found, foreign.constant([0, 1, 2, 3], np.int64), False)
    path = saved(tmp_path, foreign.network(image, {"pred_score": score}))
    imported(path)
    heatmap = said(path, RED).heatmap
    assert heatmap is not None
    assert heatmap.shape == (4, 4)
    assert heatmap.min() == heatmap.max() == pytest.approx(said(path, RED).score)


def test_a_model_without_class_names_is_refused(tmp_path: Path) -> None:
    notes = {key: value for key, value in TRAINED.items() if key != "names"}
    with pytest.raises(MaintainerError, match="names none of its 2 classes; give --classes"):
        imported(onnx_yolo(tmp_path, notes=notes), kind="yolo-detect")


def test_a_wrong_number_of_class_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match="has 2 classes, but 3 names are given"):
        imported(onnx_yolo(tmp_path), classes=("a", "b", "c"))


def test_a_list_of_boxes_without_class_names_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.yolo_suppressed())
    with pytest.raises(MaintainerError, match="names none of its classes"):
        imported(path, kind="yolo-detect")


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("yolo-detect", "no known detector"),
        ("geti-detect", "no known detector"),
        ("geti-segment", "no known segmentation"),
        ("geti-classify", "no known classifier"),
    ],
)
def test_unknown_outputs_are_refused_with_their_shapes(
    tmp_path: Path, kind: str, known: str
) -> None:
    image, found = foreign.colourful()
    outputs = {
        "one": foreign.ops.reshape(found, foreign.constant([1, 2, 4, 2, 8], np.int64), False)
    }
    path = saved(tmp_path, foreign.network(image, outputs), UNIT | {"labels": "red blue"})
    with pytest.raises(MaintainerError, match=rf"one \[1,2,4,2,8\].*{known}"):
        imported(path, kind=kind)


def test_a_map_with_fractions_is_refused(tmp_path: Path) -> None:
    """A sigmoid of one class: taken for class numbers it would find nothing, ever."""
    image, found = foreign.colourful()
    one = foreign.ops.reduce_mean(found, foreign.constant([1], np.int64), True)
    info = UNIT | {"model_type": "Segmentation", "labels": "red"}
    path = saved(tmp_path, foreign.network(image, {"mask": one}), info)
    with pytest.raises(MaintainerError, match="one channel with fractions"):
        imported(path)


def test_a_map_with_more_classes_than_names_is_refused(tmp_path: Path) -> None:
    info = UNIT | {"model_type": "Segmentation", "labels": "red"}
    with pytest.raises(MaintainerError, match="says class 2, and there are names up to 1"):
        imported(saved(tmp_path, foreign.segmenter(hard=True), info))


def test_a_classifier_of_one_class_is_refused(tmp_path: Path) -> None:
    image, found = foreign.colourful()
    one = foreign.ops.reduce_max(found, foreign.constant([1, 2, 3], np.int64), False)
    one = foreign.ops.reshape(one, foreign.constant([1, 1], np.int64), False)
    info = UNIT | {"model_type": "Classification", "labels": "bad"}
    path = saved(tmp_path, foreign.network(image, {"logits": one}), info)
    with pytest.raises(MaintainerError, match="has 1 class"):
        imported(path)


def test_confidences_that_are_logits_are_refused(tmp_path: Path) -> None:
    image, found = foreign.colourful()
    scores = foreign.ops.multiply(found, foreign.constant(9.0))
    scores = foreign.ops.reshape(scores, foreign.constant([1, 2, 64], np.int64), False)
    table = foreign.ops.concat([foreign.constant(foreign.grid()[None]), scores], 1)
    path = saved(tmp_path, foreign.network(image, {"output0": table}))
    with pytest.raises(MaintainerError, match="confidences of 0 to 1 are expected"):
        imported(path, **TWO)


def test_a_list_of_boxes_with_more_classes_than_names_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.yolo_suppressed())
    with pytest.raises(MaintainerError, match="says class 1, and there are names up to 0"):
        imported(path, kind="yolo-detect", classes=("red",))
