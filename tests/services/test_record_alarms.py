"""Alarms of a running record: raised by what happens, kept over a kill, acknowledged."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.outcomes import outcome
from support.recording import Station, live, prepare, running, until

from inspector.core.live import Alarm
from inspector.core.messages import Event
from inspector.core.orders import AcknowledgeAlarm
from inspector.core.pulse import Pulse
from inspector.core.terms import Cause, Kind, Severity
from inspector.devices.ledger import Ledger
from inspector.devices.ledger.alarms import load_alarms
from inspector.services.record.alarms import Alarms

pytestmark = pytest.mark.line


@pytest.fixture
def station(root: Path) -> Iterator[Station]:
    paths = prepare(root, alarms={"consecutive_rejects": 4, "fault_parts": 20})
    with running(paths) as running_station:
        yield running_station


def shown(station: Station, code: str) -> Alarm | None:
    return next((alarm for alarm in live(station).alarms if alarm.code == code), None)


def say(station: Station, code: str, severity: Severity = Severity.ALARM) -> None:
    wall = time.time_ns()
    station.gate.report(
        Event(service="gate", severity=severity, code=code, text=f"{code}!", wall_ns=wall)
    )


def test_rejects_in_a_row_call_for_a_person_once(station: Station) -> None:
    station.settle(*[outcome(seq, Kind.FAIL) for seq in range(3)])
    assert shown(station, "consecutive_rejects") is None
    station.settle(*[outcome(seq, Kind.FAIL) for seq in range(3, 9)])
    alarm = until(lambda: shown(station, "consecutive_rejects"))
    assert (alarm.active, alarm.text) == (True, "4 parts rejected in a row")
    station.settle(outcome(9))
    until(lambda: (one := shown(station, "consecutive_rejects")) and not one.active)
    events = [event for event in station.reader.events() if event.code == "consecutive_rejects"]
    assert len(events) == 1


def test_record_that_had_been_given_up_calls_for_nobody_once_it_is_back(station: Station) -> None:
    """What is told of it, it hears when it is there again."""
    failed = Event(
        service="record",
        severity=Severity.ALARM,
        code="service_failed",
        text="fell again and again",
        wall_ns=time.time_ns(),
    )
    station.gate.report(failed)
    until(lambda: station.rows("SELECT 1 FROM events WHERE code = 'service_failed'"))
    until(lambda: (one := shown(station, "service_failed")) is None or not one.active)


def test_paused_parts_raise_no_alarm(station: Station) -> None:
    parts = [outcome(seq, Kind.FAULT, cause=Cause.PAUSED) for seq in range(100)]
    station.settle(*parts)
    state = until(lambda: (seen := live(station)).committed == 100 and seen)
    assert state.alarms == ()
    assert state.causes[Cause.PAUSED] == 100


def test_alarm_outlives_a_kill_of_record_and_is_acknowledged_after_it(station: Station) -> None:
    station.settle(*[outcome(seq, Kind.FAIL) for seq in range(6)])
    say(station, "output")
    before = until(lambda: (one := shown(station, "output")) and one)
    until(lambda: len(station.rows("SELECT id FROM alarm")) == 2)
    station.kill()
    station.start()
    assert station.gate.record.connected(20_000)
    after = until(lambda: shown(station, "output"))
    assert after == before
    assert station.order(AcknowledgeAlarm(alarm=after.id)).ok
    seen = until(lambda: (one := shown(station, "output")) and one.acknowledged_by and one)
    assert (seen.acknowledged_by, seen.active) == ("anna", True)
    station.kill()
    station.start()
    assert station.gate.record.connected(20_000)
    again = until(lambda: shown(station, "output"))
    assert again.acknowledged_by == "anna"
    pulse = Pulse("gate", time.monotonic_ns(), 1.0)
    assert station.gate.record.send(pulse.beat(time.monotonic_ns(), "running"))
    until(lambda: shown(station, "output") is None)
    assert shown(station, "consecutive_rejects")  # nobody has seen this one, no part came since
    station.settle(outcome(6))
    until(lambda: (one := shown(station, "consecutive_rejects")) and not one.active)
    actions = [entry.action for entry in station.reader.audit()]
    assert actions == ["acknowledge"]


def test_acknowledging_an_alarm_that_is_gone_is_refused(station: Station) -> None:
    reply = station.order(AcknowledgeAlarm(alarm=99))
    assert not reply.ok
    assert "99" in reply.text


def test_unknown_alarm_of_a_service_is_shown(station: Station) -> None:
    say(station, "never_heard_of")
    alarm = until(lambda: shown(station, "never_heard_of"))
    assert alarm.text == "never_heard_of!"
    assert station.order(AcknowledgeAlarm(alarm=alarm.id)).ok
    until(lambda: shown(station, "never_heard_of") is None)


def test_broker_down_is_shown_as_a_note_until_it_is_up(station: Station) -> None:
    say(station, "broker_down", Severity.WARNING)
    until(lambda: (one := shown(station, "broker_down")) and one.severity is Severity.WARNING)
    say(station, "broker_up", Severity.INFO)
    until(lambda: shown(station, "broker_down") is None)


def test_blind_camera_is_an_alarm_until_it_sees_again(station: Station) -> None:
    station.settle(*[outcome(seq, Kind.FAULT, cause=Cause.CAMERA) for seq in range(3)])
    alarm = until(lambda: shown(station, "camera"))
    assert alarm.service == "capture-cam0"
    station.settle(outcome(3))
    until(lambda: shown(station, "camera") is None)


def test_ledger_that_was_set_aside_is_told_until_somebody_has_seen_it(station: Station) -> None:
    station.settle(outcome(0))
    station.kill()
    for tail in ("", "-wal"):
        station.paths.ledger.with_name(f"ledger.db{tail}").write_bytes(b"damaged" * 1000)
    station.start()
    assert station.gate.record.connected(20_000)
    alarm = until(lambda: shown(station, "ledger_set_aside"))
    assert not alarm.active  # a happening: to be seen, and over
    assert station.order(AcknowledgeAlarm(alarm=alarm.id)).ok
    until(lambda: shown(station, "ledger_set_aside") is None)


def test_new_ledger_takes_over_the_alarms_that_stand(tmp_path: Path) -> None:
    alarms, service = Alarms(), "gate"
    alarms.raise_("output", service, Severity.ALARM, "no PLC", 1)
    for name in ("first.db", "second.db"):
        ledger = Ledger(tmp_path / name, 60, 0, 1)
        alarms.save(ledger)
        again = Alarms()
        again.begin(ledger, [service], 2)
        assert again.shown() == alarms.shown()
        ledger.close()
        alarms.move()


def test_what_goes_wrong_before_there_is_a_ledger_is_an_alarm_too(tmp_path: Path) -> None:
    alarms = Alarms()
    alarms.raise_("ledger_set_aside", "record", Severity.ALARM, "x", 1)
    ledger = Ledger(tmp_path / "ledger.db", 60, 0, 1)
    alarms.begin(ledger, ["record"], 2)
    alarms.save(ledger)
    assert [alarm.code for alarm in alarms.shown()] == ["ledger_set_aside"]
    assert ledger.write(load_alarms)[1] == 1
    ledger.close()
