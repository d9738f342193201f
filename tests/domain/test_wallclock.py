"""Which time counts when the box's clock is behind, jumps, or is set right."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain.wallclock import DISTANT_NS, HOLD_NS, WallClock

DAY = 86_400 * SECOND
NOW = 1_750_000_000 * SECOND


def codes(clock: WallClock, wall: int, mono: int, synchronised: bool = False) -> list[str]:
    return [word.code for word in clock.look(wall, mono, synchronised)]


def test_clock_that_starts_in_1970_goes_on_from_the_time_that_has_been() -> None:
    clock = WallClock(NOW, 0, 0)
    assert clock.ahead_ns == NOW
    assert codes(clock, 1 * SECOND, 1 * SECOND) == ["clock_behind"]
    assert codes(clock, 2 * SECOND, 2 * SECOND) == []
    assert 2 * SECOND + clock.ahead_ns == NOW + 2 * SECOND == clock.floor_ns


def test_synchronised_clock_is_believed_and_ends_it() -> None:
    clock = WallClock(NOW, 0, 0)
    codes(clock, SECOND, SECOND)
    assert codes(clock, NOW + 60 * SECOND, 2 * SECOND, True) == ["clock_jumped", "clock_right"]
    assert clock.ahead_ns == 0
    assert codes(clock, NOW - 3600 * SECOND, 3 * SECOND, True) == ["clock_jumped"]
    assert (clock.ahead_ns, clock.floor_ns) == (0, NOW - 3600 * SECOND)  # the floor is mended


def test_clock_set_back_by_hand_does_not_bring_time_back() -> None:
    clock = WallClock(NOW, NOW, 0)
    assert codes(clock, NOW - 600 * SECOND, 10 * SECOND) == ["clock_jumped", "clock_behind"]
    assert NOW - 600 * SECOND + clock.ahead_ns == NOW + 10 * SECOND
    assert codes(clock, NOW + 20 * SECOND, 20 * SECOND) == ["clock_jumped", "clock_right"]


def test_clock_years_ahead_that_is_set_right_within_the_hour_leaves_no_trace() -> None:
    clock = WallClock(NOW, NOW, 0)
    assert codes(clock, NOW + 5000 * DAY, SECOND) == ["clock_jumped"]
    assert clock.floor_ns == NOW + SECOND
    assert codes(clock, NOW + 60 * SECOND, 60 * SECOND) == ["clock_jumped"]
    assert clock.ahead_ns == 0


def test_clock_years_ahead_that_stays_is_taken_up() -> None:
    clock = WallClock(NOW, NOW, 0)
    ahead = NOW + 5000 * DAY
    codes(clock, ahead, SECOND)
    codes(clock, ahead + HOLD_NS, SECOND + HOLD_NS)
    assert clock.floor_ns == ahead + HOLD_NS
    assert "clock_behind" in codes(clock, NOW, 2 * SECOND + HOLD_NS)


def test_part_of_a_clock_that_was_wrong_is_of_now() -> None:
    clock = WallClock(NOW, 0, 0)
    assert clock.stamp(7 * SECOND, NOW + 8 * SECOND) == NOW + 7 * SECOND
    codes(clock, NOW + SECOND, SECOND, True)
    assert clock.stamp(7 * SECOND, NOW + SECOND) == NOW + SECOND
    assert clock.stamp(NOW - DISTANT_NS, NOW) == NOW - DISTANT_NS


def test_no_floor_yet_believes_what_there_is() -> None:
    clock = WallClock(0, 5 * SECOND, 0)
    assert codes(clock, 6 * SECOND, SECOND) == []
    assert clock.ahead_ns == 0


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 100)), max_size=30))
def test_unsynchronised_time_never_falls_but_for_a_leap_taken_back(
    steps: list[tuple[int, int]],
) -> None:
    clock, mono, last = WallClock(NOW, NOW, 0), 0, NOW
    for wall_s, passed_s in steps:
        mono += passed_s * SECOND
        wall = NOW - DAY // 2 + wall_s % 80_000 * SECOND
        codes(clock, wall, mono)
        assert wall + clock.ahead_ns >= last
        last = clock.floor_ns
