"""What the parts call a person for, and what they do not."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.outcomes import outcome

from inspector.core.config import Alarms
from inspector.core.messages import Outcome
from inspector.core.terms import Cause, Kind, Lane
from inspector.domain.challenge import LOT
from inspector.domain.part_alarms import BLIND, PartAlarms, Word

SETTINGS = Alarms(consecutive_rejects=3, fault_percent=20.0, fault_parts=10)
GOOD = outcome(0)
BAD = outcome(0, Kind.FAIL)


def fault(cause: Cause) -> Outcome:
    return outcome(0, Kind.FAULT, cause=cause)


def said(parts: Iterable[Outcome], settings: Alarms = SETTINGS) -> list[tuple[str, bool]]:
    watch = PartAlarms(settings)
    return [(word.code, word.begins) for part in parts for word in watch.hear(part)]


def of(code: str, words: list[tuple[str, bool]]) -> list[bool]:
    return [begins for each, begins in words if each == code]


def test_rejects_in_a_row_are_said_once_and_end_with_an_accept() -> None:
    words = said([GOOD, BAD, BAD, GOOD, *[BAD] * 5, GOOD, BAD])
    assert of("consecutive_rejects", words) == [False, True, False]


def test_rejects_in_a_row_are_not_watched_where_nobody_wants_it() -> None:
    assert True not in of("consecutive_rejects", said([BAD] * 50, Alarms(consecutive_rejects=0)))


def test_paused_parts_call_for_nobody() -> None:
    assert said([fault(Cause.PAUSED)] * 50) == []


def test_golden_parts_call_for_nobody() -> None:
    golden = [outcome(0, Kind.FAULT, lot=LOT, lane=Lane.REJECT)] * 50
    assert said(golden) == []


def test_pause_between_rejects_does_not_begin_the_count_anew() -> None:
    words = said([BAD, BAD, fault(Cause.PAUSED), BAD])
    assert of("consecutive_rejects", words) == [True]


def test_too_many_faults_are_said_once_and_end_when_they_are_rare_again() -> None:
    late = fault(Cause.LATE)
    words = said([late, GOOD, late, late, *[GOOD] * 20])
    assert of("fault_rate", words) == [True, False]


def test_fault_rate_does_not_flap_at_its_limit() -> None:
    late = fault(Cause.LATE)
    words = said([*[late, *[GOOD] * 4] * 40])
    assert of("fault_rate", words) == [True]


@pytest.mark.parametrize("cause", [Cause.CAMERA, Cause.FRAME])
def test_blind_camera_is_said_and_ends_with_the_next_good_frame(cause: Cause) -> None:
    words = said([GOOD, *[fault(cause)] * (BLIND + 2), fault(Cause.LATE), BAD])
    assert of("camera", words) == [False, True, False]


def test_single_bad_frame_calls_for_nobody() -> None:
    words = said([GOOD, fault(Cause.FRAME), GOOD, fault(Cause.CAMERA), GOOD] * 5)
    assert True not in of("camera", words)


def test_camera_is_named() -> None:
    watch = PartAlarms(SETTINGS)
    parts = [outcome(0, Kind.FAULT, cause=Cause.CAMERA, camera="left")] * BLIND
    words = [word for part in parts for word in watch.hear(part)]
    assert Word("camera", "capture-left", "left: score 0.3 below 0.7") in words


def test_alarm_from_before_a_restart_ends_with_the_first_accept_and_good_frame() -> None:
    assert said([GOOD]) == [("camera", False), ("consecutive_rejects", False)]


KINDS = st.sampled_from(
    [GOOD, BAD, fault(Cause.LATE), fault(Cause.FRAME), fault(Cause.PAUSED), outcome(0, Kind.REVIEW)]
)


@given(st.lists(KINDS, max_size=200))
def test_words_alternate_and_agree_with_the_parts(parts: list[Outcome]) -> None:
    watch, on = PartAlarms(SETTINGS), {}
    counted: list[Outcome] = []
    for part in parts:
        for word in watch.hear(part):
            assert on.get(word.code) is not word.begins
            on[word.code] = word.begins
        if part.cause is not Cause.PAUSED:
            counted.append(part)
        last = counted[-SETTINGS.consecutive_rejects :]
        rejected = [one.lane is Lane.REJECT for one in last]
        if len(last) == SETTINGS.consecutive_rejects and all(rejected):
            assert on["consecutive_rejects"]
        if rejected and not rejected[-1]:
            assert not on["consecutive_rejects"]
        faults = sum(one.kind is Kind.FAULT for one in counted[-10:])
        if faults >= 2:
            assert on["fault_rate"]
        elif on.get("fault_rate"):
            assert faults > 0 or len(counted) < 10
