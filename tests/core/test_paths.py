"""Everything lies under one root, and what cannot be written is said."""

from pathlib import Path

import pytest

from inspector.core.errors import MaintainerError
from inspector.core.paths import from_environment, of_root, under


def test_root_holds_everything(root: Path) -> None:
    paths = of_root(root)
    for path in (paths.config, paths.state, paths.run, paths.cache, paths.ledger, paths.spool):
        assert path.is_relative_to(root)


def test_systemd_directories_are_taken() -> None:
    names = ("CONFIGURATION", "STATE", "RUNTIME", "CACHE")
    paths = from_environment({f"{name}_DIRECTORY": f"/x/{name}" for name in names})
    assert str(paths.run) == "/x/RUNTIME"


def test_no_root_is_one_line() -> None:
    with pytest.raises(MaintainerError, match="--root"):
        from_environment({})


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
