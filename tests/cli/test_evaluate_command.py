"""inspector evaluate: the figures, the report, and every wrong input by its name."""

import json
import shutil
import tempfile
from pathlib import Path

import cv2
import msgspec
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from support.commands import inspector, refusals
from support.forged import with_files
from support.stations import picture, small
from support.tiny_model import write_bundle
from support.two_looks import write_two_looks

from inspector.cli import samples
from inspector.core.bundle import Limits
from inspector.core.errors import MaintainerError

PARTS = 8


def middle() -> np.ndarray:
    return np.mean([picture(seed) for seed in range(20, 30)], axis=0).astype(np.uint8)


def spoilt(seed: int, strength: int) -> tuple[np.ndarray, np.ndarray]:
    """A part with a square of so many grey values, and its mask."""
    image, mask = picture(seed).astype(int), np.zeros((128, 160), np.uint8)
    top, left = 16 + 8 * (seed % 4), 40
    mask[top : top + 32, left : left + 32] = 255
    image[mask > 0] += strength
    return np.clip(image, 0, 255).astype(np.uint8), mask


@pytest.fixture
def parts(root: Path) -> Path:
    """A bundle, `good`, `bad/square` (plain), `bad/shade` (hardly to be seen) and their masks."""
    write_bundle(root / "tiny", small(middle()))
    for folder in ("good", "bad/square", "bad/shade", "masks/square", "masks/shade"):
        (root / folder).mkdir(parents=True)
    for seed in range(PARTS):
        cv2.imwrite(str(root / f"good/{seed}.png"), picture(100 + seed))
        for kind, strength in (("square", 80), ("shade", 3)):
            image, mask = spoilt(seed, strength)
            cv2.imwrite(str(root / f"bad/{kind}/{seed}.png"), image)
            cv2.imwrite(str(root / f"masks/{kind}/{seed}_mask.png"), mask)
    return root


def write_naming(sound: Path, folder: Path, task: str) -> None:
    """The bundle `sound` as one that names what it finds: `dent`, as surely as half its score."""
    model = ov.Core().read_model(sound / "model.xml")
    heat, score = (model.output(name).get_node().input_value(0) for name in ("heatmap", "score"))
    share, cells = (ops.clamp(ops.multiply(one, np.float32(0.5)), 0, 1) for one in (score, heat))
    peaks = {"peaks": share}
    place = ops.constant(np.array([[0.25, 0.25, 0.5, 0.5]], np.float32))
    other = ops.subtract(np.float32(1), share)
    outputs = {
        "classification": {"probabilities": ops.concat([share, other], 0)},
        "detection": {
            **{"boxes": place, "confidences": ops.add(share, np.float32(0))},
            **{"labels": ops.constant(np.array([0])), **peaks},
        },
        "segmentation": {"mask": cells, **peaks},
    }[task]
    results = []
    for name, node in outputs.items():
        result = ops.result(node)
        result.output(0).set_names({name})
        results.append(result)
    with tempfile.TemporaryDirectory() as scratch:
        made = ov.Model(results, model.get_parameters(), task)
        ov.save_model(made, Path(scratch) / "model.xml", compress_to_fp16=False)
        files = {name: (Path(scratch) / name).read_bytes() for name in ("model.xml", "model.bin")}
    classes = ("dent", "good") if task == "classification" else ("dent",)
    limits = Limits(review=0.35, fail=0.5)
    with_files(sound, folder, files, task=task, classes=classes, limits=limits)


def evaluate(parts: Path, *more: str | Path, bundle: str = "tiny") -> dict[str, object]:
    """The command's JSON on good and bad parts."""
    given = ["--good", parts / "good", "--defect", parts / "bad"]
    done = inspector("evaluate", parts / bundle, *given, *more, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(parts: Path, *arguments: str | Path, code: int = 65) -> str:
    """The one line in which the command refuses."""
    done = inspector("evaluate", parts / "tiny", *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = refusals(done)
    return line


def test_all_figures(parts: Path) -> None:
    found = evaluate(parts, "--masks", parts / "masks")
    assert (found["good"], found["defective"], found["masks"]) == (PARTS, 2 * PARTS, 2 * PARTS)
    assert found["confusion"]["defective"] == {"pass": PARTS, "review": 0, "fail": PARTS}
    assert found["escape_rate"] == 0.5
    assert found["escape_interval"] == [0.28, 0.72]  # Wilson, 8 of 16
    assert found["overkill_rate"] == 0.0
    assert found["overkill_interval"] == [0.0, 0.3244]
    shade, square = found["classes"]
    assert (shade["name"], shade["images"], shade["escape_rate"]) == ("shade", PARTS, 1.0)
    assert (square["name"], square["image_auroc"], square["escape_rate"]) == ("square", 1.0, 0.0)
    assert found["image_auroc"] == pytest.approx((1 + shade["image_auroc"]) / 2, abs=1e-4)
    assert found["pixel_auroc"] > 0.9
    assert 0.5 < found["aupro"] <= 1
    assert found["second_look"] is None
    assert 0 < found["inference_ms"]["p50"] <= found["inference_ms"]["p99"]


def test_without_masks_there_are_no_pixel_figures(parts: Path) -> None:
    found = evaluate(parts)
    assert (found["pixel_auroc"], found["aupro"], found["masks"]) == (None, None, 0)


def test_several_defect_folders(parts: Path) -> None:
    given = ["--good", parts / "good", "--defect", parts / "bad/square", parts / "bad/shade"]
    done = inspector("evaluate", parts / "tiny", *given, "--json")
    assert json.loads(done.stdout)["defective"] == 2 * PARTS


def test_a_recipe_sets_limits_and_region(parts: Path) -> None:
    recipe = {
        "schema": 1,
        "name": "strict",
        "model": "tiny",
        "limits": {"review": 0.01, "fail": 0.02},
        "region": {"x": 0, "y": 0, "width": 160, "height": 128},
    }
    file = parts / "strict.toml"
    file.write_bytes(msgspec.toml.encode(recipe))
    found = evaluate(parts, "--recipe", file)
    assert (found["review_limit"], found["fail_limit"]) == (0.01, 0.02)
    assert found["overkill_rate"] == 1.0
    file.write_bytes(msgspec.toml.encode(recipe | {"region": recipe["region"] | {"x": 1}}))
    given = ["--good", parts / "good", "--defect", parts / "bad", "--recipe", file]
    assert "good/0.png: 160x128, the region of recipe strict" in refused(parts, *given)


def test_a_recipe_that_the_line_would_refuse(parts: Path) -> None:
    recipe = {
        "schema": 1,
        "name": "named",
        "model": "tiny",
        "limits": {"review": 0.5, "fail": 0.9},
        "findings": {"classes": ["scrtach"]},
    }
    file = parts / "named.toml"
    file.write_bytes(msgspec.toml.encode(recipe))
    given = ["--good", parts / "good", "--defect", parts / "bad", "--recipe", file]
    assert "findings.classes names scrtach" in refused(parts, *given, code=78)


def test_threads_that_are_none(parts: Path) -> None:
    given = ["--good", parts / "good", "--defect", parts / "bad", "--threads", "0"]
    done = inspector("evaluate", parts / "tiny", *given)
    assert done.returncode == 2
    assert "'0': 1 to 256 is wanted" in done.stderr


def test_a_second_look_is_told_with_its_gain_and_cost(parts: Path) -> None:
    """Its limits let every grey part pass, and all parts are grey by the recipe."""
    write_two_looks(parts / "two", middle(), Limits(review=50.0, fail=60.0))
    recipe = {"schema": 1, "name": "r", "model": "two", "limits": {"review": 0.001, "fail": 99.0}}
    (parts / "r.toml").write_bytes(msgspec.toml.encode(recipe))
    found = evaluate(parts, "--recipe", parts / "r.toml", bundle="two")
    look = found["second_look"]
    assert (look["grey"], look["right"], look["wrong"]) == (3 * PARTS, PARTS, 2 * PARTS)
    assert look["unsettled"] == 0
    assert (look["without_escape_rate"], found["escape_rate"]) == (0.0, 1.0)
    assert (look["without_review_rate"], found["review_rate"]) == (1.0, 0.0)
    assert look["cost_ms"]["p50"] > 0
    recipe["second_look"] = False
    (parts / "r.toml").write_bytes(msgspec.toml.encode(recipe))
    found = evaluate(parts, "--recipe", parts / "r.toml", bundle="two")
    assert found["second_look"]["grey"] == 0
    assert found["escape_rate"] == 0.0


@pytest.mark.parametrize("task", ["classification", "detection", "segmentation"])
def test_models_that_name_what_they_find(parts: Path, task: str) -> None:
    """Judged by the findings that count; only areas can be held against masks."""
    write_naming(parts / "tiny", parts / "named", task)
    report = parts / "named.html"
    found = evaluate(parts, "--masks", parts / "masks", "--report", report, bundle="named")
    assert found["task"] == task
    shade, square = found["classes"]
    assert (square["image_auroc"], square["escape_rate"]) == (1.0, 0.0)
    assert shade["escape_rate"] == 1.0
    assert found["overkill_rate"] == 0.0
    assert (found["aupro"] is not None) == (task == "segmentation")
    assert "Missed defects" in report.read_text(encoding="utf-8")
    recipe = {
        "schema": 1,
        "name": "r",
        "model": "named",
        "limits": {"review": 0.35, "fail": 0.5},
        "findings": {"count": 99},
    }
    (parts / "r.toml").write_bytes(msgspec.toml.encode(recipe))
    found = evaluate(parts, "--recipe", parts / "r.toml", bundle="named")
    assert (found["escape_rate"], found["image_auroc"]) == (1.0, 0.5)


def test_the_report_opens_offline(parts: Path) -> None:
    """Also with a part that is named like a script, and one whose name is no text."""
    shutil.copy(parts / "bad/shade/0.png", parts / "bad/shade/<script>alert(1)<&script>.png")
    odd = bytes(parts / "bad/shade") + b"/\xff\xfe.png"
    shutil.copy(parts / "bad/shade/1.png", odd)
    report = parts / "report.html"
    evaluate(parts, "--report", report)
    text = report.read_text(encoding="utf-8")
    assert "Missed defects" in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert "inspector evaluate" in text
    assert "model.bin" in text
    assert len(text) < 5_000_000


@pytest.mark.skipif(not (samples.ROOT / "sample_data/cap/masks").is_dir(), reason="no samples")
def test_the_sample_product(root: Path) -> None:
    cap = samples.ROOT / "sample_data/cap"
    given = ["--good", cap / "test/good", "--defect", cap / "test", "--masks", cap / "masks"]
    report = root / "cap.html"
    done = inspector("evaluate", samples.bundle(), *given, "--report", report, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["classes"]) >= 5
    assert found["image_auroc"] > 0.8
    assert found["pixel_auroc"] > 0.8
    assert found["aupro"] > 0.6
    assert report.stat().st_size < 5_000_000


def test_a_mask_of_another_size(parts: Path) -> None:
    mask = parts / "masks/square/3_mask.png"
    cv2.imwrite(str(mask), np.ones((64, 80), np.uint8))
    given = ["--good", parts / "good", "--defect", parts / "bad", "--masks", parts / "masks"]
    assert f"{mask}: the mask is 80x64, its image 160x128" in refused(parts, *given)


def test_an_empty_mask(parts: Path) -> None:
    mask = parts / "masks/shade/0_mask.png"
    cv2.imwrite(str(mask), np.zeros((128, 160), np.uint8))
    given = ["--good", parts / "good", "--defect", parts / "bad", "--masks", parts / "masks"]
    assert f"{mask}: the mask marks nothing" in refused(parts, *given)


def test_a_missing_mask_is_told_and_left_out(parts: Path) -> None:
    for seed in range(2):
        (parts / f"masks/square/{seed}_mask.png").unlink()
    given = ["--good", parts / "good", "--defect", parts / "bad", "--masks", parts / "masks"]
    done = inspector("evaluate", parts / "tiny", *given, "--json")
    assert done.returncode == 0
    assert "square/0.png: no mask, nor for 1 others" in done.stderr
    assert json.loads(done.stdout)["masks"] == 2 * PARTS - 2


def test_an_empty_folder(parts: Path) -> None:
    (parts / "empty").mkdir()
    given = ["--good", parts / "empty", "--defect", parts / "bad"]
    assert f"{parts / 'empty'}: holds no image" in refused(parts, *given)


def test_a_truncated_image(parts: Path) -> None:
    image = parts / "bad/square/5.png"
    image.write_bytes(image.read_bytes()[:2000])
    given = ["--good", parts / "good", "--defect", parts / "bad"]
    line = refused(parts, *given)
    assert f"{image}: is no image that can be decoded; remove it or copy it again" in line


def test_an_unknown_device(parts: Path) -> None:
    given = ["--good", parts / "good", "--defect", parts / "bad", "--device", "NPU9"]
    assert "'NPU9': OpenVINO finds" in refused(parts, *given, code=MaintainerError.exit_code)


def test_a_report_that_cannot_be_written_is_refused_before_the_work(parts: Path) -> None:
    given = ["--good", parts / "good", "--defect", parts / "bad", "--report", parts / "no/r.html"]
    assert "--report names a file in a folder that exists" in refused(parts, *given, code=78)


def test_a_tampered_bundle(parts: Path) -> None:
    (parts / "tiny/model.bin").write_bytes(b"other")
    given = ["--good", parts / "good", "--defect", parts / "bad"]
    assert "model.bin: has SHA-256" in refused(parts, *given, code=78)
