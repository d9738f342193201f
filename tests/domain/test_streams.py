"""A stream is settled once, however long ago it ended and whatever clock it has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.words import DEADLINE, FORMAT, START, beat, decision, keeper, only, trigger

from inspector.core.clock import MS, SECOND
from inspector.core.messages import StreamBeat
from inspector.core.terms import Cause, Kind
from inspector.domain.gatekeeping import Gatekeeper, Limits
from inspector.domain.streams import MOST_AHEAD, MOST_STREAMS, SeqSet, StreamClock


def test_restart_remembers_what_was_settled() -> None:
    gate = Gatekeeper(Limits(deadline_ns=DEADLINE), {"s": SeqSet(3, [5])})
    assert gate.is_settled("s", 5)
    assert [part.seq for part in gate.on_beat(beat(6), START)] == [3, 4, 6]


def test_ended_stream_is_remembered_however_long_ago_it_ended() -> None:
    gate = keeper()
    gate.on_beat(beat(1, ended=True), START)
    gate.expire(START + 10**6 * SECOND)
    assert gate.on_beat(beat(1, ended=True), START + 10**6 * SECOND) == []
    assert gate.all_settled("s", 1)


def test_streams_are_bounded_and_the_longest_ended_goes_first() -> None:
    gate = keeper()
    gate.on_beat(beat(1, "living"), START)
    for number in range(MOST_STREAMS):
        gate.on_beat(beat(1, f"ended{number}", ended=True), START + 1 + number)
    assert gate.is_settled("living", 1)
    assert not gate.is_settled("ended0", 1)
    assert gate.is_settled("ended1", 1)


def test_stream_with_an_open_part_is_never_forgotten() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0, stream="open"), START)
    gate.on_beat(beat(0, "open", ended=True), START)
    for number in range(MOST_STREAMS + 5):
        gate.on_beat(beat(1, f"ended{number}", ended=True), START + 1 + number)
    assert only(gate.on_decision(decision(0, stream="open"), START + MS)).kind is Kind.PASS


def test_forgotten_stream_that_the_spool_knows_is_not_settled_again() -> None:
    spool = {"s": SeqSet(2), "t": SeqSet()}
    gate = Gatekeeper(Limits(deadline_ns=DEADLINE), spool)
    assert gate.on_beat(beat(1, ended=True), START) == []
    assert gate.all_settled("s", 1)
    for number in range(MOST_STREAMS):
        gate.on_beat(beat(-1, f"other{number}", ended=True), START + 1)
    spool["s"].add(2)  # as an outcome that went through the spool since
    assert [part.seq for part in gate.on_beat(beat(3, ended=True), START + 2)] == [3]


def test_ended_stream_is_all_settled_only_without_open_parts() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    gate.on_beat(beat(1, ended=True), START)
    assert not gate.all_settled("s", 1)
    gate.expire(START + DEADLINE)
    assert gate.all_settled("s", 1)
    assert not gate.all_settled("s", 2)
    assert not gate.all_settled("unknown", -1)


def test_count_that_jumps_absurdly_far_is_refused() -> None:
    gate = keeper()
    assert gate.on_beat(beat(MOST_AHEAD + 1), START) == []
    assert gate.on_trigger(trigger(2**62), START) == []
    assert (gate.refused, gate.triggers, gate.next_deadline()) == (2, 0, None)
    assert len(gate.on_beat(beat(0), START)) == 1


def test_stream_of_another_camera_is_not_taken_over() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    foreign = StreamBeat(camera="far", stream="s", last_seq=5, format=FORMAT, wall_ns=7)
    assert gate.on_beat(foreign, START) == []
    assert gate.refused == 1
    assert only(gate.on_decision(decision(0), START)).camera == "top"


def test_trigger_from_the_future_counts_from_its_arrival() -> None:
    gate = keeper()
    gate.on_trigger(trigger(0, START + 3600 * SECOND), START)
    assert gate.next_deadline() == START + DEADLINE


def test_old_trigger_of_a_camera_on_this_host_is_late_however_old() -> None:
    part = only(keeper().on_trigger(trigger(0, START - 61 * SECOND), START))
    assert part.cause is Cause.LATE


@pytest.mark.parametrize("behind", [5 * SECOND, -5 * SECOND, 61 * SECOND, 10**6 * SECOND])
def test_camera_on_another_host_is_in_time_whatever_its_clock(behind: int) -> None:
    gate = Gatekeeper(Limits(deadline_ns=DEADLINE), remote={"top"})
    for seq, now in enumerate(range(START, START + 5 * SECOND, SECOND)):
        gate.on_trigger(trigger(seq, now - behind), now)
        assert gate.next_deadline() == now + DEADLINE
        assert only(gate.on_decision(decision(seq), now + MS)).kind is Kind.PASS


def test_part_held_up_by_the_network_is_late_whatever_the_other_hosts_clock() -> None:
    clock = StreamClock(remote=True)
    assert clock.local_ns(0, START) == START
    assert clock.local_ns(SECOND, START + 6 * SECOND) <= START + SECOND + 6 * MS


@given(
    remote=st.booleans(),
    offset=st.integers(-(10**15), 10**15),
    delay=st.lists(st.integers(0, 50 * MS), min_size=1),
)
def test_trigger_time_never_lies_in_the_future(remote: bool, offset: int, delay: list[int]) -> None:
    clock, now = StreamClock(remote), START
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
