"""Letting go what is old, a little at a time.

Promises: parts go window by window, the oldest first, and never those of a window that is yet to
be counted, or whose totals nobody has yet; a window whose parts have begun to go is never counted
again, so that totals and cumulative counts stay as they were; what is freed is used again.
Never: deletes from the audit chain or the notices, a totals row that is not delivered, the newest
part or the newest row.
"""

import sqlite3
from dataclasses import dataclass

from inspector.devices.ledger import rows

EXAMINED = 200  # windows at one step

# Windows that still have parts, in the order of time, from a place on.
KEPT = """SELECT id, start_s, end_s,
    EXISTS (SELECT 1 FROM window_total WHERE span_id = span.id AND status = 'pending'),
    epoch = (SELECT max(id) FROM epoch)
        AND EXISTS (SELECT 1 FROM dirty_window WHERE span_id = span.id)
FROM span INDEXED BY span_with_parts
WHERE thinned < 2 AND start_s >= ? ORDER BY start_s LIMIT ?"""
BEGIN = "UPDATE span SET thinned = 1 WHERE id = ? AND thinned = 0"
# The newest part stays: the next one's number follows from it.
PARTS = """SELECT id FROM outcome WHERE span_id = ?
    AND id < (SELECT max(id) FROM outcome) LIMIT ?"""
_IDS = "IN (SELECT value FROM json_each(?))"
DEQUEUE = f"DELETE FROM to_review WHERE outcome_id {_IDS}"
DELETE = (
    f"DELETE FROM detail WHERE outcome_id {_IDS}",
    f"DELETE FROM review WHERE outcome_id {_IDS}",
    f"DELETE FROM outcome WHERE id {_IDS}",
)
CLEAN = "DELETE FROM dirty_window WHERE span_id = ?"
GONE = """UPDATE span SET thinned = 2
WHERE id = ? AND NOT EXISTS (SELECT 1 FROM outcome WHERE span_id = span.id)"""
# Windows without parts that are old enough and delivered; of the newest row's identity not its own.
OLD_WINDOWS = """SELECT id FROM span WHERE start_s < ?1 AND end_s <= ?1 AND thinned = 2
    AND NOT EXISTS (SELECT 1 FROM window_total WHERE span_id = span.id AND (status = 'pending'
        OR "row" = (SELECT max("row") FROM window_total)))
ORDER BY start_s LIMIT ?2"""
DELETE_WINDOWS = (
    f"DELETE FROM window_total WHERE span_id {_IDS}",
    f"DELETE FROM span WHERE id {_IDS}",
)
OLD_EVENTS = """DELETE FROM event WHERE id IN
    (SELECT id FROM event INDEXED BY event_by_time WHERE wall_ns < ? LIMIT ?)"""
OLD_DEPARTURES = """DELETE FROM departure WHERE id IN
    (SELECT id FROM departure INDEXED BY departure_by_time WHERE wall_ns < ? LIMIT ?)"""
OLD_ALARMS = "DELETE FROM alarm WHERE ended_ns < ? AND id < (SELECT max(id) FROM alarm)"


@dataclass(frozen=True, slots=True)
class Thinned:
    """What one step did. `next_s`: where the next look for parts begins; None: at the first."""

    deleted: int = 0
    to_review: int = 0  # so many fewer parts wait for a person
    next_s: int | None = None


def thin_parts(
    db: sqlite3.Connection, before_s: int, from_s: int, most: int, hold_pending: bool
) -> Thinned:
    """Within a transaction: let go at most `most` parts of the oldest window that ended by
    `before_s`. `hold_pending`: not of one whose totals are yet to be delivered."""
    next_s = None
    for span, start_s, end_s, pending, dirty in db.execute(KEPT, (from_s, EXAMINED)).fetchall():
        if end_s > before_s:
            break
        if dirty or (pending and hold_pending):
            next_s = start_s + 1
        elif done := _thin(db, span, start_s, most):
            return done
    else:
        return Thinned(next_s=next_s)
    return Thinned()


def thin_windows(db: sqlite3.Connection, before_s: int, most: int) -> int:
    """Within a transaction: totals rows of windows that ended by then, and have no parts."""
    ids = rows.to_json([id for (id,) in db.execute(OLD_WINDOWS, (before_s, most))])
    return sum(db.execute(statement, (ids,)).rowcount for statement in DELETE_WINDOWS)


def thin_events(db: sqlite3.Connection, before_ns: int, most: int) -> int:
    """Within a transaction: events, and alarms that were over by then."""
    db.execute(OLD_ALARMS, (before_ns,))
    return db.execute(OLD_EVENTS, (before_ns, most)).rowcount


def thin_departures(db: sqlite3.Connection, before_ns: int, most: int) -> int:
    """Within a transaction: the words of messages that left before then."""
    return db.execute(OLD_DEPARTURES, (before_ns, most)).rowcount


def _thin(db: sqlite3.Connection, span: int, start_s: int, most: int) -> Thinned | None:
    """None where nothing was left to go but the newest part."""
    db.execute(BEGIN, (span,))
    found = [id for (id,) in db.execute(PARTS, (span, most))]
    ids = rows.to_json(found)
    to_review = db.execute(DEQUEUE, (ids,)).rowcount
    for statement in DELETE:
        db.execute(statement, (ids,))
    if len(found) < most:
        db.execute(CLEAN, (span,))
        db.execute(GONE, (span,))
    return Thinned(len(found), to_review, start_s) if found else None
