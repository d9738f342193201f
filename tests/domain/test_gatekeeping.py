"""Promises 1 and 2: one trigger, one outcome; no answer is never good."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.core.clock import MS, SECOND
from inspector.core.messages import (
    Cause,
    Decision,
    FrameFormat,
    Kind,
    Lane,
    Pixel,
    StreamBeat,
    Timing,
    Trigger,
)
from inspector.domain.gatekeeping import Gatekeeper, Limits
from inspector.domain.settlement import Settlement
from inspector.domain.streams import SeqSet, StreamClock

DEADLINE = 100 * MS
START = 1000 * SECOND
FORMAT = FrameFormat(width=8, height=8, pixel=Pixel.MONO8)


def trigger(seq: int, at: int = START, stream: str = "s", cause: Cause | None = None) -> Trigger:
    return Trigger(
        camera="top", stream=stream, seq=seq, trigger_ns=at, wall_ns=5, cause=cause, source="a.png"
    )


def beat(last_seq: int, stream: str = "s", ended: bool = False) -> StreamBeat:
    return StreamBeat(
        camera="top", stream=stream, last_seq=last_seq, format=FORMAT, wall_ns=7, ended=ended
    )


def decision(
    seq: int,
    verdict: Kind = Kind.PASS,
    stream: str = "s",
    score: float | None = 0.1,
    cause: Cause | None = None,
) -> Decision:
    return Decision(
        stream=stream,
        seq=seq,
        verdict=verdict,
        cause=cause,
        reason="because",
        score=score,
        model="m@1",
        recipe="r",
        timing=Timing(),
    )


def keeper(**limits: object) -> Gatekeeper:
    return Gatekeeper(Limits(deadline_ns=DEADLINE, **limits))  # type: ignore[arg-type]


def only(settled: list[Settlement]) -> Settlement:
    assert len(settled) == 1
    return settled[0]


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


def test_restart_remembers_what_was_settled() -> None:
    gate = Gatekeeper(Limits(deadline_ns=DEADLINE), {"s": SeqSet(3, [5])})
    assert gate.is_settled("s", 5)
    assert [part.seq for part in gate.on_beat(beat(6), START)] == [3, 4, 6]


def test_stopping_gate_refuses_new_parts_and_finishes_open_ones() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    gate.stop_accepting()
    assert only(gate.on_trigger(trigger(1), START)).kind is Kind.FAULT
    assert only(gate.on_decision(decision(0), START)).kind is Kind.PASS
    assert gate.idle


def test_ended_stream_is_forgotten_only_after_a_while() -> None:
    gate = keeper(forget_ns=SECOND)
    gate.on_beat(beat(1, ended=True), START)
    gate.expire(START)
    assert gate.on_trigger(trigger(1), START) == []
    gate.expire(START + 2 * SECOND)
    assert not gate.is_settled("s", 1)


def test_trigger_from_the_future_counts_from_its_arrival() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0, START + 3600 * SECOND), START)
    assert gate.next_deadline() == START + DEADLINE


def test_trigger_older_than_a_minute_counts_from_its_arrival() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0, START - 61 * SECOND), START)
    assert gate.next_deadline() == START + DEADLINE


def test_part_held_up_by_the_network_is_late_whatever_the_other_hosts_clock() -> None:
    clock = StreamClock()
    assert clock.local_ns(0, START) == START
    assert clock.local_ns(SECOND, START + 6 * SECOND) <= START + SECOND + 6 * MS


def test_gate_that_slept_calls_old_parts_late() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    gate.on_decision(decision(0), START)
    gate.on_decision(decision(1), START + 70 * SECOND)
    assert only(gate.on_trigger(trigger(1), START + 70 * SECOND)).cause is Cause.LATE


@given(offset=st.integers(-(10**15), 10**15), delay=st.lists(st.integers(0, 50 * MS), min_size=1))
def test_trigger_time_never_lies_in_the_future(offset: int, delay: list[int]) -> None:
    clock, now = StreamClock(), START
    for wait in delay:
        sent, now = now, now + wait
        assert clock.local_ns(sent + offset, now) <= now


@given(st.lists(st.integers(0, 40)))
def test_seq_set_is_a_set(numbers: list[int]) -> None:
    seqs = SeqSet()
    for number in numbers:
        seqs.add(number)
    assert {n for n in range(50) if n in seqs} == set(numbers)
    assert seqs.floor == next(n for n in range(50) if n not in set(numbers))


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
