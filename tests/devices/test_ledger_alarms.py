"""Alarms on the disk."""

from pathlib import Path

from inspector.core.terms import Severity
from inspector.devices.ledger import Ledger
from inspector.devices.ledger.alarms import MOST, load_alarms, save_alarms
from inspector.domain.alarms import AlarmList


def test_alarms_come_back_as_they_were(tmp_path: Path) -> None:
    alarms = AlarmList()
    for number, (code, severity) in enumerate(
        [("output", Severity.ALARM), ("sums", Severity.ALARM), ("broker_down", Severity.WARNING)]
    ):
        alarms.raise_(code, "gate", severity, "50 % 'x'", number)
    alarms.put(alarms.seen(1, "anna", 9))
    ledger = Ledger(tmp_path / "ledger.db", 60, 0, 1)
    ledger.write(lambda db: save_alarms(db, alarms.changed.values()))
    again = AlarmList(*ledger.write(load_alarms))
    assert again.shown() == alarms.shown()
    alarms.end("output", "gate", 10)
    alarms.end("broker_down", "gate", 10)
    ledger.write(lambda db: save_alarms(db, alarms.changed.values()))
    found, last = ledger.write(load_alarms)
    assert ([one.alarm.code for one in found], last) == (["sums"], 3)
    ledger.close()


def test_broker_that_comes_and_goes_pushes_no_alarm_out(tmp_path: Path) -> None:
    alarms, ledger = AlarmList(), Ledger(tmp_path / "ledger.db", 60, 0, 1)
    alarms.raise_("sums", "gate", Severity.ALARM, "they differ", 1)
    for now in range(MOST + 1):
        alarms.raise_("broker_down", "publish", Severity.WARNING, "no route", now)
        alarms.end("broker_down", "publish", now)
    ledger.write(lambda db: save_alarms(db, alarms.changed.values()))
    found, last = ledger.write(load_alarms)
    assert ([one.alarm.code for one in found], last) == (["sums"], MOST + 2)
    ledger.close()
