"""A ledger from a backup in the place of one that is damaged, lost or not wanted any more.

Promises: a backup is proven before anything is changed; the present ledger is set aside, never
overwritten; whenever the power fails, the next start finds the one or the other, whole. What comes
after a restore is counted under another identity (see `epochs`), and the gap is told.
Never: repairs a ledger.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from inspector.core.bundle_folder import flush
from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.devices.ledger import epochs, schema
from inspector.devices.ledger.backup import LEDGER, Backup, backups, proven_copy, read_backup
from inspector.devices.ledger.copying import Alive, nothing
from inspector.devices.ledger.lost import lost_ledger
from inspector.devices.ledger.reading import open_stopped

READY = ".ready"  # made from a backup, and to be put in the ledger's place
MAKING = ".restoring"
RECORDED = "SELECT value FROM sum WHERE name = 'committed'"
TAILS = ("", "-wal", "-shm")


@dataclass(frozen=True)
class Prepared:
    """A ledger that has only to be put in its place. `gap`: what is missing in it, in words."""

    path: Path
    backup: Backup
    gap: str


def prepare(
    path: Path, backup: Backup, wall_ns: int, alive: Alive = nothing, damaged: bool = False
) -> Prepared:
    """Make the ledger of a backup ready beside the one at `path`; what that one, if it is not
    `damaged`, cannot have sent is counted yet. Raises MaintainerError."""
    made, ready = _beside(path, MAKING), _beside(path, READY)
    _remove(made)
    try:
        proven_copy(backup.ledger, backup.manifest.files[LEDGER], alive, made)
        gap = _take_over(made, wall_ns, gap_of(path, backup, wall_ns), None if damaged else path)
        made.chmod(0o640)
        _hand_to_owner(made)
        flush(made)
        made.replace(ready)
        flush(path.parent)
    except (OSError, sqlite3.Error) as error:
        _remove(made)
        raise MaintainerError(f"{made}: cannot be written ({error})") from None
    except MaintainerError:
        _remove(made)
        raise
    return Prepared(ready, backup, gap)


def prepare_newest(
    path: Path, folder: Path, wall_ns: int, alive: Alive = nothing
) -> tuple[Prepared | None, list[str]]:
    """Of the newest backup that can be used, for a ledger that is damaged; and what is wrong with
    those that cannot."""
    problems: list[str] = []
    for one in reversed(backups(folder, wall_ns)):
        try:
            return prepare(path, read_backup(one), wall_ns, alive, damaged=True), problems
        except MaintainerError as error:
            problems.append(str(error))
    return None, problems


def put_in_place(path: Path, wall_ns: int) -> bool:
    """Where there is no ledger, the one that is ready. True when there was one. Raises OSError."""
    ready = _beside(path, READY)
    if path.exists() or not ready.exists():
        return False
    set_aside(path, "left", wall_ns)  # a log, where the power failed while its ledger was
    ready.replace(path)
    flush(path.parent)
    return True


def forget(path: Path) -> None:
    """A restore that was broken off before the ledger was set aside: whoever wants it asks anew."""
    _remove(_beside(path, READY))


def set_aside(path: Path, why: str, wall_ns: int) -> Path:
    """Rename the ledger and its log, which stay usable together; `why` is part of the new name.
    Raises OSError."""
    when = datetime.fromtimestamp(wall_ns // SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")
    names = _names(f"{path.name}.{why}-{when}")
    target = next(
        path.with_name(name)
        for name in names
        if not any(path.with_name(name + tail).exists() for tail in TAILS)
    )
    for tail in TAILS:
        if (here := path.with_name(path.name + tail)).exists():
            here.rename(target.with_name(target.name + tail))
    return target


def gap_of(path: Path, backup: Backup, wall_ns: int) -> str:
    """What is missing after a restore, as far as it can be known."""
    newest = backup.manifest.newest_ns or backup.manifest.made_ns
    lost = _parts_in(path) - backup.manifest.parts
    parts = f" ({lost} parts)" if lost > 0 else ""
    return (
        f"restored from backup {backup.name}: what was recorded from {_utc(newest)} "
        f"to {_utc(wall_ns)}{parts} is missing; totals go on in a new stream"
    )


def _take_over(made: Path, wall_ns: int, gap: str, lost: Path | None) -> str:
    """Begin another identity in it. Returns what is told of it."""
    with closing(sqlite3.connect(made, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        schema.migrate(database, made)
        due = _due(database, lost)
        database.execute("BEGIN IMMEDIATE")
        gap = epochs.begin_next(database, wall_ns, gap, due)
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return gap


def _due(database: sqlite3.Connection, lost: Path | None) -> epochs.Due:
    if lost:
        with suppress(sqlite3.Error), lost_ledger(lost) as here:  # else: what it sent is not known
            return epochs.due_windows(database, here)
    return epochs.due_windows(database, None)


def _parts_in(path: Path) -> int:
    """How many a ledger has recorded that may be damaged; 0 where it cannot be read."""
    try:
        with closing(open_stopped(path)) as database:
            found = database.execute(RECORDED).fetchone()
    except sqlite3.Error:
        return 0
    return int(found[0])


def _hand_to_owner(made: Path) -> None:
    """Who restores may be root; the ledger is of whoever owns its folder."""
    if os.geteuid() == 0:
        owner = made.parent.stat()
        os.chown(made, owner.st_uid, owner.st_gid)


def _remove(path: Path) -> None:
    for tail in TAILS:
        with suppress(OSError):
            path.with_name(path.name + tail).unlink(missing_ok=True)


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _names(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        number += 1
        yield f"{name}-{number}"


def _utc(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
