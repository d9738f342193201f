"""inspector model import, as a user runs it."""

import json
from pathlib import Path

import cv2
import pytest
from support.adopting import SEEN
from support.commands import inspector, refusals
from support.foreign import onnx_yolo


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, image in enumerate(SEEN):
        cv2.imwrite(str(folder / f"{number}.png"), image)
    return folder


def test_a_detector_becomes_a_bundle(tmp_path: Path, pictures: Path) -> None:
    given = (onnx_yolo(tmp_path), "--name", "lids", "--out", tmp_path / "lids")
    done = inspector("model", "import", *given, "--references", pictures)
    assert done.returncode == 0, done.stderr
    assert "classes: red, blue" in done.stdout
    assert "review from 0.3, fail from 0.5" in done.stdout
    assert (tmp_path / "lids" / "bundle.toml").is_file()


def test_the_same_as_json(tmp_path: Path, pictures: Path) -> None:
    given = (onnx_yolo(tmp_path), "--name", "lids", "--out", tmp_path / "lids", "--fail", "0.7")
    done = inspector("model", "import", *given, "--references", pictures, "--json")
    said = json.loads(done.stdout)
    assert (said["kind"], said["colours"]) == ("yolo-detect", "rgb")
    assert said["difference"] < 0.01
    assert said["manifest"]["limits"] == {"review": 0.42, "fail": 0.7}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--size", "big"], "--size big: give height and width"),
        (["--mean", "a,b"], "--mean a,b: give numbers"),
        (["--classes", "a,b,c"], "has 2 classes, but 3 names"),
        (["--references", "/nowhere"], "/nowhere: no such folder"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    given = (onnx_yolo(tmp_path), "--name", "lids", "--out", tmp_path / "lids")
    done = inspector("model", "import", *given, *options)
    assert done.returncode in (65, 78)
    assert len(done.stderr.splitlines()) == len(refusals(done)) == 1
    assert words in done.stderr
    assert not (tmp_path / "lids").exists()


def test_a_truncated_model_is_one_line(tmp_path: Path) -> None:
    path = onnx_yolo(tmp_path)
    path.write_bytes(path.read_bytes()[:300])
    done = inspector("model", "import", path, "--name", "lids", "--out", tmp_path / "lids")
    assert done.returncode == 78
    assert len(done.stderr.splitlines()) == len(refusals(done)) == 1


def test_a_folder_without_pictures_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    given = (onnx_yolo(tmp_path), "--name", "lids", "--out", tmp_path / "lids")
    done = inspector("model", "import", *given, "--references", tmp_path / "empty")
    assert done.returncode == 65
    assert "holds no image" in done.stderr
