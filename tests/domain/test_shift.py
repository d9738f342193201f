"""Which shift a time lies in, in summer and winter, and with the clock set back."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain.shift import shift_start

THREE = ("06:00", "14:00", "22:00")
BERLIN = ZoneInfo("Europe/Berlin")


def wall(text: str, zone: tzinfo = BERLIN, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("now", "begin"),
    [
        ("2025-06-10 06:00:00", "2025-06-10 06:00"),
        ("2025-06-10 13:59:59", "2025-06-10 06:00"),
        ("2025-06-10 14:00:00", "2025-06-10 14:00"),
        ("2025-06-10 23:10:00", "2025-06-10 22:00"),
        ("2025-06-11 05:59:59", "2025-06-10 22:00"),
        ("2025-01-01 00:00:00", "2024-12-31 22:00"),
    ],
)
def test_shift_of_a_time(now: str, begin: str) -> None:
    assert shift_start(wall(now), THREE, BERLIN) == wall(begin)


def test_night_shift_is_an_hour_longer_when_the_clock_is_put_back() -> None:
    begin = wall("2025-10-25 22:00")
    assert shift_start(wall("2025-10-26 02:30", fold=1), THREE, BERLIN) == begin
    end = wall("2025-10-26 06:00")
    assert shift_start(end - 1, THREE, BERLIN) == begin
    assert (end - begin) == 9 * 3600 * SECOND


def test_hour_that_comes_twice_begins_one_shift() -> None:
    first = wall("2025-10-26 02:30")
    again = wall("2025-10-26 02:30", fold=1)
    assert again - first == 3600 * SECOND
    assert shift_start(again + SECOND, ("02:30",), BERLIN) == first


def test_shift_whose_time_is_left_out_begins_when_the_clock_has_passed_it() -> None:
    after = wall("2025-03-30 03:30")
    assert shift_start(after, ("02:30", "14:00"), BERLIN) == after
    assert shift_start(after - SECOND, ("02:30", "14:00"), BERLIN) == wall("2025-03-29 14:00")


def test_clock_set_back_is_in_the_shift_before() -> None:
    late, early = wall("2025-06-10 06:01"), wall("2025-06-10 05:58")
    assert shift_start(late, THREE, BERLIN) > early
    assert shift_start(early, THREE, BERLIN) == wall("2025-06-09 22:00")


def test_day_that_is_left_out_has_no_shift() -> None:
    apia = ZoneInfo("Pacific/Apia")  # no 30 December 2011
    assert shift_start(wall("2011-12-31 05:00", apia), ("06:00",), apia) <= wall(
        "2011-12-31 05:00", apia
    )


TIMES = st.lists(
    st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)), min_size=1, max_size=6
)
ZONES = st.sampled_from(
    [UTC, BERLIN, ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Lord_Howe"), timezone.max]
)
SECONDS = st.integers(0, 4_000_000_000)


@given(SECONDS, TIMES, ZONES)
def test_begin_lies_before_and_is_its_own(second: int, shifts: list[str], zone: tzinfo) -> None:
    now = second * SECOND
    begin = shift_start(now, shifts, zone)
    assert begin <= now
    assert now - begin <= timedelta(hours=26).total_seconds() * SECOND
    assert shift_start(begin, shifts, zone) == begin


@given(SECONDS, st.integers(0, 10**6), TIMES, ZONES)
def test_later_is_never_an_earlier_shift(
    second: int, more: int, shifts: list[str], zone: tzinfo
) -> None:
    one, two = (shift_start(at * SECOND, shifts, zone) for at in (second, second + more))
    assert one <= two
