"""Promise: one picture of fixed size goes in, or one line says what is missing."""

import json
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from support import foreign
from support.foreign import SIDE, TRAINED, onnx_yolo, saved

from inspector.adopt.source import read
from inspector.core.errors import MaintainerError

NO_SIZE = {key: value for key, value in TRAINED.items() if key != "imgsz"}


def one_input(shape: list[int]) -> ov.Model:
    image = ops.parameter(shape, np.float32, name="image")
    image.output(0).set_names({"image"})
    return foreign.network(image, {"out": ops.relu(image)})


def test_onnx_is_read_with_its_metadata(tmp_path: Path) -> None:
    source = read(onnx_yolo(tmp_path))
    assert (source.layout, source.height, source.width, source.channels) == ("NCHW", SIDE, SIDE, 3)
    assert source.notes["task"] == "detect"


def test_ir_is_read_with_its_metadata(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.classifier(), {"labels": "good red blue"})
    assert read(path).given("labels") == "good red blue"


def test_model_api_metadata_inside_onnx_is_found(tmp_path: Path) -> None:
    path = onnx_yolo(tmp_path, notes={"model_info model_type": "ssd"})
    assert read(path).given("model_type") == "ssd"


def test_the_weights_count_for_the_digest(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.classifier())
    before = read(path).sha256
    weights = path.with_suffix(".bin")
    content = bytearray(weights.read_bytes())
    content[0] ^= 1
    weights.write_bytes(content)
    assert read(path).sha256 != before


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"x")
    with pytest.raises(MaintainerError, match=r"neither \.xml nor \.onnx"):
        read(tmp_path / "model.pt")


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.classifier())
    path.with_suffix(".bin").unlink()
    with pytest.raises(MaintainerError, match=r"foreign\.bin: cannot be read"):
        read(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = onnx_yolo(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(MaintainerError, match="OpenVINO cannot convert it") as refused:
        read(path)
    assert "\n" not in str(refused.value)


def test_a_text_that_is_named_xml_is_refused_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.xml").write_text("<net/>")
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(MaintainerError, match=r"model\.xml: .*it is empty"):
        read(tmp_path / "model.xml")
    (tmp_path / "model.xml").write_text("hello")
    with pytest.raises(MaintainerError, match="cannot convert it") as refused:
        read(tmp_path / "model.xml")
    assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == ""


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.classifier())
    weights = path.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:3])
    with pytest.raises(MaintainerError, match="cannot convert it"):
        read(path)


def test_a_model_that_takes_words_is_refused(tmp_path: Path) -> None:
    words = ops.parameter([1, 3, SIDE, SIDE], ov.Type.string, name="words")
    words.output(0).set_names({"words"})
    path = tmp_path / "words.xml"
    ov.save_model(ov.Model([ops.result(words)], [words], "words"), path)
    with pytest.raises(MaintainerError, match="takes string; a picture is of numbers"):
        read(path)


def test_an_unsupported_operation_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match=r"cannot convert it.*Dream") as refused:
        read(onnx_yolo(tmp_path, operation="Dream"))
    assert "\n" not in str(refused.value)


def test_dynamic_shapes_without_a_size_are_refused(tmp_path: Path) -> None:
    path = onnx_yolo(tmp_path, (1, 3, "height", "width"), NO_SIZE)
    with pytest.raises(MaintainerError, match=r"pictures of any size.*give --size HxW"):
        read(path)


def test_dynamic_shapes_are_fixed_by_the_size_given(tmp_path: Path) -> None:
    source = read(onnx_yolo(tmp_path, ("batch", 3, "height", "width"), NO_SIZE), (64, 64))
    assert source.model.inputs[0].shape == [1, 3, 64, 64]


def test_dynamic_shapes_are_fixed_by_the_size_in_the_metadata(tmp_path: Path) -> None:
    source = read(onnx_yolo(tmp_path, ("batch", 3, "height", "width")))
    assert (source.height, source.width) == (64, 64)


def test_a_size_that_the_model_cannot_take_is_refused(tmp_path: Path) -> None:
    path = onnx_yolo(tmp_path, (1, 3, "height", "width"), NO_SIZE)
    with pytest.raises(MaintainerError, match="cannot take one picture of 128x128"):
        read(path, (128, 128))


def test_another_size_than_the_models_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match="takes 64x64 and nothing else"):
        read(onnx_yolo(tmp_path), (32, 32))


def test_a_wrong_number_of_channels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match="wrong number of channels"):
        read(saved(tmp_path, one_input([1, 4, 64, 64])))


def test_an_input_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match="a picture is"):
        read(saved(tmp_path, one_input([1, 16])))


def test_a_picture_too_small_for_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match="16 to 4096 pixels"):
        read(saved(tmp_path, one_input([1, 3, 8, 8])))


def test_several_inputs_are_refused(tmp_path: Path) -> None:
    inputs = [ops.parameter([1, 3, 64, 64], np.float32, name=name) for name in ("one", "two")]
    for node, name in zip(inputs, ("one", "two"), strict=True):
        node.output(0).set_names({name})
    model = ov.Model([ops.result(ops.add(*inputs))], inputs, "two")
    with pytest.raises(MaintainerError, match=r"takes 2 inputs \(one, two\)"):
        read(saved(tmp_path, model))


def test_a_broken_sidecar_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.anomalib_raw())
    (tmp_path / "metadata.json").write_text("{")
    with pytest.raises(MaintainerError, match=r"metadata\.json: is no readable JSON"):
        read(path)
    (tmp_path / "metadata.json").write_text(json.dumps({"image_threshold": 3.5}))
    assert read(path).notes["export/image_threshold"] == "3.5"


def test_names_beside_an_ultralytics_ir_are_found(tmp_path: Path) -> None:
    path = saved(tmp_path, foreign.yolo())
    (tmp_path / "metadata.yaml").write_text(
        "task: detect\nnames:\n  0: deep scratch\n  1: 'it''s dirt'\nargs:\n  nms: false\n"
    )
    assert read(path).notes["names"] == str({0: "deep scratch", 1: "it''s dirt"})
