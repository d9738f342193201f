"""The rules of the test with golden parts."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.outcomes import outcome

from inspector.core.clock import SECOND
from inspector.core.errors import OperatorError
from inspector.core.messages import Outcome
from inspector.core.recipe import Challenge, GoldenPart
from inspector.core.terms import Cause, Kind
from inspector.domain.challenge import (
    GRACE_NS,
    HOUR_NS,
    IDLE_NS,
    LOT,
    Trial,
    due_at,
    is_overdue,
    next_shift,
)
from inspector.domain.shift import shift_start

NOW = 1_700_000_000 * SECOND
GOOD, BAD = GoldenPart(name="good", expect="pass"), GoldenPart(name="bad", expect="fail")
SHIFTS = ("06:00", "14:00", "22:00")


def trial(*parts: GoldenPart, patience_ns: int = 0) -> Trial:
    return Trial("plain", parts or (GOOD, BAD), patience_ns, 0)


def golden(wall: int, kind: Kind = Kind.PASS, **changes: Any) -> Outcome:
    return outcome(wall, kind, **({"lot": LOT, "trigger_wall_ns": wall} | changes))


def shown(test: Trial, wall: int, kind: Kind, **changes: Any) -> Trial:
    """The part of the step that is on is presented at `wall`, and triggers just after."""
    test = test.present(test.step, wall, wall).hear([golden(wall + 1, kind, **changes)], wall)
    answer = test.answer(wall)
    assert answer
    return test.note(*answer, wall)


def begun(wall: int) -> int:
    return shift_start(wall, SHIFTS, UTC)


def at(day: int, hour: int, minute: int = 0) -> int:
    return int(datetime(2026, 3, day, hour, minute, tzinfo=UTC).timestamp()) * SECOND


def test_all_parts_as_expected_pass_the_test() -> None:
    test = shown(shown(trial(), 10, Kind.PASS), 20, Kind.FAIL)
    assert (test.done, test.result, test.step) == (True, "passed", 0)
    assert [(step.part, step.kind, step.ok, step.seq) for step in test.steps] == [
        ("good", Kind.PASS, True, 11),
        ("bad", Kind.FAIL, True, 21),
    ]


def test_review_is_a_verdict_other_than_pass() -> None:
    assert shown(trial(BAD), 10, Kind.REVIEW).result == "passed"
    assert shown(trial(GOOD), 10, Kind.REVIEW).result == "failed"


def test_escaped_golden_part_fails_the_test() -> None:
    test = shown(trial(BAD, GOOD), 10, Kind.PASS)
    assert test.result == "failed"
    assert shown(test, 20, Kind.PASS).result == "failed"


@pytest.mark.parametrize("part", [GOOD, BAD])
@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.PAUSED])
def test_fault_is_no_verdict_and_fails_the_step(part: GoldenPart, cause: Cause) -> None:
    assert shown(trial(part), 10, Kind.FAULT, cause=cause).result == "failed"


@pytest.mark.parametrize(
    "other",
    [
        golden(10),  # triggered when the order was given, not after it
        golden(9),
        golden(11, lot="L1"),  # the gate has not heard of the test
        golden(11, recipe="other"),
        golden(11, Kind.FAULT, cause=Cause.PAUSED),
    ],
)
def test_part_that_is_another_is_not_taken_for_the_golden_one(other: Outcome) -> None:
    test = trial().present(1, 10, 10).hear([other], 12)
    assert test.answer(100) is None
    answer = test.hear([golden(20, Kind.FAIL)], 20).answer(20)
    assert answer
    assert (answer[0].seq, answer[0].ok) == (20, False)


def test_part_that_nobody_presented_is_no_step() -> None:
    assert trial().hear([golden(10)], 10).answer(100) is None


def test_earliest_trigger_of_several_cameras_is_the_golden_part() -> None:
    """The other camera's part was triggered first and settled last."""
    test = trial(patience_ns=100).present(1, 10, 10)
    test = test.hear([golden(30, camera="b")], 50)
    assert test.answer(149) is None
    test = test.hear([golden(20, Kind.FAIL, camera="a")], 120).hear([golden(40)], 140)
    answer = test.answer(150)
    assert answer
    assert (answer[0].seq, answer[0].ok) == (20, False)


def test_part_presented_again_is_awaited_anew() -> None:
    test = trial().present(1, 10, 10).present(1, 30, 30)
    assert test.hear([golden(20)], 40).answer(40) is None
    assert test.hear([golden(31)], 40).answer(40)


def test_answer_cannot_be_asked_for_twice() -> None:
    test = trial(patience_ns=100).present(1, 10, 10).hear([golden(20, Kind.FAIL)], 20)
    with pytest.raises(OperatorError, match="has come already"):
        test.present(1, 30, 30)


@pytest.mark.parametrize("step", [0, 2, 3])
def test_step_that_is_not_on_is_refused(step: int) -> None:
    with pytest.raises(OperatorError, match="step 1 is on"):
        trial().present(step, 10, 10)


def test_nothing_is_shown_after_the_last_step() -> None:
    with pytest.raises(OperatorError, match="all parts have been shown"):
        shown(trial(GOOD), 10, Kind.PASS).present(0, 20, 20)


def test_failure_cannot_be_wiped_away_by_giving_up() -> None:
    assert trial().result == "abandoned"
    assert shown(trial(), 10, Kind.PASS).result == "abandoned"
    assert shown(trial(), 10, Kind.FAIL).result == "failed"


def test_two_models_prove_nothing() -> None:
    test = shown(trial(GOOD, GOOD, GOOD), 10, Kind.PASS, model="a@1")
    assert not shown(test, 20, Kind.FAULT, model="b@2").mixed  # a fault is by no model
    test = shown(test, 20, Kind.PASS, model="b@2")
    assert test.mixed
    assert shown(test, 30, Kind.PASS, model="b@2").result == "abandoned"


def test_forgotten_test_is_idle() -> None:
    test = trial().present(1, 10, SECOND)
    assert not test.idle(IDLE_NS)
    assert test.idle(SECOND + IDLE_NS)


parts = st.lists(st.sampled_from([GOOD, BAD]), min_size=1, max_size=5)
kinds = st.sampled_from(list(Kind))
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("present"), st.integers(0, 6)),
        st.tuples(st.just("part"), kinds),
        st.tuples(st.just("stray"), kinds),
    ),
    max_size=40,
)


@given(parts, deeds)
def test_passed_means_that_every_part_was_shown_and_judged_right(
    parts: list[GoldenPart], deeds: list[tuple[str, Any]]
) -> None:
    """Whatever is done in whatever order."""
    test, answers = trial(*parts), []
    for wall, (what, value) in enumerate(deeds, 1):
        if what == "present":
            try:
                test = test.present(value, wall, wall)
            except OperatorError:
                assert test.done or value != test.step
            continue
        lot = LOT if what == "part" else "L1"
        awaited = what == "part" and test.waiting is not None
        test = test.hear([golden(wall, value, lot=lot)], wall)
        answer = test.answer(wall)
        assert (answer is not None) == awaited
        if answer:
            answers.append((parts[len(answers)].expect, value))
            test = test.note(*answer, wall)
    right = [(kind is Kind.PASS) == (expected == "pass") for expected, kind in answers]
    right = [ok and kind is not Kind.FAULT for ok, (_, kind) in zip(right, answers, strict=True)]
    assert [step.ok for step in test.said] == right
    assert (test.result == "passed") == (all(right) and len(right) == len(parts))
    assert (test.result == "failed") == (not all(right))
    assert [step.number for step in test.steps] == list(range(1, len(parts) + 1))


@given(parts, st.lists(st.tuples(st.integers(1, 50), kinds), max_size=20), st.randoms())
def test_of_any_order_of_arrival_the_earliest_trigger_counts(
    parts: list[GoldenPart], came: list[tuple[int, Kind]], random: Any
) -> None:
    assume(len({wall for wall, _ in came}) == len(came))
    test = trial(*parts, patience_ns=1000).present(1, 25, 0)
    random.shuffle(came)
    for now, (wall, kind) in enumerate(came):
        test = test.hear([golden(wall, kind)], now)
    later = [wall for wall, _ in came if wall > 25]
    answer = test.answer(2000)
    assert (answer[0].seq if answer else None) == min(later, default=None)


def test_test_by_hours_is_due_since_the_last() -> None:
    rules = Challenge(parts=(GOOD,), every_h=8.0)
    assert due_at(rules, 0, NOW, NOW + 5, begun) == NOW
    assert due_at(rules, NOW, NOW - 5, NOW + 5, begun) == NOW + 8 * HOUR_NS


def test_test_at_shift_start_is_due_once_a_shift() -> None:
    rules = Challenge(parts=(GOOD,), at_shift_start=True)
    since = at(1, 0)
    assert due_at(rules, 0, since, at(10, 6, 1), begun) == at(10, 6)
    assert due_at(rules, at(10, 5, 59), since, at(10, 6, 1), begun) == at(10, 6)
    assert due_at(rules, at(10, 6, 30), since, at(10, 9), begun) == at(10, 14)
    assert due_at(rules, at(10, 22, 30), since, at(10, 23), begun) == at(11, 6)


def test_the_earlier_of_hours_and_shift_counts() -> None:
    rules = Challenge(parts=(GOOD,), at_shift_start=True, every_h=4.0)
    assert due_at(rules, at(10, 7), 0, at(10, 8), begun) == at(10, 11)
    assert due_at(rules, at(10, 13), 0, at(10, 13, 30), begun) == at(10, 14)


def test_test_without_rules_is_never_due() -> None:
    assert due_at(Challenge(parts=(GOOD,)), 0, NOW, NOW, begun) == 0
    assert not is_overdue(0, NOW)


def test_recipe_taken_up_again_is_not_overdue_at_once() -> None:
    """Its last test was days ago, and no part of it has been made since."""
    rules = Challenge(parts=(GOOD,), every_h=8.0, at_shift_start=True)
    due = due_at(rules, at(1, 6), at(10, 9), at(10, 9, 1), begun)
    assert due == at(10, 9)
    assert not is_overdue(due, at(10, 9, 1))
    assert is_overdue(due, at(10, 9) + GRACE_NS + 1)


def test_clock_set_back_does_not_put_a_test_off() -> None:
    """The last test lies in the future: it counts as none."""
    rules = Challenge(parts=(GOOD,), every_h=8.0)
    assert due_at(rules, at(10, 9), at(10, 8), at(9, 9), begun) == at(9, 9)


@given(st.integers(at(1, 0), at(28, 0)), st.sets(st.integers(0, 1439), min_size=1, max_size=24))
def test_next_shift_is_the_first_to_begin_after_now(now: int, minutes: set[int]) -> None:
    shifts = [f"{minute // 60:02}:{minute % 60:02}" for minute in sorted(minutes)]

    def start(wall: int) -> int:
        return shift_start(wall, shifts, UTC)

    begins = next_shift(now, start)
    assert begins > now
    assert start(begins) == begins
    assert start(begins - 1) <= now


rules = st.builds(
    Challenge,
    parts=st.just((GOOD,)),
    every_h=st.sampled_from([0.0, 0.5, 8.0]),
    at_shift_start=st.booleans(),
)
times = st.integers(at(1, 0), at(20, 0))


@given(rules, st.lists(times, min_size=3, max_size=3).map(sorted))
def test_a_test_just_made_is_not_due(rules: Challenge, moments: list[int]) -> None:
    since, last, now = moments
    due = due_at(rules, last, since, last, begun)
    assert due == 0 or due > last
    later = due_at(rules, last, since, now, begun)
    assert (later == 0) == (not rules.every_h and not rules.at_shift_start)
    assert later == 0 or later >= since
