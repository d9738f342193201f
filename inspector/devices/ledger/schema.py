"""How an older ledger becomes a current one; its tables and views are in `migrations`.

Promises: every change of the tables is one more migration, done whole or not at all; a ledger
made by a newer program is refused. The views are for a person with any SQLite tool.
Never: changes a migration that has been delivered.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.devices.ledger.migrations import MIGRATIONS

__all__ = ["MIGRATIONS", "migrate", "refuse_newer", "version_of"]


def migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[str] = MIGRATIONS
) -> None:
    """Bring the tables up to date. Raises MaintainerError when they are ahead of this program."""
    version = version_of(connection)
    refuse_newer(version, path, len(migrations))
    for number, script in enumerate(migrations[version:], version + 1):
        # One script, one transaction: executescript would commit what is open before it.
        connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version={number};COMMIT;")


def version_of(connection: sqlite3.Connection) -> int:
    """The number of migrations this ledger has been through."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def refuse_newer(version: int, path: Path, known: int = len(MIGRATIONS)) -> None:
    if version > known:
        raise MaintainerError(
            f"{path}: was written by a newer program (ledger version {version}, this program knows "
            f"up to {known}); install that program again, or move the file away"
        )
