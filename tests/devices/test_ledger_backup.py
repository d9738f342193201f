"""Backups of a ledger that is being written: whole, proven, few, and never in the line's way."""

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from support.disks import small_disk
from support.outcomes import WALL, mixed

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.devices.ledger import Ledger
from inspector.devices.ledger.backup import (
    Wanted,
    backups,
    make_backup,
    prove,
    read_backup,
)


def wanted(path: Path) -> Wanted:
    return Wanted(path, {}, ("cap@0123456789ab",), "1.0")


def fill(ledger: Ledger, parts: range) -> None:
    ledger.commit([(mixed(seq), False) for seq in parts], wall_ns=WALL)


def ids(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as database:
        return [id for (id,) in database.execute("SELECT id FROM outcome ORDER BY id")]


def test_backup_of_a_ledger_that_is_written_is_of_one_moment(root: Path, ledger: Ledger) -> None:
    fill(ledger, range(2000))
    stop, made = threading.Event(), []

    def back_up() -> None:
        made.extend(make_backup(root / "b", wanted(ledger.path), WALL + n, 9) for n in range(5))
        stop.set()

    thread = threading.Thread(target=back_up)
    thread.start()
    seq = 2000
    while not stop.is_set():
        fill(ledger, range(seq, seq + 10))
        seq += 10
    thread.join()
    for one in made:
        prove(one)
        found = ids(one.ledger)
        assert found == list(range(1, one.manifest.parts + 1))
        assert len(found) % 10 == 0
    assert made[-1].manifest.parts > made[0].manifest.parts >= 2000
    assert len(ids(ledger.path)) == seq


def test_backup_says_what_is_in_it(root: Path, ledger: Ledger) -> None:
    fill(ledger, range(30))
    (root / "station.toml").write_text("x")
    (root / "recipes").mkdir()
    (root / "recipes" / "cap.toml").write_text("y")
    files = {"config/station.toml": root / "station.toml", "state/recipes": root / "recipes"}
    made = make_backup(root / "b", Wanted(ledger.path, files, ("cap@1",), "1.0"), WALL, 7)
    assert made.name == "20231114T221320Z"
    read = read_backup(made.folder).manifest
    assert read == made.manifest
    assert sorted(read.files) == ["config/station.toml", "ledger.db", "state/recipes/cap.toml"]
    assert (read.ledger, read.parts, read.models) == (ledger.id, 30, ("cap@1",))
    assert read.newest_ns == WALL + 29_000_000


def test_only_the_newest_backups_stay_and_nothing_half_made(root: Path, ledger: Ledger) -> None:
    folder = root / "b"
    for second in range(5):
        (folder / "20200101T000000Z.part").mkdir(parents=True, exist_ok=True)
        make_backup(folder, wanted(ledger.path), WALL + second * SECOND, 3)
    kept = sorted(path.name for path in folder.iterdir())
    assert kept == ["20231114T221322Z", "20231114T221323Z", "20231114T221324Z"]
    assert [path.name for path in backups(folder, WALL + 9 * SECOND)] == kept
    again = make_backup(folder, wanted(ledger.path), WALL + 4 * SECOND, 3)
    assert again.name == "20231114T221324Z-2"
    assert backups(folder, WALL + 9 * SECOND)[-1] == again.folder


def test_backup_that_was_tampered_with_or_cut_short_is_refused(root: Path, ledger: Ledger) -> None:
    fill(ledger, range(100))
    made = make_backup(root / "b", wanted(ledger.path), WALL, 3)
    with made.ledger.open("r+b") as file:
        file.seek(5000)
        file.write(b"x")
    with pytest.raises(MaintainerError, match="not what its manifest says"):
        prove(made)
    (made.folder / "manifest.json").write_text("{")
    with pytest.raises(MaintainerError, match="is no backup"):
        read_backup(made.folder)


def test_damaged_ledger_is_not_backed_up_as_a_good_one(root: Path, ledger: Ledger) -> None:
    fill(ledger, range(3000))
    ledger.checkpoint()
    with ledger.path.open("r+b") as file:
        file.seek(20_000)
        file.write(b"\xa5" * 40_000)
    with pytest.raises(MaintainerError, match=r"damaged|malformed"):
        make_backup(root / "b", wanted(ledger.path), WALL, 3)
    assert list((root / "b").iterdir()) == []


def test_backup_leaves_room_on_a_small_disk(root: Path, ledger: Ledger) -> None:
    fill(ledger, range(100))
    (root / "disk").mkdir()
    with small_disk(root / "disk", "4m"):
        with pytest.raises(MaintainerError, match="MB are free"):
            make_backup(root / "disk", wanted(ledger.path), WALL, 3)
        assert shutil.disk_usage(root / "disk").used < 100_000


def test_backups_of_a_clock_that_was_ahead_go_before_the_one_just_made(
    root: Path, ledger: Ledger
) -> None:
    folder, ahead = root / "b", WALL + 5000 * 86_400 * SECOND
    for second in range(3):
        make_backup(folder, wanted(ledger.path), ahead + second * SECOND, 3)
    made = [make_backup(folder, wanted(ledger.path), WALL + n * SECOND, 3) for n in range(2)]
    now = WALL + 2 * SECOND
    assert [one.folder in backups(folder, now) for one in made] == [True, True]
    assert backups(folder, now)[-1] == made[-1].folder
    assert len(backups(folder, now)) == 3


def test_power_cut_while_an_old_backup_goes_leaves_no_folder_for_good(
    root: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = root / "b"

    def cut(path: Path, **_more: object) -> None:
        if (path / "manifest.json").exists():
            (path / "manifest.json").unlink()

    make_backup(folder, wanted(ledger.path), WALL, 1)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", cut)
        make_backup(folder, wanted(ledger.path), WALL + SECOND, 1)
    made = make_backup(folder, wanted(ledger.path), WALL + 2 * SECOND, 1)
    assert list(folder.iterdir()) == [made.folder]


@pytest.mark.parametrize("name", ["config//etc/x", "/etc/x", "config/../x", "state/./x", "config/"])
def test_file_that_would_be_restored_to_elsewhere_is_refused(
    root: Path, ledger: Ledger, name: str
) -> None:
    """`inspector restore --config` runs as root, and what it reads belongs to record."""
    made = make_backup(root / "b", wanted(ledger.path), WALL, 3)
    manifest = made.folder / "manifest.json"
    said = json.loads(manifest.read_text())
    said["files"][name] = said["files"]["ledger.db"]
    manifest.write_text(json.dumps(said))
    with pytest.raises(MaintainerError, match="list of files is not in order"):
        read_backup(made.folder)
