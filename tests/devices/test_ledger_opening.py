"""Opening a ledger: new, older, newer, damaged, and where nothing can be written."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.disks import remount, small_disk
from support.outcomes import WALL, outcome

from inspector.core.errors import MaintainerError
from inspector.devices.ledger import CannotWrite, Damaged, Ledger, LedgerReader
from inspector.devices.ledger.opening import find_damage
from inspector.devices.ledger.schema import MIGRATIONS, migrate, version_of

# Commits some outcomes and dies without closing, so that they stand in the log alone.
KILLED = """
import os, sys
from pathlib import Path
from inspector.devices.ledger import Ledger
from support.outcomes import WALL, outcome
ledger = Ledger(Path(sys.argv[1]), 60, 0, WALL)
ledger.commit([(outcome(seq), False) for seq in range(300)], (), (), WALL)
os._exit(9)
"""


def opened(path: Path) -> Ledger:
    return Ledger(path, 60, 0, WALL)


def killed(path: Path) -> None:
    """Leave a ledger behind as kill -9 does."""
    command = [sys.executable, "-c", KILLED, str(path)]
    assert subprocess.run(command, cwd=Path(__file__).parents[1]).returncode == 9


def content(path: Path) -> dict[str, bytes]:
    return {
        entry.name: entry.read_bytes()
        for entry in path.parent.iterdir()
        if entry.is_file() and not entry.name.endswith("-shm")
    }


def test_every_migration_is_made_at_once_or_not_at_all(root: Path) -> None:
    path = root / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        migrate(database, path)
        assert version_of(database) == len(MIGRATIONS)
        broken = (*MIGRATIONS, "CREATE TABLE later (a INTEGER) STRICT; CREATE TABLE meta (a)")
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(database, path, broken)
        database.execute("ROLLBACK")
        assert version_of(database) == len(MIGRATIONS)
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        assert "later" not in tables


def test_older_ledger_is_brought_up_to_date(root: Path) -> None:
    path = root / "ledger.db"
    opened(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        migrate(database, path, (*MIGRATIONS, "CREATE TABLE later (a INTEGER) STRICT"))
        assert version_of(database) == len(MIGRATIONS) + 1
        assert database.execute("SELECT count(*) FROM later").fetchone() == (0,)


def test_ledger_is_kept_as_promised(root: Path) -> None:
    ledger = opened(root / "ledger.db")
    assert ledger._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    loose = ledger._db.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
        " AND NOT strict AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    assert loose == []
    ledger.close()


def test_newer_ledger_is_refused_untouched(root: Path) -> None:
    path = root / "ledger.db"
    opened(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    before = content(path)
    with pytest.raises(MaintainerError, match=rf"ledger version 99.*up to {len(MIGRATIONS)}"):
        opened(path)
    assert content(path) == before
    with pytest.raises(MaintainerError, match="version 99"):
        LedgerReader(path).pending()


def test_newer_ledger_that_was_killed_is_refused_untouched(root: Path) -> None:
    path = root / "ledger.db"
    killed(path)
    script = (
        "import os, sqlite3, sys; d = sqlite3.connect(sys.argv[1]);"
        "d.execute('PRAGMA user_version = 99'); os._exit(9)"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=Path(__file__).parents[1], check=False
    )
    before = content(path)
    assert "ledger.db-wal" in before
    with pytest.raises(MaintainerError, match="version 99"):
        opened(path)
    assert content(path) == before


def test_killed_writer_loses_nothing(root: Path) -> None:
    path = root / "ledger.db"
    killed(path)
    ledger = opened(path)
    assert ledger.set_aside is None
    assert ledger.committed == 300
    ledger.close()


def spoil(path: Path, at: int, length: int = 4096) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * length)


@pytest.mark.parametrize("how", ["text", "head", "middle", "cut", "log", "log alone"])
def test_damaged_ledger_is_set_aside(root: Path, how: str) -> None:
    path = root / "ledger.db"
    killed(path)
    if not how.startswith("log"):  # else the log would mend it
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage = {
        "text": lambda: path.write_text("this is no database, but it is long enough" * 100),
        "head": lambda: spoil(path, 0, 100),
        "middle": lambda: spoil(path, 4096, path.stat().st_size - 4096),
        "cut": lambda: os.truncate(path, path.stat().st_size // 2),
        "log": lambda: spoil(root / "ledger.db-wal", 0, 32),
        "log alone": lambda: path.unlink(),
    }
    damage[how]()
    ledger = opened(path)
    assert ledger.damage
    assert ledger.set_aside is not None
    aside = {entry.name for entry in root.iterdir() if ".corrupt-20231114T221320Z" in entry.name}
    assert aside
    assert ledger.committed == 0
    assert len(ledger.commit([(outcome(1), False)], (), (), WALL)) == 1
    ledger.close()


def test_log_set_aside_can_still_be_read_with_its_ledger(root: Path) -> None:
    path = root / "ledger.db"
    killed(path)
    ledger = Ledger(path, 60, 0, WALL, damage="found while it was open")
    assert ledger.set_aside is not None
    with closing(sqlite3.connect(ledger.set_aside)) as database:
        assert database.execute("SELECT count(*) FROM outcome").fetchone() == (300,)
    ledger.close()


def test_second_damage_within_a_second_gets_its_own_name(root: Path) -> None:
    path = root / "ledger.db"
    names = set()
    for _ in range(3):
        path.write_text("no database " * 100)
        ledger = opened(path)
        names.add(ledger.set_aside)
        ledger.close()
    assert len(names) == 3


def test_new_ledger_has_a_new_identity(root: Path) -> None:
    path = root / "ledger.db"
    first = opened(path)
    first.close()
    reader = LedgerReader(path)
    assert reader.ledger_id() == first.id
    second = Ledger(path, 60, 0, WALL, damage="test")
    assert second.id != first.id
    assert reader.ledger_id() == second.id  # the reader follows
    reader.close()
    second.close()


def test_damage_while_running_is_told(root: Path) -> None:
    path = root / "ledger.db"
    ledger = opened(path)
    ledger.commit([(outcome(seq), False) for seq in range(300)], (), (), WALL)
    ledger.checkpoint()
    ledger._db.execute("PRAGMA cache_size = 0")
    spoil(path, 4096, path.stat().st_size - 4096)
    with pytest.raises(Damaged, match=r"ledger\.db: is damaged"):
        ledger.commit([(outcome(seq), False) for seq in range(300, 600)], (), (), WALL)
    ledger.close()


def test_whole_or_missing_ledger_has_no_damage(root: Path) -> None:
    path = root / "ledger.db"
    assert find_damage(path) is None
    path.touch()
    assert find_damage(path) is None
    opened(path).close()
    assert find_damage(path) is None


def test_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(MaintainerError, match=r"/proc/ledger\.db: cannot be written"):
        opened(Path("/proc/ledger.db"))


def test_folder_in_the_place_of_the_ledger_is_named(root: Path) -> None:
    (root / "ledger.db").mkdir()
    with pytest.raises(MaintainerError, match="is a folder"):
        opened(root / "ledger.db")


def test_ledger_that_cannot_be_looked_at_now_may_be_had_later(root: Path) -> None:
    """A power cut has left a log, and the disk comes back read-only: its index cannot be made."""
    disk = root / "disk"
    disk.mkdir()
    with small_disk(disk, "8m"):
        path = disk / "ledger.db"
        with closing(Ledger(path, 60, 0, WALL)) as ledger:
            ledger.commit([(outcome(1), False)])
            log = path.with_name("ledger.db-wal").read_bytes()
        path.with_name("ledger.db-wal").write_bytes(log)
        remount(disk, "ro")
        with pytest.raises(CannotWrite, match="cannot be read"):
            Ledger(path, 60, 0, WALL)
