"""An entry of the journal, as journald's own protocol reads it."""

from hypothesis import given
from hypothesis import strategies as st
from support.journal import parsed
from support.outcomes import outcome

from inspector.core.journal import LONGEST, about, about_event, about_part, datagram
from inspector.core.messages import Event
from inspector.core.terms import Cause, Kind, Severity


def test_fields_stand_beside_the_message() -> None:
    entry = parsed(datagram("inspector-gate", 3, "no PLC", {"EVENT": "output"}))
    assert entry == {
        "MESSAGE": "no PLC",
        "PRIORITY": "3",
        "SYSLOG_IDENTIFIER": "inspector-gate",
        "INSPECTOR_EVENT": "output",
    }


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_breaks_out_of_its_field(message: str, lot: str) -> None:
    entry = parsed(datagram("inspector-record", 6, message, {"LOT": lot}))
    assert set(entry) == {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "INSPECTOR_LOT"}
    assert (entry["MESSAGE"], entry["INSPECTOR_LOT"]) == (message, lot)


def test_long_text_is_cut_between_two_characters() -> None:
    entry = parsed(datagram("x", 6, "ü" * LONGEST, {}))
    assert entry["MESSAGE"] == "ü" * (LONGEST // 2)


def test_alarm_is_found_by_its_code_and_a_mere_event_is_none() -> None:
    def fields(severity: Severity) -> object:
        event = Event(service="gate", severity=severity, code="output", text="x", wall_ns=1)
        return about_event(event)

    assert fields(Severity.INFO) == about({"EVENT": "output", "SERVICE": "gate"})
    named = {"EVENT": "output", "ALARM": "output", "SERVICE": "gate"}
    assert fields(Severity.ALARM) == fields(Severity.WARNING) == {"inspector": named}


def test_part_is_named_as_people_name_it() -> None:
    part = outcome(17, kind=Kind.FAULT, cause=Cause.LATE, lot="")
    named = about_part(part, "fault")["inspector"]
    assert named["PART"] == f"{part.camera}/17"
    assert (named["VERDICT"], named["CAUSE"]) == ("fault", "late")
    assert "LOT" not in named
