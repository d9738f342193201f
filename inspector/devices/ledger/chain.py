"""The audit chain as it lies in a ledger, or in a copy of one.

Promises: reads entries one by one, so that a chain of any length can be proven; a copy beside which
there is no log is read without a byte of it or beside it being changed, wherever it lies.
Never: judges the chain; that is `domain.audit`'s.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.devices.ledger.writer import Ledger
from inspector.domain.audit import Entry

_COLUMNS = "id, wall_ns, who, action, detail, previous, hash"
ALL = f"SELECT {_COLUMNS} FROM audit ORDER BY id"
NEWEST = f"SELECT {_COLUMNS} FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?"
# A detail that somebody has tampered with is no JSON, and no reason not to start.
TRIES = """SELECT wall_ns, who, action FROM audit
WHERE wall_ns >= ? AND (action = 'login' OR CASE
    WHEN action = 'login_refused' AND json_valid(detail)
    THEN json_extract(detail, '$.code') = 'wrong_pin' END)
ORDER BY id"""

LAST = 2**63 - 1

Row = tuple[int, int, str, str, str, str, str]


@dataclass(frozen=True)
class Try:
    """Somebody gave a PIN for this name."""

    wall_ns: int
    name: str
    right: bool


def entries(path: Path) -> Iterator[Entry]:
    """The whole chain from its first entry, as of one moment. Raises MaintainerError."""
    return (Entry(*row) for row in _rows(path, ALL))


def newest(path: Path, limit: int, before: int = LAST) -> list[Entry]:
    """The last entries before this id, newest first. Raises MaintainerError."""
    return [Entry(*row) for row in _rows(path, NEWEST, before, limit)]


def tries(ledger: Ledger, since_wall_ns: int) -> list[Try]:
    """Every try at a PIN that the chain tells of, oldest first. Raises CannotWrite or Damaged."""
    found = ledger.write(lambda database: database.execute(TRIES, (since_wall_ns,)).fetchall())
    return [Try(wall, who, action == "login") for wall, who, action in found]


def _rows(path: Path, query: str, *values: int) -> Iterator[Row]:
    if not path.is_file():
        raise MaintainerError(f"{path}: is no ledger; give the station's --root, or --file")
    try:
        with closing(_opened(path)) as connection:
            yield from connection.execute(query, values)
    except sqlite3.Error as error:
        raise MaintainerError(f"{path}: cannot be read ({error})") from None


def _opened(path: Path) -> sqlite3.Connection:
    """Of any version of the ledger: the chain has been the same in all of them."""
    log = path.with_name(path.name + "-wal")
    still = "" if log.exists() else "&immutable=1"  # nobody has it open
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{still}", uri=True)
