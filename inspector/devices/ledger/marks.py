"""What became of what was handed to the plant's broker: marks on totals rows and on notices.

Promises: what is delivered stays delivered, and counts as sent; a mark that was meant for another
ledger, or for a row that is not there, changes nothing.
Never: marks a row as delivered for a receiver's word when it has never been sent.
"""

import sqlite3
from collections.abc import Iterable

from inspector.core.messages import Delivered, LaneAt

# Each lane's table, the key of its rows and the index of those that are pending.
TABLES = {
    "totals": ("window_total", '"row"', "window_total_pending"),
    "events": ("notice", "id", "notice_pending"),
}
_SENT = "UPDATE {0} SET sent_ns = ? WHERE {1} = ? AND status = 'pending'"
_DELIVERED = """UPDATE {0} SET status = 'delivered', status_ns = ?1, status_detail = ?2,
    sent_ns = coalesce(sent_ns, ?1) WHERE {1} = ?3 AND status <> 'delivered'"""
_QUARANTINED = """UPDATE {0} SET status = 'quarantined', status_ns = ?1, status_detail = ?2
WHERE {1} = ?3 AND status <> 'delivered'"""
_THROUGH = """UPDATE {0} INDEXED BY {2} SET status = 'delivered', status_ns = ?
WHERE status = 'pending' AND {1} <= ? AND sent_ns IS NOT NULL"""
_ALL = {"sent": _SENT, "delivered": _DELIVERED, "quarantined": _QUARANTINED, "through": _THROUGH}
SQL = {
    (lane, what): text.format(*names)
    for lane, names in TABLES.items()
    for what, text in _ALL.items()
}
PUT_LANE = """INSERT INTO lane (name, through) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET through = excluded.through"""


def add_marks(
    db: sqlite3.Connection, ledger: str, marks: Iterable[Delivered], wall_ns: int
) -> None:
    """Within a transaction, in their order."""
    for mark in marks:
        if mark.ledger == ledger:
            _add(db, mark, wall_ns)


def put_lanes(db: sqlite3.Connection, ledger: str, lanes: Iterable[LaneAt]) -> None:
    """Within a transaction: how far lanes without acknowledgements have got."""
    db.executemany(PUT_LANE, ((at.lane, at.through) for at in lanes if at.ledger == ledger))


def _add(db: sqlite3.Connection, mark: Delivered, wall_ns: int) -> None:
    statement = SQL[mark.lane, mark.status]
    if mark.status == "sent":
        db.executemany(statement, ((wall_ns, row) for row in mark.rows))
    else:
        db.executemany(statement, ((wall_ns, mark.detail, row) for row in mark.rows))
    if mark.through >= 0:
        db.execute(SQL[mark.lane, "through"], (wall_ns, mark.through))
