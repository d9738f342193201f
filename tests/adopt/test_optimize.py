"""INT8 of a bundle with NNCF itself, on a small network with convolutions."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import openvino as ov
import pytest
from support.conv_model import frames, write_bundle

from inspector.adopt import int8, optimize
from inspector.cli import model_optimize
from inspector.cli.main import main
from inspector.core.errors import MaintainerError, OperatorError
from inspector.devices.bundles import open_bundle

real = pytest.mark.skipif(find_spec("nncf") is None, reason="needs inspector[optimize]")


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """Folders good, defect and bundle."""
    for name, defective in (("good", False), ("defect", True)):
        (tmp_path / name).mkdir()
        for number, frame in enumerate(frames(30, defective)):
            cv2.imwrite(str(tmp_path / name / f"{number:02}.png"), frame)
    return tmp_path


def order(station: Path, *more: str) -> list[str]:
    made = ["model", "optimize", f"{station / 'bundle'}", "--images", f"{station / 'good'}"]
    return [*made, "--defect", f"{station / 'defect'}", "--out", f"{station / 'int8'}", *more]


@real
def test_int8_is_written_as_a_whole_bundle(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = write_bundle(station / "bundle")
    assert main(order(station, "--json")) == 0
    said = json.loads(capsys.readouterr().out)  # nothing of NNCF's own on standard output
    assert said["measure"] == "AUROC"
    assert said["lost"] <= 0.005
    assert said["calibration_images"] == 15
    assert said["validation_images"] == 45
    assert said["speed_up"] > 0
    bundle = open_bundle(station / "int8")
    assert bundle.manifest.version != before.version
    assert bundle.manifest.provenance.made_from.startswith(f"{before.id} (INT8 by nncf ")
    assert {one.name for one in bundle.manifest.metrics} >= {"int8 AUROC lost", "int8 speed-up"}
    model = ov.Core().read_model(station / "int8" / "model.xml")
    assert int8.count(model) >= 2
    assert open_bundle(station / "bundle").manifest == before


@real
def test_references_say_what_the_int8_model_says(station: Path) -> None:
    before = write_bundle(station / "bundle")
    assert main(order(station)) == 0
    after = open_bundle(station / "int8").manifest
    with model_optimize._engine(2) as line:
        model = line.load(station / "int8", after)
        for old, new in zip(before.proof.references, after.proof.references, strict=True):
            found = model.say(line.read(station / "int8" / new.image)).values
            assert found == pytest.approx(new.values, abs=1e-3)
            assert new.values != old.values


@real
def test_the_same_pictures_and_seed_make_the_same_model(station: Path) -> None:
    write_bundle(station / "bundle")
    assert main(order(station)) == 0
    first = open_bundle(station / "int8").manifest
    (station / "int8").rename(station / "first")
    assert main(order(station)) == 0
    assert open_bundle(station / "int8").manifest.files == first.files  # its speed may differ


@real
def test_a_model_that_int8_ruins_is_refused_with_its_figures(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bundle(station / "bundle", drowned=True)
    assert main(order(station)) == 78
    text = capsys.readouterr().err
    assert "of AUROC (1.0000 to " in text
    assert "0.005 allowed" in text
    assert not (station / "int8").exists()


@real
def test_without_labels_changed_decisions_are_refused(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bundle(station / "bundle", drowned=True)
    wanted = ["model", "optimize", f"{station / 'bundle'}", "--images", f"{station / 'good'}"]
    assert main([*wanted, f"{station / 'defect'}", "--out", f"{station / 'int8'}"]) == 78
    assert "of agreement (1.0000 to " in capsys.readouterr().err
    assert not (station / "int8").exists()


@real
def test_good_parts_alone_prove_little_and_it_says_so(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bundle(station / "bundle")
    wanted = ["model", "optimize", f"{station / 'bundle'}", "--images", f"{station / 'good'}"]
    assert main([*wanted, "--out", f"{station / 'int8'}"]) == 0
    assert "so this proves little; give --defect" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--max-auroc-loss", "nan"),
        ("--max-f1-loss", "-1"),
        ("--max-difference", "inf"),
        ("--threads", "0"),
        ("--seed", "-1"),
    ],
)
def test_bounds_that_are_none_are_refused(
    tmp_path: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ["model", "optimize", f"{tmp_path}", "--images", f"{tmp_path}", "--out", "x"]
    with pytest.raises(SystemExit, match="2"):
        main([*wanted, option, value])
    assert f"argument {option}: '{value}'" in capsys.readouterr().err


@real
def test_a_classifier_is_judged_by_f1(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_bundle(station / "bundle", task="classification")
    assert main(order(station, "--json")) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["measure"] == "F1"
    assert said["before"] == 1.0
    assert said["lost"] <= 0.01


@real
def test_a_classifier_that_int8_ruins_is_refused(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bundle(station / "bundle", drowned=True, task="classification")
    assert main(order(station)) == 78
    assert "of F1 (1.0000 to " in capsys.readouterr().err
    assert not (station / "int8").exists()


@real
def test_a_reference_outside_its_bound_is_refused(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bundle(station / "bundle")
    assert main(order(station, "--max-difference", "0.000001")) == 78
    assert "at a reference (1e-06 allowed)" in capsys.readouterr().err


@real
def test_a_golden_part_judged_wrongly_is_refused(
    station: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bundle(station / "bundle")
    judge = optimize.gate.decision
    monkeypatch.setattr(
        optimize.gate,
        "decision",
        lambda *given: "defect" if judge(*given) == "good" else "good",
    )
    assert main(order(station)) == 78
    assert "golden part golden/0.png wrongly" in capsys.readouterr().err
    assert not (station / "int8").exists()


@real
def test_what_is_int8_already_is_refused(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_bundle(station / "bundle")
    assert main(order(station)) == 0
    (station / "bundle").rename(station / "former")
    (station / "int8").rename(station / "bundle")
    assert main(order(station)) == 78
    assert "INT8 already" in capsys.readouterr().err


@real
def test_too_few_pictures_are_refused(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_bundle(station / "bundle")
    for path in sorted((station / "good").iterdir())[12:]:
        path.unlink()
    assert main(order(station)) == 65
    assert "6 different pictures to calibrate with" in capsys.readouterr().err
    assert not (station / "int8").exists()


@real
def test_a_full_disk_leaves_nothing_behind(station: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bundle(station / "bundle")
    written = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.parent.name.startswith(".int8-"):
            raise OSError(28, "No space left on device")
        return written(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    before = sorted(path.name for path in station.iterdir())
    assert main(order(station)) == 78
    assert sorted(path.name for path in station.iterdir()) == before


def test_missing_nncf_is_one_line(
    station: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bundle(station / "bundle")
    monkeypatch.setitem(sys.modules, "nncf", None)
    assert main(order(station)) == 78
    assert "pip install inspector[optimize]" in capsys.readouterr().err


def test_a_folder_that_is_there_is_not_written_over(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bundle(station / "bundle")
    (station / "int8").mkdir()
    assert main(order(station)) == 78
    assert "exists already" in capsys.readouterr().err


def test_a_model_without_heavy_operations_is_refused(root: Path) -> None:
    from support.tiny_model import write_bundle as tiny

    folder = tiny(root / "tiny", frames(1, False)[0].repeat(2, 0).repeat(2, 1))
    with pytest.raises(MaintainerError, match="nothing that INT8 could make faster"):
        optimize._read(folder)


def test_labels_come_from_folders(station: Path) -> None:
    found = model_optimize.listed([station / "good"], [station])
    assert {one.label for one in found} == {"good", "defect"}
    assert len(found) == 60
    assert {one.label for one in model_optimize.listed([station / "good"], [])} == {None}


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="holds no image"):
        model_optimize.listed([tmp_path], [])
