"""Opening the ledger for its one writer: whole, current, and never silently without its past.

Promises: a ledger that is damaged is set aside under another name, with its log, and the newest
good backup takes its place, or a new one is begun where there is none; the caller learns of it. A
ledger of a newer program is left untouched. After an unclean stop the check is gone through with.
Never: repairs or deletes anything.
"""

import sqlite3
import struct
import time
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.devices.ledger import schema
from inspector.devices.ledger.copying import Alive, nothing
from inspector.devices.ledger.epochs import begin_first
from inspector.devices.ledger.failing import CannotWrite
from inspector.devices.ledger.reading import open_stopped
from inspector.devices.ledger.restore import forget, prepare_newest, put_in_place
from inspector.devices.ledger.restore import set_aside as move_aside

CHECK_STEPS = 100_000  # of SQLite's machine, between two looks at the time
CHECK_S = 1.5  # a check that takes longer is broken off; who opens may have it done beside the line
WAL_MAGIC = (0x377F0682, 0x377F0683)
WAL_HEADER = 32

PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA wal_autocheckpoint = 1000;
PRAGMA journal_size_limit = 16777216;
PRAGMA busy_timeout = 2000;
"""
PUT_META = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
GET_META = "SELECT value FROM meta WHERE key = ?"
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(frozen=True)
class Opened:
    """The writer's connection, the ledger's identity, and what had to be set aside, if anything."""

    connection: sqlite3.Connection
    ledger: str  # 32 hexadecimal digits
    set_aside: Path | None
    damage: str = ""
    restored: str = ""  # the backup that took its place
    problems: tuple[str, ...] = ()  # of backups that could not
    unchecked: bool = False  # the last stop was not a clean one, and the check was broken off


def open_ledger(
    path: Path,
    wall_ns: int,
    damage: str | None = None,
    backups: Path | None = None,
    alive: Alive = nothing,
) -> Opened:
    """Open or begin the ledger at `path`; one with known `damage` is set aside unseen. `backups`:
    where those are that may take its place; `alive`: called while that goes on.

    Raises CannotWrite when its folder cannot be written, and MaintainerError when a newer program
    wrote it.
    """
    _finish_restore(path, wall_ns)
    unclean, look = _size(_tail(path, "-wal")) > 0, _Look()
    damage = damage or find_damage(path, look)
    prepared, problems = None, list[str]()
    aside = None
    if damage:
        if backups:
            prepared, problems = prepare_newest(path, backups, wall_ns, alive)
        aside = set_aside(path, wall_ns)
        _finish_restore(path, wall_ns)
    else:
        forget(path)
    connection, ledger = _opened(path, wall_ns)
    restored = prepared.backup.name if prepared else ""
    unchecked = unclean and look.broken_off and not damage
    return Opened(connection, ledger, aside, damage or "", restored, tuple(problems), unchecked)


def _opened(path: Path, wall_ns: int) -> tuple[sqlite3.Connection, str]:
    connection = _connect(path)
    try:
        connection.executescript(PRAGMAS)
        schema.migrate(connection, path)
        connection.execute(PUT_META, ("ledger", uuid.uuid4().hex))
        connection.execute(PUT_META, ("begun_ns", str(wall_ns)))
        (ledger,) = connection.execute(GET_META, ("ledger",)).fetchone()
        begin_first(connection, ledger, wall_ns)
    except sqlite3.Error as error:
        connection.close()
        raise cannot_write(path, error) from None
    return connection, str(ledger)


@dataclass
class _Look:
    """How far a check has got."""

    broken_off: bool = False


def find_damage(path: Path, look: _Look | None = None) -> str | None:
    """What is wrong with the ledger at `path`, or None. Looks without changing a byte of it.

    Raises MaintainerError when a newer program wrote it or it cannot be read.
    """
    if not path.exists():
        return "its log is there without it" if _size(_tail(path, "-wal")) else None
    if path.is_dir():
        raise MaintainerError(f"{path}: is a folder; remove it, the ledger is a file")
    if _size(path) == 0:
        return None
    if broken := _wal_damage(_tail(path, "-wal")):
        return broken
    try:
        with closing(open_stopped(path)) as connection:
            schema.refuse_newer(schema.version_of(connection), path)
            return _quick_check(connection, look or _Look())
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        raise CannotWrite(f"{path}: cannot be read ({error}); mend its disk or mount") from None


def is_damage(error: sqlite3.Error) -> bool:
    """True when the error says that the file itself is damaged."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in DAMAGED


def set_aside(path: Path, wall_ns: int) -> Path:
    """Rename the ledger and its log, which stay usable together. Returns the new name."""
    try:
        return move_aside(path, "corrupt", wall_ns)
    except OSError as error:
        raise CannotWrite(
            f"{path}: is damaged and cannot be set aside ({error.strerror}); "
            "make its folder writable"
        ) from None


def cannot_write(path: Path, error: sqlite3.Error | OSError) -> CannotWrite:
    """The error as one line for the maintainer."""
    return CannotWrite(
        f"{path}: cannot be written ({error}); mend its folder's owner, mount or free space"
    )


def _finish_restore(path: Path, wall_ns: int) -> None:
    """A restore that a power cut has broken off after the ledger was set aside."""
    try:
        put_in_place(path, wall_ns)
    except OSError as error:
        raise cannot_write(path, error) from None


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, isolation_level=None, cached_statements=64)
    except sqlite3.Error as error:
        raise cannot_write(path, error) from None


def _quick_check(connection: sqlite3.Connection, look: _Look) -> str | None:
    """The first finding of SQLite's own check, None when there is none or time runs out."""
    until = time.monotonic() + CHECK_S
    connection.set_progress_handler(lambda: int(time.monotonic() > until), CHECK_STEPS)
    try:
        (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            look.broken_off = True
            return None
        raise
    return None if finding == "ok" else str(finding)


def _wal_damage(wal: Path) -> str | None:
    """SQLite takes a log whose head is damaged for an empty one, and would lose its commits."""
    if _size(wal) <= WAL_HEADER:
        return None
    head = _head(wal)
    magic = int.from_bytes(head[:4], "big")
    if magic not in WAL_MAGIC:
        return f"the head of its log {wal.name} is damaged"
    words = struct.unpack((">" if magic & 1 else "<") + "6I", head[:24])
    return None if _checksum(words) == head[24:] else f"the head of its log {wal.name} is damaged"


def _head(wal: Path) -> bytes:
    with wal.open("rb") as file:
        return file.read(WAL_HEADER)


def _checksum(words: tuple[int, ...]) -> bytes:
    """SQLite's checksum of a log's head: sums over pairs of 32-bit words."""
    first = second = 0
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return struct.pack(">II", first, second)


def _tail(path: Path, tail: str) -> Path:
    return path.with_name(path.name + tail)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
