"""The identities of a ledger: one more with each restore from a backup.

Promises: totals rows and notices are numbered from 1 without gaps within each identity; those of
an earlier identity keep it and their numbers until they are delivered; a window belongs to one
identity alone, so that no part is counted under two; parts that may be in no total are told of.
Never: uses a number again that may have left the station before the restore.
"""

import sqlite3
import uuid
from dataclasses import dataclass

from inspector.devices.ledger.lost import Lost

ENDLESS = 2**62

_COLUMNS = f"""id, ledger, rows_before, coalesce(rows_through, {ENDLESS}),
    notices_before, coalesce(notices_through, {ENDLESS}), rows_through IS NULL"""
NEWEST = f"SELECT {_COLUMNS} FROM epoch ORDER BY id DESC LIMIT 1"
COUNT = "SELECT max(id) FROM epoch"
OF_LEDGER = f"SELECT {_COLUMNS} FROM epoch WHERE ledger = ?"
# Of either lane the oldest that still has something to deliver, else the newest.
TO_DELIVER = {
    "totals": f"""SELECT {_COLUMNS} FROM epoch WHERE rows_through IS NULL
    OR EXISTS (SELECT 1 FROM window_total INDEXED BY window_total_pending
        WHERE status = 'pending' AND "row" > rows_before AND "row" <= rows_through)
ORDER BY id LIMIT 1""",
    "events": f"""SELECT {_COLUMNS} FROM epoch WHERE rows_through IS NULL
    OR EXISTS (SELECT 1 FROM notice INDEXED BY notice_pending
        WHERE status = 'pending' AND id > notices_before AND id <= notices_through)
ORDER BY id LIMIT 1""",
}
BEGIN_FIRST = """INSERT INTO epoch (id, ledger, begun_ns, rows_before, notices_before)
SELECT 1, ?, ?, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM epoch)"""
END = """UPDATE epoch SET
    rows_through = max(rows_before, (SELECT coalesce(max("row"), 0) FROM window_total)),
    notices_through = max(notices_before, (SELECT coalesce(max(id), 0) FROM notice))
WHERE rows_through IS NULL RETURNING ledger, rows_through, notices_through"""
BEGIN = """INSERT INTO epoch
    (ledger, begun_ns, rows_before, notices_before, gap, told)
VALUES (?, ?, ?, ?, ?, 0)"""
# Windows that are to be counted: how many parts of each were, and how many there are.
UNCOUNTED = """SELECT span.id, (SELECT triggers FROM window_total WHERE span_id = span.id
        ORDER BY revision DESC LIMIT 1), (SELECT count(*) FROM outcome WHERE span_id = span.id),
    span.start_s, span.end_s, span.recipe, span.lot, span.model
FROM dirty_window JOIN span ON span.id = dirty_window.span_id
WHERE span.epoch = (SELECT max(id) FROM epoch) AND NOT span.thinned"""
TAKE_ALONG = "UPDATE span SET epoch = (SELECT max(id) FROM epoch) WHERE id = ?"
REACHED = """SELECT (SELECT coalesce(max("row"), 0) FROM window_total),
    (SELECT coalesce(max(id), 0) FROM notice)"""
# What was under way to the broker is not known any more: it goes again, under its own identity.
FORGET_SENT = """UPDATE window_total SET sent_ns = NULL WHERE status = 'pending'"""
FORGET_NOTICES = "UPDATE notice SET sent_ns = NULL WHERE status = 'pending'"
KEEP_LANE = "UPDATE lane SET name = name || '@' || ? WHERE name = 'sparkplug'"
UNTOLD = "SELECT id, gap FROM epoch WHERE told = 0 ORDER BY id"
TOLD = "UPDATE epoch SET told = 1 WHERE id = ?"
PUT_META = """INSERT INTO meta (key, value) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value"""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One identity. Its rows and notices lie beyond `..._before`, up to `..._through`, in the
    ledger's own numbers; from 1 on in those that leave."""

    id: int
    ledger: str  # 32 hexadecimal digits
    rows_before: int
    rows_through: int
    notices_before: int
    notices_through: int
    newest: bool

    def before(self, lane: str) -> int:
        return self.rows_before if lane == "totals" else self.notices_before

    def through(self, lane: str) -> int:
        return self.rows_through if lane == "totals" else self.notices_through

    def lane_name(self, lane: str) -> str:
        """The name under which a lane's place is kept."""
        return lane if self.newest or lane != "sparkplug" else f"{lane}@{self.ledger}"


@dataclass(frozen=True, slots=True)
class Due:
    """Windows that were to be counted when an identity ends: the next one's own, because nothing
    was sent of them, and parts of others that can be counted under none."""

    ours: tuple[int, ...]
    behind: int


def newest(db: sqlite3.Connection) -> Epoch:
    """The identity of what is counted now."""
    return Epoch(*db.execute(NEWEST).fetchone())


def epoch_of(db: sqlite3.Connection, ledger: str) -> Epoch | None:
    """The identity of this name, if this ledger has it."""
    row = db.execute(OF_LEDGER, (ledger,)).fetchone()
    return Epoch(*row) if row else None


def begin_first(db: sqlite3.Connection, ledger: str, wall_ns: int) -> None:
    """Of a ledger that has none yet."""
    db.execute(BEGIN_FIRST, (ledger, wall_ns))


def reached(db: sqlite3.Connection) -> tuple[int, int]:
    """The last totals row and the last notice, in the ledger's own numbers."""
    rows, notices = db.execute(REACHED).fetchone()
    return int(rows), int(notices)


def begin_next(db: sqlite3.Connection, wall_ns: int, gap: str, due: Due) -> str:
    """Within a transaction, in a ledger that was restored: what comes now is of another identity.
    `gap`: what is told of it at the next start. Returns that, with what is in no total."""
    if due.behind:
        gap = f"{gap}; {due.behind} older parts may be in no total"
    ((before, rows, notices),) = db.execute(END).fetchall()
    ledger = uuid.uuid4().hex
    db.execute(BEGIN, (ledger, wall_ns, rows, notices, gap))
    db.executemany(TAKE_ALONG, ((span,) for span in due.ours))
    db.execute(FORGET_SENT)
    db.execute(FORGET_NOTICES)
    db.execute(KEEP_LANE, (before,))
    db.execute(PUT_META, ("ledger", ledger))
    return gap


def due_windows(db: sqlite3.Connection, lost: Lost | None) -> Due:
    """What is yet to be counted in a copy of an earlier moment. `lost`: the ledger that was here;
    None where that cannot be known."""
    (rows, _), ledger, ours, behind = reached(db), newest(db).ledger, list[int](), 0
    for span, counted, parts, *window in db.execute(UNCOUNTED).fetchall():
        sent = lost.sent(tuple(window), ledger, rows) if lost else None
        if sent == 0 and counted is None:
            ours.append(span)
        else:
            behind += max(0, parts - max(sent or 0, counted or 0))
    return Due(tuple(ours), behind)


def take_untold(db: sqlite3.Connection) -> list[str]:
    """Within a transaction: the gaps that nobody has been told of; they count as told."""
    found = db.execute(UNTOLD).fetchall()
    db.executemany(TOLD, ((id,) for id, _ in found))
    return [gap for _, gap in found]
