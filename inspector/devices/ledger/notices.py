"""Notices: what happened and the plant is to hear of, in the transaction that it happens in.

Promises: numbered from 1 without gaps; each transition of an alarm, each change of what is made
and each change of mode is one notice.
Never: holds a text, or is deleted.
"""

import sqlite3
from collections.abc import Iterable

from inspector.core.terms import Kind, Mode, Severity
from inspector.devices.ledger import rows
from inspector.devices.ledger.epochs import Epoch
from inspector.domain.making import Change, Made, Making, Seen
from inspector.domain.notice import Notice, What

ADD = """INSERT INTO notice (wall_ns, what, code, service, severity, recipe, lot, model, mode)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
COLUMNS = "id, wall_ns, what, code, service, severity, recipe, lot, model, mode"
PENDING = f"""SELECT {COLUMNS} FROM notice WHERE status = 'pending' AND id > ? AND id <= ?
ORDER BY id LIMIT ?"""
COUNT_PENDING = "SELECT count(*) FROM notice WHERE status = 'pending'"
NEWEST_PARTS = """SELECT stream.camera, stream.uuid, outcome.seq, outcome.kind, span.recipe,
    span.lot, span.model
FROM (SELECT max(id) AS id FROM stream GROUP BY camera) AS run
CROSS JOIN stream ON stream.id = run.id
CROSS JOIN outcome ON outcome.id =
    (SELECT id FROM outcome WHERE stream_id = run.id ORDER BY seq DESC LIMIT 1)
CROSS JOIN span ON span.id = outcome.span_id"""
NEWEST = f"SELECT {COLUMNS} FROM notice WHERE what = ? ORDER BY id DESC LIMIT 1"


def notice_of(epoch: Epoch, row: rows.Row) -> Notice:
    """The notice in a row of COLUMNS."""
    id, wall_ns, what, code, service, severity, recipe, lot, model, mode = row
    return Notice(
        ledger=epoch.ledger,
        id=id - epoch.notices_before,
        wall_ns=wall_ns,
        what=What(what),
        code=code,
        service=service,
        severity=Severity(severity),
        recipe=recipe,
        lot=lot,
        model=model,
        mode=mode,
    )


def note_alarm(
    db: sqlite3.Connection, what: What, code: str, service: str, severity: Severity, wall_ns: int
) -> None:
    """Within a transaction: an alarm has begun, has ended or was acknowledged."""
    db.execute(ADD, (wall_ns, what.value, code, service, severity.value, "", "", "", ""))


def note_changes(db: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Within a transaction: something else is made from these parts on."""
    for one in changes:
        made = (one.made.recipe, one.made.lot, one.made.model)
        values = (one.wall_ns, What.MAKING_CHANGED.value, "", "", Severity.INFO.value, *made, "")
        db.execute(ADD, values)


def note_mode(db: sqlite3.Connection, mode: Mode, wall_ns: int) -> None:
    """Within a transaction: the mode is another, unless that stands there already."""
    row = db.execute(NEWEST, (What.MODE_CHANGED.value,)).fetchone()
    if row is None or row[-1] != mode.value:
        head = (wall_ns, What.MODE_CHANGED.value, "", "", Severity.INFO.value)
        db.execute(ADD, (*head, "", "", "", mode.value))


def making_of(db: sqlite3.Connection) -> Making:
    """What is made, as last told of, and the newest part of each camera."""
    row = db.execute(NEWEST, (What.MAKING_CHANGED.value,)).fetchone()
    if row is None:
        return Making()
    now = Made(*row[6:9])
    return Making(now, dict(_seen(now, *found) for found in db.execute(NEWEST_PARTS)))


def _seen(
    now: Made, camera: str, stream: str, seq: int, kind: str, recipe: str, lot: str, model: str
) -> tuple[str, Seen]:
    judged = now.model if kind == Kind.FAULT.value else model
    return camera, Seen(stream, seq, Made(recipe, lot, judged))
