"""The second look: taken only with time to spare, and never a way from FAIL to PASS."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import MS
from inspector.core.terms import Kind
from inspector.domain.second_look import (
    MOST_WAITING,
    PATIENCE,
    SAMPLES,
    UNKNOWN_NS,
    Cost,
    Rhythm,
    Waiting,
    affordable,
    settled,
)

times = st.integers(0, 10**12)
durations = st.integers(1, 10**10)
kinds = st.sampled_from(list(Kind))


@given(kinds, kinds)
def test_only_a_part_for_review_can_change(first: Kind, second: Kind) -> None:
    verdict = settled(first, second)
    if first is not Kind.REVIEW:
        assert verdict is first
    assert verdict in (first, second)


@given(kinds)
def test_a_second_look_that_says_nothing_leaves_the_part_for_review(second: Kind) -> None:
    verdict = settled(Kind.REVIEW, second)
    assert verdict is (Kind.REVIEW if second is Kind.FAULT else second)


@given(
    times,
    times,
    durations,
    durations,
    st.lists(times, max_size=3),
    durations,
    durations,
    st.integers(0, 64),
)
def test_never_taken_without_time(
    now: int,
    deadline: int,
    needed: int,
    allowed: int,
    others: list[int],
    usual: int,
    takt: int,
    slots: int,
) -> None:
    """Whenever it is taken and lasts as long as it needs, all parts still make their deadlines,
    and no frame that waits is overwritten."""
    waiting = Waiting(others, usual, takt, slots)
    if not affordable(now, deadline, needed, allowed, waiting):
        return
    end = now + needed
    assert end <= deadline
    for place, other in enumerate(others, 1):
        assert end + place * usual <= other
    assert end + (len(others) + 1) * usual <= now + allowed  # a part that triggers now
    assert len(others) + needed / takt < slots
    assert len(others) <= MOST_WAITING


@given(times, durations, durations)
def test_taken_when_nobody_waits_and_there_is_time(now: int, needed: int, usual: int) -> None:
    enough = needed + usual
    assert affordable(now, now + enough, needed, enough, Waiting([], usual, needed, 3))


@given(times, times)
def test_never_taken_while_its_cost_is_unknown(now: int, deadline: int) -> None:
    assert Cost().needed_ns == UNKNOWN_NS
    waiting = Waiting([], 0.0, UNKNOWN_NS, 64)
    assert not affordable(now, deadline, Cost().needed_ns, deadline, waiting)


def test_the_takt_is_the_usual_time_between_parts_of_one_camera() -> None:
    rhythm = Rhythm()
    assert rhythm.takt_ns == UNKNOWN_NS
    for number in range(10):
        rhythm.heard("left", number * 100 * MS)
        rhythm.heard("right", number * 100 * MS + 1)
    assert rhythm.takt_ns == 100 * MS
    rhythm.heard("left", 0)  # another host's clock, or a new run: no time runs backwards
    assert rhythm.takt_ns == 100 * MS


@given(
    st.integers(1, 10**9),
    st.lists(st.floats(1, 2), min_size=1, max_size=SAMPLES),
    st.integers(0, 300),
)
def test_what_it_usually_takes_is_never_forgotten(
    usual: int, taken: list[float], refusals: int
) -> None:
    """However often there was no time: a model that is too slow for the line is never tried."""
    cost = Cost(int(usual * share) for share in taken)
    before = cost.needed_ns
    for _ in range(refusals):
        cost.left_out()
    assert cost.needed_ns == before


@given(st.integers(1 * MS, 100 * MS), st.integers(2, SAMPLES - 1))
def test_one_hold_up_does_not_rule_it_out_for_ever(usual: int, count: int) -> None:
    cost = Cost([usual] * count)
    before = cost.needed_ns
    cost.took(50 * usual)
    assert cost.needed_ns > 50 * usual
    for _ in range(PATIENCE):
        cost.left_out()
    assert cost.needed_ns == before


def test_model_that_became_too_slow_is_hardly_ever_tried_again() -> None:
    """Measured at 10 ms when it was loaded, 40 ms ever since, and 30 ms are left each time."""
    cost, tried = Cost([10 * MS] * 5), 0
    for _ in range(10_000):
        if cost.needed_ns <= 30 * MS:
            tried += 1
            cost.took(40 * MS)
        else:
            cost.left_out()
    assert tried <= 11
