"""The engine: what OpenVINO gives for a frame, and what it refuses to load."""

import os
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from openvino import opset13 as ops
from support.stations import picture, small
from support.tiny_model import SIDE, write_bundle

from inspector.core.bundle import Input
from inspector.core.config import Detect
from inspector.core.errors import MaintainerError
from inspector.devices.bundles import Bundle, open_bundle
from inspector.devices.engine import Engine, OpenVinoModel, shrink
from inspector.devices.engine.cache import KEPT

MONO = Input(width=SIDE, height=SIDE, pixel="mono8")


def load(root: Path, **settings: object) -> OpenVinoModel:
    bundle = open_bundle(root / "tiny")
    engine = Engine(Detect(threads=1, **settings), root / "cache")  # type: ignore[arg-type]
    return engine.load(bundle.folder, bundle.manifest)


@pytest.fixture
def bundle(root: Path) -> Bundle:
    return open_bundle(write_bundle(root / "tiny", small(picture(3))))


def test_good_scores_low_and_bad_scores_high(root: Path, bundle: Bundle) -> None:
    model = load(root)
    good, bad = model.infer(picture(4)), model.infer(picture(5, bad=True))
    assert good.score < 0.3 < 1.0 < bad.score
    assert bad.heatmap.shape == (8, 8)
    assert bad.heatmap.max() == pytest.approx(bad.score)


def test_same_frame_same_score(root: Path, bundle: Bundle) -> None:
    model = load(root)
    scores = {model.infer(picture(4)).score for _ in range(5)}
    assert len(scores) == 1


def test_colour_camera_serves_a_grey_model(root: Path, bundle: Bundle) -> None:
    model = load(root)
    grey = picture(4)
    colour = np.repeat(grey, 3, axis=2)
    assert model.infer(colour).score == pytest.approx(model.infer(grey).score, abs=0.05)


def test_compiled_model_is_cached(root: Path, bundle: Bundle) -> None:
    load(root)
    assert list((root / "cache").rglob("*.blob"))


def test_compiled_models_do_not_pile_up(root: Path, bundle: Bundle) -> None:
    (root / "cache" / "proofs").mkdir(parents=True)
    for number in range(12):
        (root / "cache" / f"tiny-{number:012x}").mkdir()
        os.utime(root / "cache" / f"tiny-{number:012x}", (number, number))
    load(root)
    load(root)
    kept = sorted(path.name for path in (root / "cache").iterdir())
    assert len(kept) == KEPT + 1
    assert f"tiny-{bundle.manifest.version}" in kept
    assert "proofs" in kept
    assert "tiny-00000000000b" in kept


def test_unknown_device_is_one_line(root: Path, bundle: Bundle) -> None:
    with pytest.raises(MaintainerError, match=r"detect\.device = 'NPU'.*finds CPU"):
        load(root, device="NPU")


def test_unreadable_ir_is_one_line(root: Path, bundle: Bundle) -> None:
    (bundle.folder / "model.xml").write_text("<net")
    with pytest.raises(MaintainerError, match=r"model\.xml: OpenVINO cannot read"):
        Engine(Detect(), root / "cache").load(bundle.folder, bundle.manifest)


def test_model_of_another_shape_is_one_line(root: Path, bundle: Bundle) -> None:
    size = Input(width=SIDE, height=SIDE, pixel="bgr8")
    wrong = structs.replace(bundle.manifest, input=size)
    with pytest.raises(MaintainerError, match="its bundle promises input"):
        Engine(Detect(), root / "cache").load(bundle.folder, wrong)


@pytest.mark.parametrize(
    ("kind", "shape", "more"),
    [
        (np.uint8, [1, -1, -1, 1], 0),  # a size that stays open
        (np.float32, [1, SIDE, SIDE, 1], 0),
        (np.uint8, [1, SIDE, SIDE, 1], 1),  # a second input, which nobody would fill
    ],
)
def test_model_that_takes_something_else_is_one_line(
    root: Path, bundle: Bundle, kind: type, shape: list[int], more: int
) -> None:
    inputs = [ops.parameter(shape, kind, name=f"frame{number}") for number in range(1 + more)]
    ends = [ops.reduce_max(one, [0, 1, 2, 3], False) for one in inputs]
    outputs = []
    for name in ("score", "heatmap"):
        out = ops.convert(ops.maximum(ends[0], ends[more]), "f32")
        out.output(0).set_names({name})
        outputs.append(out)
    model = ov.Model([ops.result(one) for one in outputs], inputs, "other")
    ov.save_model(model, bundle.folder / "model.xml")
    with pytest.raises(MaintainerError, match=r"model\.xml: wants .*promises input u8 \[1,"):
        Engine(Detect(), root / "cache").load(bundle.folder, bundle.manifest)


def test_wrong_checksum_is_one_line(bundle: Bundle) -> None:
    weights = bundle.folder / "model.bin"
    weights.write_bytes(weights.read_bytes() + b"x")
    with pytest.raises(MaintainerError, match=r"model\.bin: has SHA-256"):
        open_bundle(bundle.folder)


def test_missing_model_is_one_line(root: Path) -> None:
    with pytest.raises(MaintainerError, match="holds no bundle"):
        open_bundle(root / "absent")


def test_missing_weights_are_one_line(bundle: Bundle) -> None:
    (bundle.folder / "model.bin").unlink()
    with pytest.raises(MaintainerError, match=r"model\.bin: cannot be read"):
        open_bundle(bundle.folder)


@settings(max_examples=40, deadline=None)
@given(st.integers(16, 700), st.integers(16, 700), st.sampled_from([1, 3]), st.integers(0, 255))
def test_shrinking_keeps_a_flat_frame_flat(
    width: int, height: int, channels: int, value: int
) -> None:
    frame = np.full((height, width, channels), value, np.uint8)
    image = shrink(frame, MONO)
    assert image.shape == (SIDE, SIDE, 1)
    assert abs(int(image.min()) - value) <= 1
    assert abs(int(image.max()) - value) <= 1


def test_shrinking_averages_instead_of_skipping() -> None:
    """A one-pixel line in a large frame leaves its mark on the reduced image."""
    frame = np.zeros((2048, 2448, 1), np.uint8)
    frame[1000] = 255
    assert shrink(frame, MONO).max() > 0
