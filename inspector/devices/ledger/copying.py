"""A copy of the ledger while it is written: one moment of it, proven whole.

Promises: the copy is of one moment, synced to the disk, and SQLite's own check found nothing; the
writer goes on meanwhile, its commits included, for the copy is read and written in small pieces
with rests between them.
Never: writes to the ledger or checkpoints it.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from inspector.core.bundle_folder import flush
from inspector.core.errors import MaintainerError
from inspector.devices.ledger.reading import open_read_only

PAGES = 128  # copied at once
REST_S = 0.002  # after each piece
SYNC_BYTES = 16 << 20  # so that the last sync is a short one
PIECE = 1 << 20

Alive = Callable[[], None]  # called now and then: this is work, not a hang


def nothing() -> None:
    """Nobody waits for a sign of life."""


def copy_ledger(source: Path, target: Path, alive: Alive = nothing) -> None:
    """Copy the open ledger `source` to the new file `target`. Raises MaintainerError."""
    try:
        with (
            closing(_source(source)) as ledger,
            closing(sqlite3.connect(target, isolation_level=None)) as copy,
            target.open("rb") as file,
        ):
            ledger.execute("BEGIN")
            ledger.execute("SELECT count(*) FROM meta").fetchone()  # from here on it is one moment
            copy.execute("PRAGMA synchronous = OFF")
            ledger.backup(copy, pages=PAGES, progress=_Gently(file.fileno(), alive))
        flush(target)
    except (sqlite3.Error, OSError) as error:
        raise MaintainerError(f"{target}: the copy of {source} failed ({error})") from None
    check(target, alive)


def _source(path: Path) -> sqlite3.Connection:
    """A reader; of a ledger that was closed in order, one that begins no log beside it."""
    if path.with_name(path.name + "-wal").exists():
        return open_read_only(path)
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None
    )


class _Gently:
    """Lets the line's own writes go before."""

    def __init__(self, target: int, alive: Alive) -> None:
        self._target, self._alive = target, alive
        self._unsynced = 0

    def __call__(self, _status: int, _remaining: int, _total: int) -> None:
        self._unsynced += PAGES * 4096
        if self._unsynced >= SYNC_BYTES:
            os.fdatasync(self._target)
            self._unsynced = 0
        self._alive()
        time.sleep(REST_S)


def check(path: Path, alive: Alive = nothing) -> None:
    """SQLite's own check of a ledger that nobody writes. Raises MaintainerError."""

    def still_there() -> int:
        alive()
        return 0

    try:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.set_progress_handler(still_there, 1_000_000)
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise MaintainerError(f"{path}: cannot be read ({error})") from None
    if found != "ok":
        raise MaintainerError(f"{path}: is damaged ({found})")


def check_open(path: Path) -> str:
    """SQLite's own check of a ledger that is being written, gently; what it found, or nothing.
    Raises MaintainerError when it cannot be read."""

    def rest() -> int:
        time.sleep(REST_S)
        return 0

    try:
        with closing(open_read_only(path)) as database:
            database.set_progress_handler(rest, 200_000)
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_CORRUPT:
            return str(error)
        raise MaintainerError(f"{path}: cannot be read ({error})") from None
    return "" if found == "ok" else str(found)


def digest(path: Path, alive: Alive = nothing, copy_to: Path | None = None) -> tuple[int, str]:
    """Size and SHA-256 of a file, which is copied on the way where that is wanted, and synced.
    Raises OSError."""
    size, sum = 0, hashlib.sha256()
    with path.open("rb") as source, (copy_to or Path(os.devnull)).open("wb") as target:
        while piece := source.read(PIECE):
            target.write(piece)
            sum.update(piece)
            size += len(piece)
            alive()
        if copy_to:
            target.flush()
            os.fsync(target.fileno())
    return size, sum.hexdigest()
