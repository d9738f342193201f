"""inspector collect: frames of the running line, to teach from."""

import json
import shutil
import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.commands import inspector, refusals
from support.line import running
from support.stations import make_station, picture

from inspector.cli import samples
from inspector.cli.collect import collect
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.paths import Paths
from inspector.devices.bundles import open_bundle

pytestmark = pytest.mark.line

PICTURES = 40


def station(root: Path, pictures: int = PICTURES, **camera: object) -> Paths:
    """A camera that plays so many different pictures."""
    folder = root / "images" / "good"
    folder.mkdir(parents=True)
    for seed in range(pictures):
        cv2.imwrite(str(folder / f"{seed:03}.png"), picture(seed))
    return make_station(root, **camera)


def is_one_of(frame: np.ndarray, folder: Path) -> bool:
    return any(
        np.array_equal(frame, cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
        for path in folder.rglob("*.png")
    )


def test_frames_are_those_that_the_line_sees(root: Path) -> None:
    paths = station(root)
    with running(paths) as line:
        done = inspector(
            *("collect", "--root", root, "--parts", "12", "--out", root / "good", "--json")
        )
        assert line.stop() == 0
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    files = sorted(path.name for path in (root / "good").iterdir())
    assert len(files) == 12
    assert sorted(told["files"]) == files
    for name in files:
        stream, _, seq = name.removesuffix(".png").rpartition("-")
        assert stream
        assert seq.isdigit()
        frame = cv2.imread(str(root / "good" / name), cv2.IMREAD_UNCHANGED)
        assert is_one_of(frame, root / "images")


def test_what_was_collected_can_be_taught(root: Path) -> None:
    """From the running line to a bundle that is in order."""
    parts = samples.ROOT / "sample_data/cap/train/good"
    if not parts.is_dir():
        pytest.skip("the sample product is not here")
    paths = make_station(root, path=str(parts), takt_ms=300.0)
    with running(paths) as line:
        found = collect(paths, 20, root / "good")
        assert line.stop() == 0
    assert found.warnings == []
    given = (root / "good", "--name", "cap", "--out", root / "cap")
    done = inspector("teach", *given, timeout=280)
    assert done.returncode == 0, done.stderr
    assert open_bundle(root / "cap").manifest.name == "cap"


def test_a_fast_line_never_gives_a_torn_frame(root: Path) -> None:
    """Every frame is of one grey value: a torn one would show two."""
    folder = root / "images" / "good"
    folder.mkdir(parents=True)
    for value in range(30, 230, 5):
        frame = np.full((1024, 1024, 1), value, np.uint8)
        cv2.imwrite(str(folder / f"{value:03}.bmp"), frame)
    paths = make_station(root, {"ring": {"slots": 3}}, path=str(root / "images"), takt_ms=5.0)
    with running(paths) as line:
        with suppress(MaintainerError):  # three slots may be too few to catch all six
            collect(paths, 6, root / "out", stuck_s=5)
        assert line.stop() == 0
    for path in (root / "out").iterdir():
        assert len(np.unique(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))) == 1


def test_progress_is_told_to_whoever_asks(root: Path) -> None:
    paths = station(root)
    told: list[int] = []
    with running(paths) as line:
        found = collect(paths, 5, root / "out", camera="cam0", told=told.append)
        assert line.stop() == 0
    assert told == [1, 2, 3, 4, 5]
    assert found.warnings == []


def test_the_same_part_again_and_again_is_warned_of(root: Path) -> None:
    paths = station(root, pictures=1)
    with running(paths) as line:
        found = collect(paths, 4, root / "out")
        assert line.stop() == 0
    assert len(set(found.files)) == 4
    assert any("3 of 4 show the very same picture" in warning for warning in found.warnings)


def test_dark_and_blurred_parts_are_warned_of(root: Path) -> None:
    paths = station(root, pictures=6, takt_ms=200.0)  # slow: every part is seen
    for number in (1, 4):
        path = root / f"images/good/{number:03}.png"
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        worse = image // 60 if number == 1 else cv2.GaussianBlur(image, (0, 0), 4)
        cv2.imwrite(str(path), worse)
    with running(paths) as line:
        found = collect(paths, 14, root / "out")
        assert line.stop() == 0
    words = " ".join(found.warnings)
    assert "too dark: mean" in words
    assert "less sharp than the others" in words


def test_no_line_runs(root: Path) -> None:
    paths = station(root)
    with pytest.raises(MaintainerError, match=r"no outcome for 1 s .*; is the line running\?"):
        collect(paths, 5, root / "out", stuck_s=1)


def test_a_line_that_stops_meanwhile(root: Path) -> None:
    paths = station(root, parts=6)
    words = r"no outcome for 2 s \([1-9] parts so far\)"
    with running(paths), pytest.raises(MaintainerError, match=words):
        collect(paths, 50, root / "out", stuck_s=2)


def test_parts_without_a_frame(root: Path) -> None:
    """The camera's files vanish: parts go on as faults, and the reason is told."""
    paths = station(root, cache_mb=0)
    with running(paths) as line:
        shutil.rmtree(root / "images")
        time.sleep(0.5)
        with pytest.raises(MaintainerError, match=r"no part with a frame for 2 s .*fault, "):
            collect(paths, 5, root / "out", stuck_s=2)
        assert line.stop() == 0


def test_a_folder_that_holds_something(root: Path) -> None:
    paths = station(root)
    (root / "out").mkdir()
    (root / "out" / "mine.txt").write_text("kept")
    done = inspector("collect", "--root", root, "--parts", "5", "--out", root / "out")
    assert done.returncode == OperatorError.exit_code
    (line,) = refusals(done)
    assert f"{root / 'out'}: is not empty; choose a new folder" in line
    with pytest.raises(OperatorError, match="is a file"):
        collect(paths, 5, root / "out" / "mine.txt")


def test_an_unknown_camera(root: Path) -> None:
    station(root)
    done = inspector(
        *("collect", "--root", root, "--parts", "5", "--out", root / "out", "--camera", "cam9")
    )
    assert done.returncode == MaintainerError.exit_code
    (line,) = refusals(done)
    assert "--camera cam9: no such camera (there: cam0)" in line
    assert not (root / "out").exists()


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_a_number_of_parts_that_is_none(root: Path, count: str) -> None:
    done = inspector("collect", "--root", root, "--parts", count, "--out", root / "out")
    assert done.returncode == 2
    assert "argument --parts" in done.stderr
