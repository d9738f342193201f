"""inspector doctor: what is wrong with a box or a station is a line with its remedy."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import inspector
from support.forged import forge, not_a_number
from support.line import running, wait_for
from support.stations import in_use, make_station, picture, write_recipe
from support.two_looks import put_two_looks_in_use

from inspector.cli import samples
from inspector.cli.timing import frame_for, variants
from inspector.core.bundle import Limits
from inspector.core.config import Detect
from inspector.core.live import Live
from inspector.core.messages import Heartbeat
from inspector.core.paths import Paths
from inspector.core.terms import FrameFormat, Pixel
from inspector.devices.accelerators import Accelerator
from inspector.devices.bundles import open_bundle


def doctor(*arguments: str | Path) -> tuple[int, dict[str, object], dict[str, dict[str, str]]]:
    """The exit code, everything, and the lines by what they are about."""
    done = inspector("doctor", *arguments, "--json")
    assert "Traceback" not in done.stderr, done.stderr
    told = json.loads(done.stdout)
    return done.returncode, told, {check["what"]: check for check in told["checks"]}


def detect_says(live: Live, condition: Callable[[Heartbeat], bool]) -> bool:
    beats = [one.heartbeat for one in live.services if one.heartbeat.service == "detect"]
    return any(map(condition, beats))


def station(root: Path, changes: dict[str, object] | None = None, **camera: object) -> Paths:
    return make_station(root, {"evidence": {"quota_mb": 1, "keep_free_mb": 0}} | (changes or {}))


def test_a_sound_station(root: Path) -> None:
    station(root, {"line": {"deadline_ms": 5000.0}})
    code, told, checks = doctor("--root", root, "--takt-ms", "4000")
    assert (code, told["ok"]) == (0, True), told["verdict"]
    assert told["verdict"].startswith("This box meets 4000 ms takt with ")
    assert " margin on CPU f32." in told["verdict"]
    assert checks["camera"]["text"] == "cam0: 160x128 mono8"
    assert {check["what"] for check in told["checks"]} >= {
        *("device", "configuration", "camera", "disk", "bundle", "speed"),
        *("takt", "deadline", "parity", "memory", "clock"),
    }
    first = told["measured"][0]
    assert (first["device"], first["precision"], first["problem"]) == ("CPU", "f32", "")
    assert 0 < first["p50_ms"] <= first["p99_ms"]
    assert first["difference"] <= 0.05


def test_the_takt_is_that_of_the_cameras(root: Path) -> None:
    make_station(root, takt_ms=20.0)
    _, told, _ = doctor("--root", root)
    assert told["takt_ms"] == 20.0
    assert told["deadline_ms"] == 250.0


def test_a_takt_that_cannot_be_met(root: Path) -> None:
    station(root)
    code, told, checks = doctor("--root", root, "--takt-ms", "0.001")
    assert (code, told["ok"]) == (78, False)
    assert checks["takt"]["state"] == "bad"
    assert checks["takt"]["remedy"]
    assert told["verdict"].startswith("This box is not fit to inspect: takt: ")


def test_without_a_station(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSPECTOR_ROOT", raising=False)
    folder = in_use(station(root))
    _, told, checks = doctor("--bundle", folder)
    assert told["takt_ms"] is None
    assert "parts a second on CPU f32" in told["verdict"] or not told["ok"]
    assert "camera" not in checks


def test_for_a_person(root: Path) -> None:
    station(root)
    done = inspector("doctor", "--root", root, "--takt-ms", "0.001")
    assert done.returncode == 78
    lines = done.stdout.splitlines()
    assert any(line.startswith("ok   camera: cam0") for line in lines)
    assert any(line.startswith("bad  takt: ") and " -> " in line for line in lines)
    assert lines[-1].startswith("This box is not fit to inspect: takt: ")


def test_an_unknown_device(root: Path) -> None:
    station(root, {"detect": {"device": "NPU9"}})
    code, _, checks = doctor("--root", root)
    assert code == 78
    assert "'NPU9': OpenVINO finds" in checks["model"]["text"]


def test_a_camera_that_cannot_be_opened(root: Path) -> None:
    paths = station(root)
    for image in (root / "images").rglob("*.png"):
        image.unlink()
    code, told, checks = doctor("--root", paths.config.parent)
    assert code == 78
    assert checks["camera"]["state"] == "bad"
    assert "holds no image" in checks["camera"]["text"]
    assert told["measured"]  # the rest is measured all the same


def test_a_configuration_that_is_wrong(root: Path) -> None:
    station(root, {"detect": {"thread": 2}})
    code, _, checks = doctor("--root", root)
    assert code == 78
    assert "detect.thread = 2: unknown key" in checks["configuration"]["text"]


def test_no_station_below_the_root(root: Path) -> None:
    code, _, checks = doctor("--root", root / "absent")
    assert code == 78
    assert checks["configuration"]["state"] == "bad"


def test_a_recipe_without_its_model(root: Path) -> None:
    write_recipe(station(root), "plain", model="nothing")
    code, _, checks = doctor("--root", root)
    assert code == 78
    assert "nothing: holds no bundle" in checks["recipe"]["text"]


def test_a_tampered_bundle(root: Path) -> None:
    folder = in_use(station(root))
    (folder / "model.bin").write_bytes(b"other")
    code, told, checks = doctor("--root", root)
    assert code == 78
    assert "model.bin: has SHA-256" in checks["bundle"]["text"]
    assert told["measured"] == []


def test_a_model_that_says_something_else_here(root: Path) -> None:
    """Sound digests around a broken model: only its references tell."""
    forged = forge(samples.bundle(), root / "forged", not_a_number)
    code, _, checks = doctor("--bundle", forged, "--takt-ms", "60000")
    assert code == 78
    assert checks["parity"]["state"] == "bad"


def test_a_disk_too_small_for_the_evidence(root: Path) -> None:
    make_station(root, {"evidence": {"quota_mb": 500_000_000, "keep_free_mb": 0}})
    _, _, checks = doctor("--root", root)
    assert checks["disk"]["state"] == "warn"
    make_station(root, {"evidence": {"quota_mb": 50, "keep_free_mb": 500_000_000}})
    code, _, checks = doctor("--root", root)
    assert (code, checks["disk"]["state"]) == (78, "bad")


def test_rings_that_memory_cannot_hold(root: Path) -> None:
    names = [f"cam{number}" for number in range(16)]
    cameras = [{"kind": "folder", "name": name, "path": str(root / "images")} for name in names]
    station(root, {"ring": {"budget_mb": 16384}, "cameras": cameras})
    code, _, checks = doctor("--root", root)
    assert (code, checks["frames"]["state"]) == (78, "bad")
    assert "lower ring.budget_mb" in checks["frames"]["remedy"]


def test_a_second_look_that_the_deadline_leaves_no_time_for(root: Path) -> None:
    paths = station(root, {"line": {"deadline_ms": 5.0}})
    put_two_looks_in_use(paths, picture(0), Limits(review=0.7, fail=1.0), slow=1)
    _, told, checks = doctor("--root", root)
    assert [one["look"] for one in told["measured"]][-1] == "second"
    assert checks["second look"]["state"] == "warn"
    assert "leaves no time" in checks["second look"]["text"]


def test_every_device_is_tried_at_every_precision_it_offers() -> None:
    found = [
        Accelerator("CPU", "a processor", ("BF16", "FP32"), "bf16"),
        Accelerator("GPU", "graphics", ("FP16", "FP32"), "f16"),
        Accelerator("NPU", "another", (), ""),
    ]
    tried = list(variants(found, Detect(device="GPU", threads=3, precision="auto")))
    assert tried[0] == (Detect(device="GPU", threads=3, precision="auto"), "f16")
    assert [(one.device, name) for one, name in tried[1:]] == [
        *(("CPU", "f32"), ("GPU", "f32"), ("NPU", "f32"), ("CPU", "bf16")),
    ]


@pytest.mark.parametrize("pixel", list(Pixel))
def test_a_reference_is_timed_in_the_camera_s_format(root: Path, pixel: Pixel) -> None:
    bundle = open_bundle(in_use(station(root)))
    format = FrameFormat(width=320, height=200, pixel=pixel)
    assert frame_for(bundle, format).shape == format.shape
    assert frame_for(bundle, None).shape == (64, 64, 1)


@pytest.mark.parametrize("text", ["0", "-5", "soon", "inf"])
def test_a_takt_that_is_none(text: str) -> None:
    done = inspector("doctor", "--takt-ms", text)
    assert done.returncode == 2
    assert "milliseconds above 0 are wanted" in done.stderr


@pytest.mark.line
def test_a_running_line_is_not_disturbed(root: Path) -> None:
    paths = station(root, {"line": {"deadline_ms": 5000.0}})
    with running(paths) as line:
        wait_for(paths, lambda live: detect_says(live, lambda beat: beat.handled > 0))
        _, told, checks = doctor("--root", root)
        assert line.stop() == 0
    assert told["measured"] == []
    assert checks["line"]["state"] == "ok"
    assert "deadline" in checks
    assert "camera" not in checks


@pytest.mark.line
def test_a_line_that_rejects_every_part_for_want_of_a_model(root: Path) -> None:
    """It runs, and nothing is inspected: also once its bundle is whole again."""
    paths = station(root, {"line": {"deadline_ms": 5000.0}})
    weights = in_use(paths) / "model.bin"
    sound = weights.read_bytes()
    with running(paths) as line:
        weights.write_bytes(b"other")
        assert line.kill("detect")
        wait_for(paths, lambda live: detect_says(live, lambda beat: beat.state == "degraded"))
        weights.write_bytes(sound)
        code, told, checks = doctor("--root", root)
        assert line.stop() == 0
    assert checks["bundle"]["state"] == "ok"
    assert (checks["detect"]["state"], code) == ("bad", 78)
    assert "not fit to inspect: detect: no proven model is loaded" in told["verdict"]
