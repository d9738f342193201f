"""Promise: each exporter's keys are read where it writes them; a missing one is named."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openvino as ov
import pytest
from support import foreign
from support.foreign import TRAINED, onnx_yolo, saved

from inspector.adopt import facts
from inspector.adopt.source import read
from inspector.adopt.terms import Asked, Facts, Thresholds
from inspector.core.errors import MaintainerError

IMAGENET = {"mean_values": "123.675 116.28 103.53", "scale_values": "58.395 57.12 57.375"}
GETI = IMAGENET | {"reverse_input_channels": "False", "optimization_config": "{}"}


def known(
    folder: Path, model: ov.Model, info: Mapping[str, Any] | None = None, **asked: Any
) -> Facts:
    return facts.read(read(saved(folder, model, info)), Asked(**asked))


def refused(folder: Path, model: ov.Model, info: Mapping[str, Any], words: str) -> None:
    with pytest.raises(MaintainerError, match=words):
        known(folder, model, info)


def test_ultralytics_onnx(tmp_path: Path) -> None:
    found = facts.read(read(onnx_yolo(tmp_path)), Asked())
    assert (found.kind, found.classes) == ("yolo-detect", ("red", "blue"))
    assert (found.pixels.colours, found.pixels.scale, found.pixels.pad) == ("rgb", (255.0,), 114)
    assert found.pixels.fit == "letterbox"


def test_ultralytics_ir(tmp_path: Path) -> None:
    """The IR states no task: the shapes tell it."""
    info = {"model_type": "YOLO", "labels": "deep_red blue"}
    assert known(tmp_path, foreign.yolo(), info).kind == "yolo-detect"
    assert known(tmp_path, foreign.yolo(masks=4), info).kind == "yolo-segment"
    found = known(tmp_path, foreign.classifier(), info)
    assert (found.kind, found.classes) == ("yolo-classify", ("deep_red", "blue"))


@pytest.mark.parametrize("task", ["pose", "obb"])
def test_an_ultralytics_task_that_cannot_be_taken_is_refused(tmp_path: Path, task: str) -> None:
    source = read(onnx_yolo(tmp_path, notes=TRAINED | {"task": task}))
    with pytest.raises(MaintainerError, match=f"task '{task}' cannot be taken"):
        facts.read(source, Asked())


def test_names_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    source = read(onnx_yolo(tmp_path, notes=TRAINED | {"names": "{0: "}))
    with pytest.raises(MaintainerError, match="names cannot be read; give --classes"):
        facts.read(source, Asked())


@pytest.mark.parametrize(
    ("names", "words"),
    [(("a", "a"), "two classes bear the name 'a'"), (("a", "b" * 65), "has 65 letters")],
)
def test_class_names_that_no_recipe_can_use_are_refused(
    tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    with pytest.raises(MaintainerError, match=words):
        facts.read(read(onnx_yolo(tmp_path)), Asked(classes=names))


def test_a_model_without_metadata_is_refused_with_its_outputs(tmp_path: Path) -> None:
    refused(tmp_path, foreign.classifier(), {}, r"lacks task.*logits \[1,3\].*give --kind")


def test_a_model_type_that_cannot_be_taken_is_refused(tmp_path: Path) -> None:
    info = {"model_type": "keypoint_detection"}
    refused(tmp_path, foreign.classifier(), info, "'keypoint_detection' cannot be taken")


def test_geti_labels_have_their_real_names(tmp_path: Path) -> None:
    labels = {"label_names": ["otx_empty_lbl", "deep scratch", "dent"]}
    info = GETI | {
        "model_type": "MaskRCNN",
        "labels": "otx_empty_lbl deep_scratch dent",
        "label_info": json.dumps(labels),
        "confidence_threshold": "0.35",
    }
    found = known(tmp_path, foreign.geti_detector(), info)
    assert (found.kind, found.classes) == ("geti-detect", ("deep scratch", "dent"))
    assert found.confidence == 0.35
    assert found.pixels.mean == (123.675, 116.28, 103.53)


@pytest.mark.parametrize(
    ("more", "colours"),
    [
        ({"optimization_config": "{}", "reverse_input_channels": "False"}, "rgb"),
        ({"optimization_config": "{}", "reverse_input_channels": "True"}, "bgr"),
        ({"reverse_input_channels": "True"}, "rgb"),
        ({"reverse_input_channels": "YES"}, "rgb"),
        ({}, "bgr"),
    ],
)
def test_geti_feeds_rgb_and_model_api_bgr(
    tmp_path: Path, more: dict[str, str], colours: str
) -> None:
    info = IMAGENET | {"model_type": "Classification", "labels": "a b c"} | more
    assert known(tmp_path, foreign.classifier(), info).pixels.colours == colours
    assert known(tmp_path, foreign.classifier(), info, colours="rgb").pixels.colours == "rgb"


def test_missing_normalisation_is_named(tmp_path: Path) -> None:
    info = {"model_type": "Classification", "labels": "a b c"}
    refused(tmp_path, foreign.classifier(), info, "lacks model_info/scale_values; give --scale")
    found = known(tmp_path, foreign.classifier(), info, mean=(1.0,), scale=(2.0,))
    assert (found.pixels.mean, found.pixels.scale) == ((1.0,), (2.0,))


def test_normalisation_for_other_channels_is_refused(tmp_path: Path) -> None:
    info = {"model_type": "Classification", "labels": "a", "scale_values": "1 2"}
    refused(tmp_path, foreign.classifier(), info, "scale_values has 2 numbers for 3 channels")


@pytest.mark.parametrize(
    ("values", "words"),
    [("1 0 1", "not above 0"), ("1 -1 1", "not above 0"), ("1 inf 1", "not finite")],
)
def test_normalisation_that_makes_no_picture_is_refused(
    tmp_path: Path, values: str, words: str
) -> None:
    info = {"model_type": "Classification", "labels": "a", "scale_values": values}
    refused(tmp_path, foreign.classifier(), info, words)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"mean": (1.0, 2.0)}, "mean_values has 2 numbers for 3 channels"),
        ({"mean": (float("nan"),)}, "mean_values holds a value that is not finite"),
        ({"scale": (0.0,)}, "not above 0"),
        ({"scale": (float("inf"),)}, "scale_values holds a value that is not finite"),
    ],
)
def test_what_a_person_says_of_the_pixels_is_checked_for_every_kind(
    tmp_path: Path, asked: dict[str, tuple[float, ...]], words: str
) -> None:
    with pytest.raises(MaintainerError, match=words):
        facts.read(read(onnx_yolo(tmp_path)), Asked(**asked))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"image_threshold": "inf"}, "image_threshold = 'inf' is no number"),
        ({"normalization_scale": "0"}, "normalization_scale = 0 is not above 0"),
    ],
)
def test_a_threshold_that_no_part_can_reach_is_refused(
    tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    info = {"model_type": "AnomalyDetection", "scale_values": "1"}
    info |= {"image_threshold": "12", "normalization_scale": "20"}
    refused(tmp_path, foreign.anomalib_raw(), info | changed, words)


def test_normalisation_that_is_no_number_is_refused(tmp_path: Path) -> None:
    info = {"model_type": "Classification", "labels": "a", "scale_values": "x"}
    refused(tmp_path, foreign.classifier(), info, "scale_values = 'x' is no number")


@pytest.mark.parametrize(
    ("key", "value"),
    [("resize_type", "crop"), ("intensity_mode", "window"), ("hierarchical", "True")],
)
def test_model_api_settings_that_cannot_be_taken_are_refused(
    tmp_path: Path, key: str, value: str
) -> None:
    info = GETI | {"model_type": "Classification", "labels": "a b c", key: value}
    refused(tmp_path, foreign.classifier(), info, f"model_info/{key}")


def test_a_letterbox_keeps_its_grey(tmp_path: Path) -> None:
    info = GETI | {"model_type": "ssd", "labels": "a", "resize_type": "fit_to_window_letterbox"}
    pixels = known(tmp_path, foreign.geti_detector(), info).pixels
    assert (pixels.fit, pixels.pad) == ("letterbox", 0)
    info |= {"pad_value": "114"}
    assert known(tmp_path, foreign.geti_detector(), info).pixels.pad == 114


def test_embedded_preprocessing_is_left_alone(tmp_path: Path) -> None:
    info = GETI | {"model_type": "Classification", "labels": "a", "embedded_processing": "True"}
    pixels = known(tmp_path, foreign.classifier(), info).pixels
    assert (pixels.mean, pixels.scale, pixels.colours) == ((0.0,), (1.0,), "bgr")


def test_anomalib_2_is_known_by_its_outputs(tmp_path: Path) -> None:
    found = known(tmp_path, foreign.anomalib_finished())
    assert (found.kind, found.thresholds) == ("anomalib", None)
    assert (found.pixels.colours, found.pixels.scale) == ("rgb", (255.0,))


def test_anomalib_1_brings_its_thresholds_beside_it(tmp_path: Path) -> None:
    export = {
        "image_threshold": 12.0,
        "pixel_threshold": 10.0,
        "pred_scores.min": 2.0,
        "pred_scores.max": 22.0,
        "anomaly_maps.min": 0.0,
        "anomaly_maps.max": 25.0,
    }
    (tmp_path / "metadata.json").write_text(json.dumps(export))
    found = known(tmp_path, foreign.anomalib_raw())
    assert found.thresholds == Thresholds(12.0, 20.0, 10.0, 25.0)


def test_anomalib_1_0_wrote_one_range(tmp_path: Path) -> None:
    export = {"image_threshold": 12.0, "min": 2.0, "max": 22.0}
    (tmp_path / "metadata.json").write_text(json.dumps(export))
    assert known(tmp_path, foreign.anomalib_raw()).thresholds == Thresholds(12.0, 20.0, 12.0, 20.0)


def test_geti_anomaly_brings_its_thresholds_inside(tmp_path: Path) -> None:
    info = IMAGENET | {
        "model_type": "AnomalyDetection",
        "image_threshold": 12.0,
        "pixel_threshold": 10.0,
        "normalization_scale": 20.0,
    }
    found = known(tmp_path, foreign.anomalib_raw(), info)
    assert found.thresholds == Thresholds(12.0, 20.0, 10.0, 20.0)
    assert found.pixels.mean[0] == 123.675


def test_a_raw_map_without_thresholds_is_refused(tmp_path: Path) -> None:
    info = {"model_type": "AnomalyDetection"}
    refused(tmp_path, foreign.anomalib_raw(), info, "lacks image_threshold")


def test_a_raw_map_without_its_range_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps({"image_threshold": 12.0}))
    refused(tmp_path, foreign.anomalib_raw(), {}, r"lacks pred_scores\.min")
    export = {"image_threshold": 12.0, "min": 2.0, "max": 2.0}
    (tmp_path / "metadata.json").write_text(json.dumps(export))
    refused(tmp_path, foreign.anomalib_raw(), {}, "max does not lie above min")
