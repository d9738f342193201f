"""Parts that cannot make it are not begun, and no hold-up lasts."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import MS
from inspector.domain.pace import Pace


def test_part_without_time_left_is_not_begun() -> None:
    pace = Pace()
    for _ in range(100):
        pace.took(10 * MS)
    assert pace.fits(0, 11 * MS)
    assert not pace.fits(0, 9 * MS)


@given(st.lists(st.integers(0, 3_600_000 * MS), max_size=20), st.integers(1, 60_000))
def test_after_any_hold_up_parts_are_begun_again(taken: list[int], deadline_ms: int) -> None:
    pace = Pace()
    for duration in taken:
        pace.took(duration)
    refused = 0
    while not pace.fits(0, deadline_ms * MS):
        refused += 1
    assert refused < 100
