"""Alarms on the disk, so that a restart forgets none.

Promises: an alarm keeps its number and its row from when it is raised until it is gone.
Never: decides whether one is shown; the rules are `domain.alarms`.
"""

import sqlite3
from collections.abc import Iterable

from inspector.core.live import Alarm
from inspector.core.terms import Severity
from inspector.devices.ledger import rows
from inspector.domain.alarms import RULES, Lasting, Standing

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
LAST = "SELECT coalesce(max(id), 0) FROM alarm"
MOST = 1000


def save_alarms(db: sqlite3.Connection, standing: Iterable[Standing]) -> None:
    """Within a transaction: each as it is now."""
    db.executemany(SAVE, map(_row, standing))


def load_alarms(db: sqlite3.Connection) -> tuple[list[Standing], int]:
    """Those that still stand, and the highest number ever given."""
    go = [code for code, rule in RULES.items() if rule.lasting is Lasting.WHILE]
    found = [_standing(*row) for row in db.execute(LOAD, (rows.to_json(go), MOST))]
    (last,) = db.execute(LAST).fetchone()
    return [one for one in found if not one.gone], last


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
