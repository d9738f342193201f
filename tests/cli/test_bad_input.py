"""Everything a maintainer can get wrong is one clear line and a non-zero exit."""

import json
import shutil
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

import msgspec
import pytest
from support.commands import inspector, refusals
from support.line import account, running, wait_for
from support.stations import in_use, make_station, write_images, write_recipe

from inspector.core.paths import Paths

pytestmark = pytest.mark.line


def refused(paths: Paths) -> str:
    """The line in which `run` refuses to start; check-config must say the same."""
    done = inspector("run", "--root", paths.config.parent)
    assert done.returncode == 78, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = refusals(done)
    checked = inspector("check-config", "--root", paths.config.parent, "--json")
    assert checked.returncode == 78
    assert json.loads(checked.stdout)["problems"][0] in line
    return line


def edit(path: Path, **changes: object) -> None:
    path.write_bytes(msgspec.toml.encode(msgspec.toml.decode(path.read_bytes()) | changes))


def test_unknown_key(root: Path) -> None:
    paths = make_station(root, {"detect": {"thread": 2}})
    assert f"{paths.station_file}:" in refused(paths)
    assert "detect.thread = 2: unknown key" in refused(paths)


def test_wrong_type(root: Path) -> None:
    assert "line.deadline_ms = 'soon'" in refused(
        make_station(root, {"line": {"deadline_ms": "soon"}})
    )


def test_limit_out_of_range(root: Path) -> None:
    paths = make_station(root)
    write_recipe(paths, "plain", limits={"review": 0.5, "fail": -2.0})
    assert "plain.toml" in refused(paths)
    assert "limits.fail = -2.0: expected number > 0" in refused(paths)


def test_missing_recipe(root: Path) -> None:
    paths = make_station(root, {"line": {"recipe": "absent"}})
    assert "line.recipe = 'absent': no such file" in refused(paths)


def test_missing_model(root: Path) -> None:
    paths = make_station(root)
    write_recipe(paths, "plain", model="nothing")
    assert "nothing: holds no bundle" in refused(paths)


def test_model_with_wrong_checksum(root: Path) -> None:
    paths = make_station(root)
    (in_use(paths) / "model.bin").write_bytes(b"other")
    assert "model.bin: has SHA-256" in refused(paths)


def test_empty_camera_folder(root: Path) -> None:
    (root / "empty").mkdir()
    assert "holds no image" in refused(make_station(root, path=str(root / "empty")))


def test_state_folder_that_cannot_be_written(root: Path) -> None:
    paths = make_station(root)
    (root / "cache").write_text("a file in the way")
    done = inspector("run", "--root", root)
    assert done.returncode == 78
    (line,) = refusals(done)
    assert f"{paths.cache}: cannot be written" in line


def test_unknown_device(root: Path) -> None:
    """Only detect can tell what OpenVINO finds here."""
    done = inspector(
        "run", "--root", make_station(root, {"detect": {"device": "NPU"}}).config.parent
    )
    assert done.returncode == 78
    assert "Traceback" not in done.stderr
    assert any("detect.device = 'NPU': OpenVINO finds CPU here" in line for line in refusals(done))
    assert refusals(done)[-1] == "inspector: detect refuses to run; its reason stands above"


def test_port_in_use(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listen = {"detect": f"tcp://127.0.0.1:{port}", "gate": f"tcp://127.0.0.1:{port}"}
        done = inspector("run", "--root", make_station(root, {"listen": listen}).config.parent)
    assert done.returncode == 78
    assert any(f"tcp://127.0.0.1:{port}: cannot be bound" in line for line in refusals(done))


def test_database_of_a_newer_version(root: Path) -> None:
    paths = make_station(root)
    with running(paths, committed=5) as line:
        assert line.stop() == 0
        account(line)
    database = sqlite3.connect(paths.ledger)
    database.execute("PRAGMA user_version = 999")
    database.close()
    before = paths.ledger.read_bytes()
    done = inspector("run", "--root", root)
    assert done.returncode == 78
    assert any("newer program" in line for line in refusals(done))
    assert paths.ledger.read_bytes() == before


def test_corrupt_database_is_set_aside_loudly(root: Path) -> None:
    paths = make_station(root)
    paths.state.mkdir(parents=True, exist_ok=True)
    paths.ledger.write_bytes(b"this is no database" * 500)
    with running(paths, committed=20) as line:
        assert line.stop() == 0
        account(line)
        log = line.log
    assert list(paths.state.glob("ledger.db.corrupt-*"))
    assert "corrupt" in log


def test_nothing_runs_here(root: Path) -> None:
    make_station(root)
    for command in (
        ["status", "--once"],
        ["totals"],
        ["switch", "--lot", "x"],
        ["replay"],
        ["export", "parts", "--out", str(root / "parts.csv")],
    ):
        done = inspector(command[0], "--root", root, *command[1:])
        assert done.returncode != 0
        assert len(refusals(done)) == 1
        assert "Traceback" not in done.stderr


def test_no_station_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSPECTOR_ROOT", raising=False)
    done = inspector("status")
    assert done.returncode == 78
    assert "--root" in refusals(done)[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "good images; teach from"), (b"", "is empty"), (b"rubbish", "no readable image")],
)
def test_teaching_from_bad_images(root: Path, content: bytes | None, words: str) -> None:
    images = write_images(root / "images", good=6 if content is not None else 2, bad=0) / "good"
    if content is not None:
        (images / "003.png").write_bytes(content)
    done = inspector("teach", images, "--name", "part", "--out", root / "bundle")
    assert done.returncode == 65
    (line,) = refusals(done)
    assert words in line
    assert not (root / "bundle").exists()


def test_help_has_an_example_for_every_command() -> None:
    from inspector.cli.main import COMMANDS

    top = inspector("--help").stdout
    for room in COMMANDS:
        file = room.__name__.rpartition(".")[2]
        name = "check-config" if file == "check" else file.replace("_", "-")
        assert name in top
        assert f"example:\n  inspector {name}" in inspector(name, "--help").stdout


def test_full_disk_loses_nothing(root: Path) -> None:
    """The state folder is full for a while: the line goes on, and all is recorded afterwards."""
    paths = make_station(root)
    disk = paths.state
    mount_small(disk)
    try:
        with running(paths, committed=10) as line:
            fill(disk / "fill")
            time.sleep(3)
            triggered = line.count()
            (disk / "fill").unlink()
            wait_for(paths, lambda live: live.committed > triggered, timeout_s=20)
            assert line.stop() == 0
            account(line)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def mount_small(folder: Path) -> None:
    """A small disk in place of the state folder, with the models on it."""
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept, symlinks=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("mount is not permitted here (needs root)")
    shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)


def fill(path: Path) -> None:
    """Take all that is free."""
    with path.open("wb", buffering=0) as file:  # closing it must have nothing left to write
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            return
