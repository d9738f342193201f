"""Alarms on the disk, so that a restart forgets none.

Promises: an alarm keeps its number and its row from when it is raised until it is gone; each of
its transitions is one notice, in the transaction that writes it.
Never: decides whether one is shown; the rules are `domain.alarms`.
"""

import sqlite3
from collections.abc import Iterable, Iterator

from inspector.core.live import Alarm
from inspector.core.terms import Severity
from inspector.devices.ledger import rows
from inspector.devices.ledger.notices import note_alarm
from inspector.domain.alarms import RULES, Lasting, Standing
from inspector.domain.notice import What

SAVE = """INSERT INTO alarm (id, code, service, severity, text, raised_ns, ended_ns,
    acknowledged_ns, acknowledged_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, text = excluded.text,
    raised_ns = excluded.raised_ns, ended_ns = excluded.ended_ns,
    acknowledged_ns = excluded.acknowledged_ns, acknowledged_by = excluded.acknowledged_by"""
# What goes with its cause leaves a row that nobody ever acknowledges: those do not count for the
# limit, or a broker that comes and goes would push out an alarm that nobody has seen yet.
LOAD = """SELECT id, code, service, severity, text, raised_ns, ended_ns, acknowledged_ns,
    acknowledged_by
FROM alarm WHERE ended_ns IS NULL
    OR acknowledged_ns IS NULL AND code NOT IN (SELECT value FROM json_each(?))
ORDER BY id DESC LIMIT ?"""
TIMES = "SELECT raised_ns, ended_ns, acknowledged_ns FROM alarm WHERE id = ?"
LAST = "SELECT coalesce(max(id), 0) FROM alarm"
MOST = 1000

Times = tuple[int | None, int | None, int | None]


def save_alarms(db: sqlite3.Connection, standing: Iterable[Standing]) -> None:
    """Within a transaction: each as it is now."""
    for one in standing:
        before = db.execute(TIMES, (one.alarm.id,)).fetchone()
        db.execute(SAVE, _row(one))
        for what, wall_ns in _transitions(before, one):
            alarm = one.alarm
            note_alarm(db, what, alarm.code, alarm.service, alarm.severity, wall_ns)


def load_alarms(db: sqlite3.Connection) -> tuple[list[Standing], int]:
    """Those that still stand, and the highest number ever given."""
    go = [code for code, rule in RULES.items() if rule.lasting is Lasting.WHILE]
    found = [_standing(*row) for row in db.execute(LOAD, (rows.to_json(go), MOST))]
    (last,) = db.execute(LAST).fetchone()
    return [one for one in found if not one.gone], last


def _transitions(before: Times | None, one: Standing) -> Iterator[tuple[What, int]]:
    """What has happened to it since `before`, and when. An alarm that is raised again begins anew,
    and one that is a mere happening has ended as soon as it began."""
    raised, ended, acknowledged = before or (None, None, None)
    if raised != one.alarm.raised_wall_ns:
        ended = acknowledged = None
        yield What.ALARM_RAISED, one.alarm.raised_wall_ns
    if ended is None and one.ended_ns is not None:
        yield What.ALARM_ENDED, one.ended_ns
    if acknowledged is None and one.acknowledged_ns is not None:
        yield What.ALARM_ACKNOWLEDGED, one.acknowledged_ns


def _row(one: Standing) -> tuple[object, ...]:
    alarm = one.alarm
    said = (alarm.id, alarm.code, alarm.service, alarm.severity.value, alarm.text)
    times = (alarm.raised_wall_ns, one.ended_ns, one.acknowledged_ns)
    return *said, *times, alarm.acknowledged_by


def _standing(
    id: int,
    code: str,
    service: str,
    severity: str,
    text: str,
    raised: int,
    ended: int | None,
    acknowledged: int | None,
    who: str,
) -> Standing:
    alarm = Alarm(
        id=id,
        code=code,
        service=service,
        severity=Severity(severity),
        text=text,
        raised_wall_ns=raised,
        active=ended is None,
        acknowledged_by=who,
    )
    return Standing(alarm, ended, acknowledged)
