"""What raises and ends an alarm, and how long it stands (ISA-18.2)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.errors import OperatorError
from inspector.core.live import Alarm
from inspector.core.messages import Event
from inspector.core.pulse import Pulse
from inspector.core.terms import Severity
from inspector.domain.alarms import RULES, AlarmList, Ends, Lasting, Standing, rule_of

ALARM, INFO, WARNING = Severity.ALARM, Severity.INFO, Severity.WARNING


def event(code: str, service: str = "gate", severity: Severity = ALARM, **more: Any) -> Event:
    said = {"text": code, "wall_ns": 1} | more
    return Event(service=service, severity=severity, code=code, **said)


def codes(alarms: AlarmList) -> list[str]:
    return [alarm.code for alarm in alarms.shown()]


def acknowledge(alarms: AlarmList, id: int, who: str = "anna", now: int = 5) -> None:
    alarms.put(alarms.seen(id, who, now))


def test_alarm_that_needs_no_acknowledgement_goes_with_its_cause() -> None:
    alarms = AlarmList()
    alarms.hear(event("ledger_stalled", "record"))
    assert [(one.code, one.active) for one in alarms.shown()] == [("ledger_stalled", True)]
    alarms.hear(event("ledger_resumed", "record", INFO))
    assert alarms.shown() == ()


def test_latched_alarm_stays_until_it_is_over_and_acknowledged() -> None:
    alarms = AlarmList()
    alarms.hear(event("model_refused", "detect"))
    alarms.hear(event("recipe_changed", "detect", INFO))
    (alarm,) = alarms.shown()
    assert not alarm.active
    acknowledge(alarms, alarm.id)
    assert alarms.shown() == ()


def test_active_alarm_that_is_acknowledged_is_shown_as_such_until_it_is_over() -> None:
    alarms = AlarmList()
    alarms.raise_("output", "gate", ALARM, "no PLC", 1)
    acknowledge(alarms, alarms.shown()[0].id)
    (alarm,) = alarms.shown()
    assert (alarm.active, alarm.acknowledged_by) == (True, "anna")
    acknowledge(alarms, alarm.id, "bert")
    assert alarms.shown()[0].acknowledged_by == "anna"
    alarms.end("output", "gate", 9)
    assert alarms.shown() == ()


def test_acknowledging_what_stands_no_longer_is_refused() -> None:
    with pytest.raises(OperatorError, match="alarm 3"):
        AlarmList().seen(3, "anna", 1)


def test_unknown_event_of_severity_alarm_is_shown_until_acknowledged() -> None:
    alarms = AlarmList()
    alarms.hear(event("quite_new", text="what it says"))
    (alarm,) = alarms.shown()
    assert (alarm.code, alarm.service, alarm.text) == ("quite_new", "gate", "what it says")
    alarms.hear(event("quite_new", severity=INFO))
    assert codes(alarms) == ["quite_new"]
    acknowledge(alarms, alarm.id)
    assert alarms.shown() == ()


def test_unknown_event_that_is_no_alarm_is_not_shown() -> None:
    alarms = AlarmList()
    alarms.hear(event("quite_new", severity=WARNING))
    alarms.hear(event("recipe_switched", "record", INFO))
    assert alarms.shown() == ()


def test_broker_down_is_a_note_and_no_alarm() -> None:
    alarms = AlarmList()
    alarms.hear(event("broker_down", "publish", WARNING))
    assert alarms.shown()[0].severity is WARNING
    alarms.hear(event("broker_up", "publish", INFO))
    assert alarms.shown() == ()


def test_service_that_is_heard_again_is_silent_no_more_and_no_other_is_believed_back() -> None:
    alarms = AlarmList()
    for name in ("detect", "publish", "gate"):
        alarms.hear(event("service_silent", name))
    alarms.hear(event("service_back", "publish", INFO))
    alarms.hear_beat(Pulse("gate", 1, 1.0).beat(2, "degraded"), 3)
    assert [one.service for one in alarms.shown()] == ["detect"]


def test_output_is_well_again_once_the_gate_says_so() -> None:
    alarms, pulse = AlarmList(), Pulse("gate", 1, 1.0)
    alarms.hear(event("output", "gate"))
    alarms.hear_beat(pulse.beat(2, "degraded"), 2)
    alarms.hear_beat(Pulse("detect", 1, 1.0).beat(2, "running"), 2)
    assert alarms.is_active("output", "gate")
    alarms.hear_beat(pulse.beat(3, "running"), 3)
    assert not alarms.is_active("output", "gate")
    assert codes(alarms) == ["output"]  # nobody has seen it yet


def test_latched_alarm_raised_again_is_new_to_whoever_acknowledged_it() -> None:
    alarms = AlarmList()
    alarms.raise_("model_refused", "detect", ALARM, "a", 1)
    acknowledge(alarms, 1)
    alarms.raise_("model_refused", "detect", ALARM, "b", 8)
    (alarm,) = alarms.shown()
    assert (alarm.text, alarm.raised_wall_ns, alarm.acknowledged_by) == ("b", 8, "")


def test_what_lasts_keeps_time_and_acknowledgement_when_its_text_changes() -> None:
    alarms = AlarmList()
    alarms.raise_("ledger_stalled", "record", ALARM, "a", 1)
    acknowledge(alarms, 1)
    alarms.raise_("ledger_stalled", "record", ALARM, "b", 8)
    (alarm,) = alarms.shown()
    assert (alarm.text, alarm.raised_wall_ns, alarm.acknowledged_by) == ("b", 1, "anna")


def test_restart_of_record_ends_what_it_tells_again_and_keeps_the_rest() -> None:
    alarms = AlarmList()
    for code, service in (("ballast_gone", "record"), ("output", "gate"), ("camera", "capture-a")):
        alarms.raise_(code, service, ALARM, "x", 1)
    alarms.raise_("broker_down", "publish", WARNING, "x", 1)
    alarms.begin(["record", "gate", "capture-a"], 2)  # without a broker any more
    assert set(codes(alarms)) == {"output", "camera"}


def test_restart_of_record_keeps_what_the_self_test_found() -> None:
    """It runs once a day, and is none of the services that record hears."""
    alarms = AlarmList()
    alarms.hear(event("selftest_failed", "selftest"))
    alarms.begin(["record", "gate"], 2)
    assert codes(alarms) == ["selftest_failed"]
    alarms.hear(event("selftest_passed", "selftest", INFO))
    assert alarms.shown() == ()


def test_service_that_failed_is_back_with_its_own_heartbeat() -> None:
    alarms = AlarmList()
    alarms.hear(event("service_failed", "capture-cam0"))
    alarms.hear_beat(Pulse("gate", 1, 1.0).beat(2, "running"), 3)
    assert codes(alarms) == ["service_failed"]
    alarms.hear_beat(Pulse("capture-cam0", 1, 1.0).beat(2, "degraded"), 3)
    assert alarms.shown() == ()


def test_clock_that_jumped_is_a_note_that_stays_until_it_is_seen() -> None:
    alarms = AlarmList()
    alarms.hear(event("clock_jumped", "record", WARNING))
    (note,) = alarms.shown()
    assert (note.severity, note.active) == (WARNING, False)
    acknowledge(alarms, note.id)
    assert alarms.shown() == ()


def test_gravest_and_newest_come_first() -> None:
    alarms = AlarmList()
    alarms.raise_("broker_down", "publish", WARNING, "x", 9)
    alarms.raise_("output", "gate", ALARM, "x", 1)
    alarms.raise_("camera", "capture-a", ALARM, "x", 2)
    alarms.raise_("disk", "record", ALARM, "x", 3)
    acknowledge(alarms, 4)
    assert codes(alarms) == ["camera", "output", "disk", "broker_down"]


def test_every_code_that_ends_an_alarm_raises_none() -> None:
    enders = {code for rule in RULES.values() for code in rule.ended_by} - {"broker_down"}
    assert not enders & RULES.keys()
    assert all(rule.lasting is not Lasting.ONCE or not rule.ended_by for rule in RULES.values())
    assert all(
        rule.ended_by or rule.ends is not Ends.EVENT or rule.lasting is Lasting.ONCE
        for code, rule in RULES.items()
        if code not in {"consecutive_rejects", "fault_rate", "camera", "drift"}
        and not code.startswith("challenge")
    )


STEP = st.tuples(
    st.sampled_from(["raise", "end", "seen", "restart"]),
    st.sampled_from(["output", "disk", "sums", "model_refused", "broker_down", "new"]),
)


@given(st.lists(STEP, max_size=60))
def test_active_alarm_is_never_hidden_and_its_number_is_its_own(
    steps: list[tuple[str, str]],
) -> None:
    alarms, active = AlarmList(), set()
    kept: dict[int, Standing] = {}
    for now, (what, code) in enumerate(steps, 1):
        if what == "raise":
            alarms.raise_(code, "gate", ALARM, str(now), now)
            active |= {code} if rule_of(code).lasting is not Lasting.ONCE else set()
        elif what == "end":
            alarms.end(code, "gate", now)
            active -= {code}
        elif what == "seen":
            for alarm in [one for one in alarms.shown() if one.code == code]:
                acknowledge(alarms, alarm.id, now=now)
        kept |= alarms.changed
        alarms.changed.clear()
        if what == "restart":  # from what the disk knows
            left = [one for one in kept.values() if not one.gone]
            alarms = AlarmList(left, max(kept, default=0))
        shown = alarms.shown()
        assert active == {one.code for one in shown if one.active}
        assert len({one.id for one in shown}) == len({one.code for one in shown}) == len(shown)
        unseen = [one for one in shown if not one.active]
        assert all(not one.acknowledged_by for one in unseen)


def test_number_of_an_alarm_that_is_gone_is_not_given_again() -> None:
    alarms = AlarmList(last_id=7)
    alarms.raise_("disk", "record", ALARM, "x", 1)
    alarms.end("disk", "record", 2)
    alarms.raise_("disk", "record", ALARM, "x", 3)
    assert [one.id for one in alarms.shown()] == [9]


def test_alarm_from_before_is_ended_by_what_comes_after() -> None:
    alarm = Alarm(
        id=4,
        code="model_refused",
        service="detect",
        severity=ALARM,
        text="x",
        raised_wall_ns=1,
        active=True,
    )
    alarms = AlarmList([replace(Standing(alarm), acknowledged_ns=2)])
    alarms.hear(event("recipe_changed", "detect", INFO))
    assert alarms.shown() == ()
