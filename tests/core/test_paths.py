"""Everything lies under one root, and what cannot be written is said."""

from pathlib import Path

import pytest

from inspector.core.errors import MaintainerError
from inspector.core.paths import INSTALLED, from_environment, of_root, under


def test_root_holds_everything(root: Path) -> None:
    paths = of_root(root)
    for path in (paths.config, paths.state, paths.run, paths.cache, paths.ledger, paths.spool):
        assert path.is_relative_to(root)


def test_without_a_root_it_is_the_station_installed_here(tmp_path: Path) -> None:
    installed = under(tmp_path)
    with pytest.raises(MaintainerError, match=r"no station is installed here.*--root"):
        from_environment({}, installed)
    installed.config.mkdir()
    assert from_environment({}, installed) is installed
    bench = Path("/srv/bench")
    assert from_environment({"INSPECTOR_ROOT": str(bench)}, installed) == under(bench)


def test_installed_station_lies_where_the_standard_says() -> None:
    assert str(INSTALLED.ledger) == "/var/lib/inspector/ledger.db"
    assert INSTALLED.socket("gate") == "ipc:///run/inspector/gate/gate.sock"
    assert INSTALLED.socket("control") == "ipc:///run/inspector/record/control.sock"
    assert INSTALLED.socket("capture-cam0") == "ipc:///run/inspector/capture/capture-cam0.sock"


def test_process_makes_its_own_folders_alone(root: Path) -> None:
    paths = under(root)
    paths.create("gate")
    assert paths.spool.is_dir()
    assert not paths.evidence.exists()


def test_process_starts_without_a_folder_it_can_do_without(root: Path) -> None:
    (root / "state").mkdir()
    (root / "state" / "evidence").write_text("no disk is mounted here")
    under(root).create("record")


def test_unwritable_state_folder_is_one_line(root: Path) -> None:
    (root / "state").write_text("a file stands in the way")
    with pytest.raises(MaintainerError, match=r"state.*cannot be written"):
        under(root).create()


def test_long_socket_path_is_refused(root: Path) -> None:
    paths = under(root / ("x" * 120))
    with pytest.raises(MaintainerError, match="107 bytes"):
        paths.socket("gate")


def test_bench_runtime_folder_lies_in_memory(tmp_path: Path) -> None:
    paths = under(tmp_path)
    paths.create()
    in_memory = paths.run.resolve().is_relative_to("/dev/shm")
    same_device = tmp_path.stat().st_dev == Path("/dev/shm").stat().st_dev
    assert in_memory or same_device
    if in_memory:
        for path in sorted(paths.run.resolve().rglob("*"), reverse=True):
            path.rmdir()
        paths.run.resolve().rmdir()
