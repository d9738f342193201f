"""Promise 2 at the output: lanes leave in the order of the triggers, none too late as an accept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.core.messages import StreamBeat, Trigger
from inspector.core.terms import Cause, FrameFormat, Kind, Lane, Pixel
from inspector.domain.gatekeeping import Gatekeeper, Limits
from inspector.domain.release import LaneCommand, Release
from inspector.domain.settlement import Settlement
from inspector.domain.streams import SeqSet

DEADLINE = 100
FORMAT = FrameFormat(width=8, height=8, pixel=Pixel.MONO8)


def part(seq: int, floor: int, stream: str = "s", lane: Lane = Lane.ACCEPT) -> Settlement:
    return Settlement("c", stream, seq, 0, Kind.PASS, None, "", lane, 1, "", None, DEADLINE, floor)


def seqs(parts: list[Settlement]) -> list[int]:
    return [each.seq for each in parts]


def test_reject_that_is_settled_first_waits_for_the_part_before_it() -> None:
    release = Release()
    assert release.settle(part(1, 0, lane=Lane.REJECT)) == []
    free = release.settle(part(0, 2))
    assert [(each.seq, each.lane) for each in free] == [(0, Lane.ACCEPT), (1, Lane.REJECT)]
    assert release.held == 0


def test_streams_do_not_wait_for_each_other() -> None:
    release = Release()
    assert release.settle(part(1, 0)) == []
    assert seqs(release.settle(part(0, 1, "t"))) == [0]
    assert release.held == 1


@pytest.mark.parametrize(("now", "lane"), [(DEADLINE - 1, Lane.ACCEPT), (DEADLINE, Lane.REJECT)])
def test_accept_after_the_deadline_is_a_reject(now: int, lane: Lane) -> None:
    accept = LaneCommand(Lane.ACCEPT, Kind.PASS, 0, "s", 0, DEADLINE)
    reject = LaneCommand(Lane.REJECT, Kind.FAIL, 0, "s", 0, DEADLINE)
    assert accept.lane_at(now) is lane
    assert reject.lane_at(now) is Lane.REJECT


@given(st.permutations(list(range(12))), st.integers(0, 5))
def test_each_part_leaves_once_in_order_and_as_soon_as_it_may(order: list[int], start: int) -> None:
    """`start`: how many an earlier run of the gate has settled."""
    release, known, left = Release(), SeqSet(start), list[int]()
    for settled in (start + seq for seq in order):
        known.add(settled)
        left += seqs(release.settle(part(settled, known.floor)))
        assert left == list(range(start, known.floor))
    assert release.held == 0


class Line:
    """A gatekeeper whose settlements go through the release, as in the gate."""

    def __init__(self, spool: dict[str, SeqSet]) -> None:
        self.spool = spool
        self.keeper = Gatekeeper(Limits(deadline_ns=DEADLINE, max_lost_at_once=3), spool)
        self.release = Release()
        self.left: dict[str, list[int]] = {}
        self.at: dict[tuple[str, int], int] = {}
        self.triggered: dict[tuple[str, int], int] = {}

    def take(self, settlements: list[Settlement], now: int) -> None:
        for settled in settlements:
            for free in self.release.settle(settled):
                self.spool.setdefault(free.stream, SeqSet()).add(free.seq)
                self.left.setdefault(free.stream, []).append(free.seq)
                self.at[free.stream, free.seq] = now

    def play(self, step: tuple[int, int, str], now: int) -> None:
        number, seq, what = step
        stream = f"s{number}"
        if what == "beat":
            beat = StreamBeat(camera="c", stream=stream, last_seq=seq, format=FORMAT, wall_ns=0)
            self.take(self.keeper.on_beat(beat, now), now)
            return
        cause = Cause.CAMERA if what == "cause" else None
        trigger = Trigger(
            camera="c", stream=stream, seq=seq, trigger_ns=now, wall_ns=0, cause=cause
        )
        self.triggered.setdefault((stream, seq), now)
        self.take(self.keeper.on_trigger(trigger, now), now)

    def work(self, now: int) -> None:
        while (due := self.keeper.next_deadline()) is not None and due <= now:
            self.take(self.keeper.expire(now), now)


STEPS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 15), st.sampled_from(["trigger", "cause", "beat"])),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(before=STEPS, after=STEPS, pace=st.integers(1, 40))
def test_parts_leave_in_order_whatever_is_lost_and_whenever_the_gate_restarts(
    before: list[tuple[int, int, str]], after: list[tuple[int, int, str]], pace: int
) -> None:
    """No part waits beyond its own deadline, none leaves twice, and in the end none is held."""
    now, spool, gone = 1000, dict[str, SeqSet](), dict[str, list[int]]()
    for steps in (before, after):
        line = Line(spool)
        for step in steps:
            now += pace
            line.work(now)
            line.play(step, now)
        for key, at in line.at.items():
            assert at <= line.triggered.get(key, at) + DEADLINE + pace
        if steps is after:
            now += DEADLINE
            line.work(now)
            assert line.release.held == 0
        for stream, left in line.left.items():
            gone.setdefault(stream, []).extend(left)
    for left in gone.values():
        assert left == list(range(len(left)))
