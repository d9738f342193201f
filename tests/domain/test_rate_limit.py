"""So many at once, then one every so often."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.domain.rate_limit import RateLimit


@given(st.lists(st.integers(0, 50), min_size=1, max_size=200))
def test_never_more_than_the_burst_and_one_for_each_interval(pauses: list[int]) -> None:
    allowance, now, taken = RateLimit(3, 10, 0), 0, 0
    for pause in pauses:
        now += pause
        taken += allowance.take(now)
        assert taken <= 3 + now // 10
    assert taken + allowance.left_out == len(pauses)


def test_rest_brings_the_burst_back_and_no_more() -> None:
    allowance = RateLimit(3, 10, 0)
    assert [allowance.take(1000) for _ in range(5)] == [True, True, True, False, False]
    assert allowance.left_out == 2


def test_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    allowance = RateLimit(1, 10, 100)
    assert allowance.take(100)
    assert not allowance.take(50)
    assert not allowance.take(105)
    assert allowance.take(110)
