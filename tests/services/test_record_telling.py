"""What the log says of parts: faults by their first, and a summary a minute."""

import logging

import pytest
from support.outcomes import outcome

from inspector.core.clock import SECOND
from inspector.core.terms import Cause, Kind
from inspector.services.record.telling import Telling

RATE = 30  # parts a second


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> logging.Logger:
    caplog.set_level(logging.INFO, logger="telling")
    return logging.getLogger("telling")


def test_good_parts_leave_one_line_a_minute(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    telling = Telling(log, 0)
    for second in range(1, 601):
        parts = [outcome(second * RATE + one) for one in range(RATE)]
        telling.hear(parts, second * SECOND)
    assert caplog.messages == ["1800 parts: pass 1800, fail 0, review 0, fault 0"] * 10


def test_each_cause_is_told_once_a_minute_with_its_part(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    """Every second part is late, and one of them has no picture."""
    telling = Telling(log, 0)
    for number in range(RATE * 59):
        late = outcome(number, kind=Kind.FAULT, cause=Cause.LATE, reason="no decision in time")
        dark = outcome(number, kind=Kind.FAULT, cause=Cause.FRAME, reason="black")
        one = dark if number == 100 else late if number % 2 else outcome(number)
        telling.hear([one], number * SECOND // RATE)
    assert [record.getMessage() for record in caplog.records] == [
        "part cam0/1: fault (late), no decision in time",
        "part cam0/100: fault (frame), black",
    ]
    fields = vars(caplog.records[1])["inspector"]
    assert (fields["PART"], fields["CAUSE"], fields["VERDICT"]) == ("cam0/100", "frame", "fault")
    telling.hear([], 60 * SECOND)
    assert caplog.messages[-1].endswith("fault 886 (late 885, frame 1)")


def test_line_that_stands_and_parts_that_a_person_paused_are_silent(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    telling = Telling(log, 0)
    telling.hear([], 100 * SECOND)
    telling.hear([outcome(1, kind=Kind.FAULT, cause=Cause.PAUSED)], 101 * SECOND)
    assert caplog.messages == []
