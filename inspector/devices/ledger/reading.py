"""The connection of a reader: read-only, opened when it is first needed, to the file that is there.

Promises: sees only committed rows; follows when a new ledger takes the place of a damaged one.
Never: writes, checkpoints, or keeps a transaction open between two calls. One reader per thread.
"""

import sqlite3
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.devices.ledger import rows, schema
from inspector.devices.ledger.migrations import MIGRATIONS

PATIENCE_S = 1.0  # while a ledger is locked, which this program's own writer never does for long


class Reading:
    """Opens lazily, so that it may be made before there is a ledger."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._inode = -1

    def close(self) -> None:
        if self._db:
            self._db.close()
        self._db = None

    def _rows(self, query: str, *values: str | int) -> list[rows.Row]:
        try:
            return self._current().execute(query, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise MaintainerError(f"{self._path}: cannot be read ({error})") from None

    def _number(self, query: str, *values: str | int) -> int:
        """The first value of the first row; 0 where there is none."""
        found = self._rows(query, *values)
        return int(found[0][0] or 0) if found else 0

    def _current(self) -> sqlite3.Connection:
        """The connection to the file that is there now."""
        try:
            inode = self._path.stat().st_ino
        except OSError as error:
            self.close()
            raise MaintainerError(
                f"{self._path}: cannot be read ({error.strerror}); is record running?"
            ) from None
        if self._db is None or inode != self._inode:
            self.close()
            self._db, self._inode = open_read_only(self._path), inode
        return self._db


def open_stopped(path: Path) -> sqlite3.Connection:
    """A ledger of whatever version that nobody writes: it is neither recovered nor checkpointed,
    and no log is begun beside one that has none. Raises sqlite3.Error."""
    log = path.with_name(f"{path.name}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint. Raises sqlite3.Error, and
    MaintainerError when the ledger is of another version of this program."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=PATIENCE_S)
    try:
        version = schema.version_of(connection)
        if version != len(MIGRATIONS):
            raise MaintainerError(
                f"{path}: has ledger version {version}, this program reads "
                f"{len(MIGRATIONS)}; start record of this program first"
            )
    except BaseException:
        connection.close()
        raise
    return connection
