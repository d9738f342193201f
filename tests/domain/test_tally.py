"""Counting and revising totals."""

from collections import Counter
from itertools import accumulate, groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.core.errors import EngineerError
from inspector.core.terms import Cause, Kind
from inspector.domain.tally import (
    Cycle,
    Latency,
    Part,
    Totals,
    cumulate,
    final_kind,
    first_pass_yield,
    is_over,
    latency_of,
    needs_revision,
    tally,
    window_start,
)

findings = st.sampled_from([None, None, None, Kind.PASS, Kind.FAIL])


@st.composite
def parts(draw: st.DrawFn) -> Part:
    kind = draw(st.sampled_from(Kind))
    return Part(
        kind=kind,
        cause=draw(st.sampled_from(Cause)) if kind is Kind.FAULT else None,
        latency_us=draw(st.integers(0, 10**7)),
        finding=draw(findings),
        defect_class=draw(st.sampled_from(["", "scratch", "dent"])),
        stream=draw(st.integers(1, 2)),
        seq=draw(st.integers(0, 20)),
        wall_ns=draw(st.integers(-(10**15), 10**19 // 2)),
    )


@given(st.integers(0, 4 * 10**18), st.integers(1, 86_400))
def test_every_moment_lies_in_one_window(wall_ns: int, window_s: int) -> None:
    start = window_start(wall_ns, window_s)
    assert start % window_s == 0
    assert start * SECOND <= wall_ns < (start + window_s) * SECOND


def test_window_is_over_after_its_grace() -> None:
    assert not is_over(60, 61 * SECOND, 1.5)
    assert is_over(60, 61 * SECOND + SECOND // 2, 1.5)


@given(st.lists(parts()))
def test_triggers_are_pass_fail_review_and_fault(some: list[Part]) -> None:
    totals = tally(some)
    assert totals.triggers == len(some)
    assert totals.counts == Counter(map(final_kind, some))
    assert sum(totals.causes.values()) == totals.counts.get(Kind.FAULT, 0)


@given(st.lists(parts()))
def test_finding_moves_a_part_and_is_counted(some: list[Part]) -> None:
    totals = tally(some)
    moves = Counter((part.kind, part.finding) for part in some)
    assert totals.reviewed == sum(part.finding is not None for part in some)
    assert totals.escape == moves[Kind.PASS, Kind.FAIL]
    assert totals.overkill == moves[Kind.FAIL, Kind.PASS]
    assert totals.first_pass == moves[Kind.PASS, None] + moves[Kind.PASS, Kind.PASS]
    assert sum(totals.defect_classes.values()) == sum(
        final_kind(part) is Kind.FAIL and part.defect_class != "" for part in some
    )


@given(st.lists(parts()), st.randoms(use_true_random=False))
def test_order_of_parts_does_not_matter(some: list[Part], random: object) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert tally(shuffled) == tally(some)


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_percentiles_are_latencies_that_occurred(values: list[int]) -> None:
    latency = latency_of(values)
    assert {latency.p50_us, latency.p95_us, latency.max_us} <= set(values)
    assert sum(value <= latency.p50_us for value in values) * 2 >= len(values)
    assert sum(value <= latency.p95_us for value in values) * 100 >= len(values) * 95
    assert latency.p50_us <= latency.p95_us <= latency.max_us == max(values)


def test_no_parts_have_no_latency_and_no_yield() -> None:
    assert latency_of([]) == Latency()
    assert first_pass_yield(tally([])) is None
    assert not needs_revision(None, tally([]))


def test_part_found_good_later_is_no_first_pass() -> None:
    totals = tally([Part(Kind.PASS, None, 1), Part(Kind.REVIEW, None, 1, Kind.PASS)])
    assert totals.counts == {Kind.PASS: 2}
    assert first_pass_yield(totals) == 0.5


@given(st.lists(st.tuples(st.integers(0, 4), st.lists(parts(), max_size=6)), max_size=20))
def test_latest_revisions_sum_to_the_cumulative_counts(
    counted: list[tuple[int, list[Part]]],
) -> None:
    """Windows are counted again and again, in any order and with any content."""
    latest: dict[int, Totals] = {}
    cumulative = dict.fromkeys(Kind, 0)
    for window, some in counted:
        totals = tally(some)
        if needs_revision(latest.get(window), totals):
            cumulative = cumulate(cumulative, latest.get(window), totals)
            latest[window] = totals
    expected: Counter[Kind] = Counter()
    for totals in latest.values():
        expected.update(totals.counts)
    assert cumulative == {kind: expected[kind] for kind in Kind}


@given(st.lists(st.tuples(st.integers(0, 10**12), parts()), max_size=30), st.integers(1, 1000))
def test_windows_partition_the_parts(some: list[tuple[int, Part]], window_s: int) -> None:
    def key(item: tuple[int, Part]) -> int:
        return window_start(item[0], window_s)

    windows = groupby(sorted(some, key=key), key)
    assert sum(tally(part for _, part in group).triggers for _, group in windows) == len(some)


def test_same_counts_need_no_revision() -> None:
    totals = tally([Part(Kind.PASS, None, 5)])
    assert needs_revision(None, totals)
    assert not needs_revision(totals, totals)


def test_cumulative_counts_never_fall_below_zero() -> None:
    with pytest.raises(EngineerError, match="below zero"):
        cumulate({}, tally([Part(Kind.PASS, None, 5)]), tally([]))


def triggered(stream: int, seq: int, wall_us: int) -> Part:
    return Part(Kind.PASS, None, 1, stream=stream, seq=seq, wall_ns=wall_us * 1000)


def test_cycle_is_from_one_trigger_of_a_camera_to_its_next() -> None:
    some = [triggered(1, seq, seq * 1000) for seq in range(5)]
    some += [triggered(2, seq, 250 + seq * 7000) for seq in range(3)]
    assert tally(some).cycle == Cycle(1000, 7000)


def test_part_that_is_counted_elsewhere_makes_no_long_cycle() -> None:
    """A fault without a model, say, belongs to totals of its own."""
    some = [triggered(1, seq, seq * 1000) for seq in (1, 2, 4, 5, 9)]
    assert tally(some).cycle == Cycle(1000, 1000)


def test_clock_set_back_is_no_cycle() -> None:
    some = [triggered(1, 1, 5000), triggered(1, 2, 6000), triggered(1, 3, 100)]
    assert tally(some).cycle == Cycle(1000, 1000)


@pytest.mark.parametrize("parts", [[], [triggered(1, 1, 5)], [triggered(1, 1, 5)] * 2])
def test_cycle_of_less_than_two_triggers_is_zero(parts: list[Part]) -> None:
    assert tally(parts).cycle == Cycle()


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=50))
def test_cycles_are_the_steps_of_the_triggers(steps_us: list[int]) -> None:
    walls = list(accumulate(steps_us))
    cycle = tally([triggered(3, seq, wall) for seq, wall in enumerate(walls)]).cycle
    ordered = sorted(steps_us[1:])
    assert cycle == Cycle(ordered[(len(ordered) + 1) // 2 - 1], ordered[-1])
