"""Promises 1 and 2: one trigger, one outcome; no answer is never good."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.words import DEADLINE, START, beat, decision, keeper, only, trigger

from inspector.core.clock import MS, SECOND
from inspector.core.terms import Cause, Kind, Lane
from inspector.domain.gatekeeping import Gatekeeper, Limits
from inspector.domain.settlement import Settlement
from inspector.domain.streams import SeqSet


def test_pass_in_time_is_accepted() -> None:
    gate = keeper()
    assert gate.on_trigger(trigger(0), START) == []
    part = only(gate.on_decision(decision(0), START + 3 * MS))
    assert (part.kind, part.lane, part.cause, part.latency_us) == (
        Kind.PASS,
        Lane.ACCEPT,
        None,
        3000,
    )
    assert part.decision is not None
    assert part.source == "a.png"
    assert gate.next_deadline() is None


@pytest.mark.parametrize(
    ("verdict", "review_lane", "lane"),
    [
        (Kind.FAIL, Lane.REJECT, Lane.REJECT),
        (Kind.FAIL, Lane.ACCEPT, Lane.REJECT),
        (Kind.REVIEW, Lane.REJECT, Lane.REJECT),
        (Kind.REVIEW, Lane.ACCEPT, Lane.ACCEPT),
    ],
)
def test_lane_of_a_verdict(verdict: Kind, review_lane: Lane, lane: Lane) -> None:
    gate = keeper(review_lane=review_lane)
    gate.on_trigger(trigger(0), START)
    part = only(gate.on_decision(decision(0, verdict), START))
    assert (part.kind, part.lane) == (verdict, lane)


def test_late_decision_is_a_fault() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    assert gate.next_deadline() == START + DEADLINE
    part = only(gate.on_decision(decision(0), START + DEADLINE))
    assert (part.kind, part.cause, part.lane) == (Kind.FAULT, Cause.LATE, Lane.REJECT)
    assert gate.expire(START + 2 * DEADLINE) == []


def test_no_decision_is_a_fault_at_the_deadline() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    assert gate.expire(START + DEADLINE - 1) == []
    assert only(gate.expire(START + DEADLINE)).cause is Cause.LATE
    assert gate.on_decision(decision(0), START + DEADLINE + 1) == []


def test_camera_unplugged_rejects_parts() -> None:
    part = only(keeper().on_trigger(trigger(0, cause=Cause.CAMERA), START))
    assert (part.kind, part.cause, part.lane) == (Kind.FAULT, Cause.CAMERA, Lane.REJECT)


def test_camera_that_fails_after_its_trigger_need_not_wait_for_the_deadline() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    part = only(gate.on_trigger(trigger(0, cause=Cause.CAMERA), START + MS))
    assert (part.kind, part.cause) == (Kind.FAULT, Cause.CAMERA)
    assert gate.on_trigger(trigger(0, cause=Cause.CAMERA), START + MS) == []
    assert gate.on_decision(decision(0), START + MS) == []


def test_lost_trigger_is_a_fault_when_the_next_one_shows_it() -> None:
    gate = keeper()
    lost = gate.on_trigger(trigger(2), START)
    assert [(part.seq, part.cause) for part in lost] == [(0, Cause.LOST), (1, Cause.LOST)]
    assert gate.on_trigger(trigger(1), START) == []


def test_lost_trigger_is_a_fault_when_a_beat_shows_it() -> None:
    gate = keeper()
    gate.on_decision(decision(0), START)
    part = only(gate.on_beat(beat(0), START))
    assert (part.kind, part.cause, part.trigger_wall_ns) == (Kind.FAULT, Cause.LOST, 7)


def test_decision_before_its_trigger_is_kept_a_while() -> None:
    gate = keeper()
    assert gate.on_decision(decision(0), START) == []
    assert only(gate.on_trigger(trigger(0), START + MS)).kind is Kind.PASS
    gate.on_decision(decision(1), START)
    assert gate.on_trigger(trigger(1, START + DEADLINE), START + DEADLINE) == []


@pytest.mark.parametrize("score", [None, math.nan, math.inf])
@pytest.mark.parametrize("verdict", [Kind.PASS, Kind.FAIL, Kind.REVIEW])
def test_score_that_is_no_number_is_a_fault(verdict: Kind, score: float | None) -> None:
    gate = keeper(review_lane=Lane.ACCEPT)
    gate.on_trigger(trigger(0), START)
    part = only(gate.on_decision(decision(0, verdict, score=score), START))
    assert (part.kind, part.cause, part.lane) == (Kind.FAULT, Cause.ENGINE, Lane.REJECT)


def test_pass_with_a_cause_is_a_fault() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    part = only(gate.on_decision(decision(0, cause=Cause.FRAME), START))
    assert (part.kind, part.cause, part.lane) == (Kind.FAULT, Cause.ENGINE, Lane.REJECT)


@pytest.mark.parametrize("cause", [*Cause, None])
def test_fault_of_detect_keeps_its_cause(cause: Cause | None) -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    part = only(gate.on_decision(decision(0, Kind.FAULT, score=None, cause=cause), START))
    assert (part.cause, part.lane) == (cause or Cause.ENGINE, Lane.REJECT)


def test_too_many_open_parts_are_faults() -> None:
    gate = keeper(max_open=2)
    gate.on_trigger(trigger(0), START)
    gate.on_trigger(trigger(1), START)
    assert only(gate.on_trigger(trigger(2), START)).cause is Cause.OVERLOAD
    assert gate.open == 2


def test_too_many_early_decisions_drop_the_oldest() -> None:
    gate = keeper(max_early=1)
    gate.on_decision(decision(0), START)
    gate.on_decision(decision(1), START)
    assert gate.on_trigger(trigger(0), START) == []
    assert only(gate.on_trigger(trigger(1), START)).kind is Kind.PASS


def test_wide_gap_is_settled_in_portions() -> None:
    gate = keeper(max_lost_at_once=10)
    seen = [part.seq for part in gate.on_beat(beat(24), START)]
    assert gate.next_deadline() == 0
    while gate.next_deadline() == 0:
        seen += [part.seq for part in gate.expire(START)]
    assert seen == list(range(25))


def test_stopping_gate_refuses_new_parts_and_finishes_open_ones() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    gate.stop_accepting()
    assert only(gate.on_trigger(trigger(1), START)).kind is Kind.FAULT
    assert only(gate.on_decision(decision(0), START)).kind is Kind.PASS
    assert gate.idle


def test_gate_that_slept_calls_old_parts_late() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    gate.on_decision(decision(0), START)
    gate.on_decision(decision(1), START + 70 * SECOND)
    assert only(gate.on_trigger(trigger(1), START + 70 * SECOND)).cause is Cause.LATE


VERDICTS = st.sampled_from([Kind.PASS, Kind.PASS, Kind.FAIL, Kind.REVIEW, Kind.FAULT])
STEP = st.one_of(
    st.tuples(st.just("trigger"), st.integers(0, 2), st.integers(0, 12), st.booleans()),
    st.tuples(st.just("beat"), st.integers(0, 2), st.integers(-1, 12), st.booleans()),
    st.tuples(st.just("decision"), st.integers(0, 2), st.integers(0, 12), VERDICTS),
    st.tuples(st.just("time"), st.just(0), st.integers(0, 80), st.just(True)),
)


class World:
    """Plays steps, and keeps its own simple account of what may have happened."""

    def __init__(self, gate: Gatekeeper) -> None:
        self.gate = gate
        self.now = START
        self.settled: list[Settlement] = []
        self.last: dict[str, int] = {}
        self.triggered_at: dict[tuple[str, int], int] = {}
        self.passed_at: dict[tuple[str, int], int] = {}

    def play(self, step: tuple[str, int, int, object]) -> None:
        what, number, value, extra = step
        stream = f"s{number}"
        if what == "time":
            self.now += value * MS
            self.settled += self.gate.expire(self.now)
        elif what == "trigger":
            self.last[stream] = max(self.last.get(stream, -1), value)
            self.triggered_at.setdefault((stream, value), self.now)
            cause = None if extra else Cause.CAMERA
            self.settled += self.gate.on_trigger(trigger(value, self.now, stream, cause), self.now)
        elif what == "beat":
            self.last[stream] = max(self.last.get(stream, -1), value)
            self.settled += self.gate.on_beat(beat(value, stream), self.now)
        else:
            self.decide(stream, value, Kind(extra))

    def decide(self, stream: str, seq: int, verdict: Kind) -> None:
        if verdict is Kind.PASS:
            self.passed_at.setdefault((stream, seq), self.now)
        self.settled += self.gate.on_decision(decision(seq, verdict, stream), self.now)

    def finish(self) -> None:
        self.now += DEADLINE
        while (due := self.gate.next_deadline()) is not None and due <= self.now:
            self.settled += self.gate.expire(self.now)


@settings(max_examples=400, deadline=None)
@given(
    steps=st.lists(STEP, max_size=80),
    max_open=st.integers(1, 20),
    max_early=st.integers(1, 20),
    portion=st.integers(1, 5),
)
def test_every_part_is_settled_once_whatever_is_lost_doubled_or_reordered(
    steps: list[tuple[str, int, int, object]], max_open: int, max_early: int, portion: int
) -> None:
    gate = keeper(max_open=max_open, max_early=max_early, max_lost_at_once=portion)
    world = World(gate)
    for step in steps:
        world.play(step)
        assert gate.balanced()
        assert gate.open <= max_open
    world.finish()
    parts = Counter((part.stream, part.seq) for part in world.settled)
    expected = {(name, seq) for name, last in world.last.items() for seq in range(last + 1)}
    assert set(parts) == expected
    assert set(parts.values()) <= {1}
    assert gate.idle
    assert gate.triggers == sum(gate.counts.values()) == len(expected)


@settings(max_examples=400, deadline=None)
@given(st.lists(STEP, max_size=80))
def test_only_a_pass_in_time_is_accepted(steps: list[tuple[str, int, int, object]]) -> None:
    world = World(keeper())
    for step in steps:
        world.play(step)
    world.finish()
    for part in world.settled:
        key = (part.stream, part.seq)
        assert (part.lane is Lane.ACCEPT) == (part.kind is Kind.PASS)
        assert (part.cause is not None) == (part.kind is Kind.FAULT)
        if part.kind is Kind.PASS:
            assert world.passed_at[key] - world.triggered_at[key] < DEADLINE
            assert part.latency_us * 1000 < DEADLINE


@settings(max_examples=200, deadline=None)
@given(before=st.lists(STEP, max_size=40), after=st.lists(STEP, max_size=40))
def test_restart_in_between_settles_no_part_twice(
    before: list[tuple[str, int, int, object]], after: list[tuple[str, int, int, object]]
) -> None:
    first = World(keeper())
    for step in before:
        first.play(step)
    known: dict[str, SeqSet] = {}
    for part in first.settled:
        known.setdefault(part.stream, SeqSet()).add(part.seq)
    second = World(Gatekeeper(Limits(deadline_ns=DEADLINE), known))
    for step in [*after, *(("beat", n, first.last.get(f"s{n}", -1), True) for n in range(3))]:
        second.play(step)
    second.finish()
    parts = Counter((part.stream, part.seq) for part in first.settled + second.settled)
    assert set(parts.values()) <= {1}
    for name, last in first.last.items():
        assert {(name, seq) for seq in range(last + 1)} <= set(parts)
