"""The audit chain's next entry, within a transaction.

Promises: an entry stands in the same transaction as what it tells of.
Never: changes an entry.
"""

import sqlite3
from collections.abc import Collection, Mapping

from inspector.devices.ledger import rows, sql
from inspector.domain import audit


def latest_action(db: sqlite3.Connection, who: str, actions: Collection[str]) -> str:
    """The newest of these actions that this person has an entry of, or nothing."""
    row = db.execute(sql.LATEST_ACTION, (who, rows.to_json(list(actions)))).fetchone()
    return str(row[0]) if row else ""


def add_audit(
    db: sqlite3.Connection, who: str, action: str, detail: Mapping[str, str], wall_ns: int
) -> None:
    """Link one entry to the chain's last."""
    last, previous = db.execute(sql.LAST_AUDIT).fetchone() or (0, audit.START)
    entry = audit.link(previous, last + 1, wall_ns, who, action, rows.to_json(dict(detail)))
    values = (entry.id, wall_ns, who, action, entry.detail, previous, entry.hash)
    db.execute(sql.ADD_AUDIT, values)
