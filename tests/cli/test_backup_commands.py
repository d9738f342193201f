"""`inspector backup` and `inspector restore`, with the station stopped."""

import json
import time
from contextlib import closing
from pathlib import Path

import pytest
from support.commands import inspector
from support.outcomes import mixed

from inspector.cli.station import write_station
from inspector.core.paths import Paths, under
from inspector.devices.ledger import Ledger


@pytest.fixture
def paths(root: Path) -> Paths:
    found = under(root)
    found.create()
    write_station(found, {"path": "parts"}, line={"deadline_ms": 400.0, "recipe": "cap"})
    record(found, 0, 5)
    return found


def record(paths: Paths, first: int, last: int) -> int:
    """How many parts the ledger has then."""
    with closing(Ledger(paths.ledger, 60, 0, time.time_ns())) as ledger:
        ledger.commit([(mixed(seq), False) for seq in range(first, last)], wall_ns=1)
        ledger.checkpoint()
        return ledger.committed


def made(paths: Paths) -> Path:
    done = inspector("backup", "--json", "--root", paths.state.parent)
    return Path(json.loads(done.stdout)["backups"][0]["folder"])


def test_backup_is_restored_and_what_was_there_is_set_aside(paths: Paths) -> None:
    backup = made(paths)
    record(paths, 5, 9)
    done = inspector("restore", backup.name, "--json", "--root", paths.state.parent)
    said = json.loads(done.stdout)
    assert "(4 parts) is missing" in said["gap"]
    assert Path(said["set_aside"]).exists()
    assert record(paths, 20, 21) == 6


def test_backup_that_cannot_be_read_hides_no_other_in_the_list(paths: Paths) -> None:
    first, second = made(paths), made(paths)
    (first / "manifest.json").write_text("{")
    done = inspector("backup", "--list", "--json", "--root", paths.state.parent)
    said = json.loads(done.stdout)
    assert [one["folder"] for one in said["backups"]] == [str(second)]
    (problem,) = said["problems"]
    assert problem.startswith(f"{first}: is no backup")
    shown = inspector("backup", "--list", "--root", paths.state.parent).stdout
    assert str(second) in shown
    assert "is no backup" in " ".join(shown.split())


def test_link_that_a_service_has_left_leads_a_restore_nowhere(paths: Paths, tmp_path: Path) -> None:
    paths.current.write_text('{"recipe":"cap","lot":"L1"}')
    backup = made(paths)
    elsewhere = tmp_path / "elsewhere"
    paths.current.unlink()
    paths.current.symlink_to(elsewhere)
    done = inspector("restore", backup.name, "--config", "--root", paths.state.parent)
    assert done.returncode == 0, done.stderr
    assert not elsewhere.exists()
    assert not paths.current.is_symlink()
    assert '"L1"' in paths.current.read_text()


def test_folder_that_is_a_link_is_refused_in_one_line(paths: Paths, tmp_path: Path) -> None:
    (paths.taught_recipes / "cap.toml").write_text("# taught")
    backup = made(paths)
    (paths.taught_recipes / "cap.toml").unlink()
    paths.taught_recipes.rmdir()
    paths.taught_recipes.symlink_to(tmp_path)
    done = inspector("restore", backup.name, "--config", "--root", paths.state.parent)
    assert done.returncode == 78
    assert (
        done.stderr
        == f"inspector: {paths.taught_recipes}: is a link; put the folder itself there\n"
    )
    assert list(tmp_path.iterdir()) == []
