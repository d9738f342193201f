"""What became of what was handed to the plant's broker: marks on totals rows and on notices.

Promises: what is delivered stays delivered, and counts as sent; a mark that was meant for another
ledger, or for a row that is not there, changes nothing.
Never: marks a row as delivered for a receiver's word when it has never been sent.
"""

import sqlite3
from collections.abc import Iterable

from inspector.core.messages import Delivered, LaneAt
from inspector.devices.ledger.epochs import Epoch, epoch_of

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
WHERE status = 'pending' AND {1} > ? AND {1} <= ? AND sent_ns IS NOT NULL"""
_ALL = {"sent": _SENT, "delivered": _DELIVERED, "quarantined": _QUARANTINED, "through": _THROUGH}
SQL = {
    (lane, what): text.format(*names)
    for lane, names in TABLES.items()
    for what, text in _ALL.items()
}
PUT_LANE = """INSERT INTO lane (name, through) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET through = excluded.through"""


def add_marks(db: sqlite3.Connection, marks: Iterable[Delivered], wall_ns: int) -> None:
    """Within a transaction, in their order."""
    for mark in marks:
        if epoch := epoch_of(db, mark.ledger):
            _add(db, epoch, mark, wall_ns)


def put_lanes(db: sqlite3.Connection, lanes: Iterable[LaneAt]) -> None:
    """Within a transaction: how far lanes without acknowledgements have got."""
    for at in lanes:
        if epoch := epoch_of(db, at.ledger):
            db.execute(PUT_LANE, (epoch.lane_name(at.lane), at.through))


def _add(db: sqlite3.Connection, epoch: Epoch, mark: Delivered, wall_ns: int) -> None:
    """A mark bears the numbers that leave; a row beyond its identity is another's."""
    before, through = epoch.before(mark.lane), epoch.through(mark.lane)
    rows = [before + row for row in mark.rows if row <= through - before]
    statement = SQL[mark.lane, mark.status]
    if mark.status == "sent":
        db.executemany(statement, ((wall_ns, row) for row in rows))
    else:
        db.executemany(statement, ((wall_ns, mark.detail, row) for row in rows))
    if mark.through >= 0:
        last = min(through, before + mark.through)
        db.execute(SQL[mark.lane, "through"], (wall_ns, before, last))
