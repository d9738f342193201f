"""The tables of a receiver of totals, and how its file is opened.

Promises: one writer at a time; a file of another program or another version is left as it is.
Never: a row; those are entered in the room's own module.
"""

import fcntl
import sqlite3
import uuid
from pathlib import Path
from typing import IO

from inspector.core.errors import MaintainerError

APPLICATION = 0x494E5352  # "INSR", in the file's own head
SCHEMA = 1
TABLES = """
PRAGMA application_id = 0x494E5352;
PRAGMA user_version = 1;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    stream TEXT NOT NULL,
    through INTEGER NOT NULL,
    highest INTEGER NOT NULL,
    voids INTEGER NOT NULL,
    given_up INTEGER NOT NULL,
    clashes INTEGER NOT NULL,
    pass INTEGER NOT NULL,
    fail INTEGER NOT NULL,
    review INTEGER NOT NULL,
    fault INTEGER NOT NULL,
    cumulative_seq INTEGER NOT NULL,
    cumulative_pass INTEGER NOT NULL,
    cumulative_fail INTEGER NOT NULL,
    cumulative_review INTEGER NOT NULL,
    cumulative_fault INTEGER NOT NULL,
    first_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    UNIQUE (device, stream)
) STRICT;
CREATE TABLE received (
    stream_id INTEGER NOT NULL REFERENCES stream (id),
    seq INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    PRIMARY KEY (stream_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE window (
    stream_id INTEGER NOT NULL REFERENCES stream (id),
    start TEXT NOT NULL,
    "end" TEXT NOT NULL,
    recipe TEXT NOT NULL,
    lot TEXT NOT NULL,
    model TEXT NOT NULL,
    revision INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    pass INTEGER NOT NULL,
    fail INTEGER NOT NULL,
    review INTEGER NOT NULL,
    fault INTEGER NOT NULL,
    produced INTEGER NOT NULL,
    good INTEGER NOT NULL,
    scrap INTEGER NOT NULL,
    rework INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (stream_id, start, "end", recipe, lot, model)
) STRICT, WITHOUT ROWID;
CREATE VIEW quantity AS
    SELECT stream.device, window.recipe, window.lot, window.model, min(window.start) AS start,
        max(window."end") AS "end", sum(produced) AS produced, sum(good) AS good,
        sum(scrap) AS scrap, sum(rework) AS rework
    FROM window JOIN stream ON stream.id = window.stream_id
    WHERE produced > 0
    GROUP BY stream.device, window.recipe, window.lot, window.model;
"""
PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA busy_timeout = 2000;
"""
STREAMS = """SELECT id, device, stream, through, voids, given_up, clashes,
    pass, fail, review, fault, cumulative_seq,
    cumulative_pass, cumulative_fail, cumulative_review, cumulative_fault
FROM stream ORDER BY id"""
LAST_HEARD = "SELECT device, stream FROM stream ORDER BY last_ns, id"
ADD_STREAM = f"""INSERT INTO stream VALUES (NULL, ?, ?, {", ".join("0" for _ in range(14))}, ?, ?)
RETURNING id"""
KEEP_STREAM = """UPDATE stream SET through = ?, highest = ?, voids = ?, given_up = ?, clashes = ?,
    pass = ?, fail = ?, review = ?, fault = ?, cumulative_seq = ?, cumulative_pass = ?,
    cumulative_fail = ?, cumulative_review = ?, cumulative_fault = ?, last_ns = ? WHERE id = ?"""
# Rows without a gap between them share `seq` minus their place in the order.
RUNS = """SELECT min(seq), max(seq) FROM (
    SELECT seq, seq - row_number() OVER (ORDER BY seq) AS run FROM received
    WHERE stream_id = ? AND seq > ?) GROUP BY run ORDER BY 1"""
MARK = "SELECT mark FROM received WHERE stream_id = ? AND seq = ?"
KEEP_MARK = "INSERT OR REPLACE INTO received VALUES (?, ?, ?)"
LATEST = """SELECT revision, pass, fail, review, fault FROM window WHERE stream_id = ?
    AND start = ? AND "end" = ? AND recipe = ? AND lot = ? AND model = ?"""
KEEP_WINDOW = f"INSERT OR REPLACE INTO window VALUES ({', '.join('?' * 17)})"
WINDOWS = "SELECT message FROM window WHERE stream_id = ? ORDER BY seq"


def open_file(path: Path, read_only: bool) -> sqlite3.Connection:
    """A connection. Raises MaintainerError when there is none to be had."""
    if read_only and not path.is_file():
        raise MaintainerError(f"{path}: no such file; receive something into it first")
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    try:
        db = sqlite3.connect(uri, uri=True, isolation_level=None, cached_statements=64)
        try:
            _prepare(db, path, read_only)
        except (sqlite3.Error, MaintainerError):
            db.close()
            raise
    except sqlite3.Error as error:
        raise MaintainerError(
            f"{path}: is no receiver's file, or cannot be opened ({error}); give another --db"
        ) from None
    return db


def _prepare(db: sqlite3.Connection, path: Path, read_only: bool) -> None:
    ((application,), (version,)) = (
        db.execute(f"PRAGMA {one}").fetchone() for one in ("application_id", "user_version")
    )
    empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if empty and not read_only:
        db.executescript(f"{PRAGMAS}BEGIN;{TABLES}")
        db.execute("INSERT INTO meta VALUES ('identity', ?)", (uuid.uuid4().hex,))
        db.execute("COMMIT")
    elif application != APPLICATION:
        raise MaintainerError(f"{path}: is another program's file; give another --db")
    elif version != SCHEMA:
        raise MaintainerError(
            f"{path}: has schema {version}, {SCHEMA} is wanted; give another --db"
        )
    elif not read_only:
        db.executescript(PRAGMAS)


def lock_file(path: Path) -> IO[bytes]:
    """The right to write, as long as what is returned stays open. Raises MaintainerError."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        file = lock.open("ab")
    except OSError as error:
        raise MaintainerError(
            f"{path}: cannot be written ({error.strerror}); mend the folder, or give another --db"
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise MaintainerError(f"{path}: another receiver writes it; end that one first") from None
    return file
