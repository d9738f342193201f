"""Promise: what is not ok says what to do, and what is unknown is never ok."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain import fitness
from inspector.domain.fitness import MIB, Check

TIMES = st.floats(0.1, 1e4)


@given(p99=TIMES, takt=TIMES, deadline=TIMES)
def test_a_part_that_takes_longer_than_its_time_is_bad(
    p99: float, takt: float, deadline: float
) -> None:
    first, second = fitness.pace(p99, takt, deadline)
    assert (first.state == "bad") == (p99 > takt)
    assert (second.state == "bad") == (p99 + fitness.LINE_MS > deadline)
    assert all((check.state == "ok") != bool(check.remedy) for check in (first, second))


def test_the_margin_stands_in_the_line() -> None:
    (check,) = fitness.pace(7.0, 100.0, None)
    assert (check.what, check.state) == ("takt", "ok")
    assert "7.0 ms (p99) of 100 ms, 14x margin" in check.text
    assert fitness.pace(7.0, None, None) == []


def test_several_cameras_share_the_model() -> None:
    assert fitness.combined([100.0, 100.0]) == pytest.approx(50)
    assert fitness.combined([100.0, 0.0]) == pytest.approx(100)
    assert fitness.combined([0.0]) is None


@pytest.mark.parametrize(("found", "state"), [(0.01, "ok"), (0.06, "bad"), (float("inf"), "bad")])
def test_parity_beyond_its_tolerance_is_bad(found: float, state: str) -> None:
    assert fitness.parity(found, 0.05).state == state


@pytest.mark.parametrize(
    ("available", "state"),
    [(8000 * MIB, "ok"), (900 * MIB, "warn"), (300 * MIB, "bad"), (None, "warn")],
)
def test_little_memory(available: int | None, state: str) -> None:
    assert fitness.memory(available, 100 * MIB).state == state


@pytest.mark.parametrize(
    ("free_mb", "used_mb", "state"),
    [(3000, 0, "ok"), (2000, 0, "warn"), (500, 2000, "ok"), (200, 0, "bad"), (None, 0, "bad")],
)
def test_room_for_the_evidence(free_mb: int | None, used_mb: int, state: str) -> None:
    free = None if free_mb is None else free_mb * MIB
    assert fitness.disk(free, used_mb * MIB, 2048, 256).state == state


@pytest.mark.parametrize(("free", "state"), [(65 * MIB, "ok"), (60 * MIB, "bad"), (None, "bad")])
def test_room_for_the_frames(free: int | None, state: str) -> None:
    assert fitness.shared_memory(free, 64).state == state


def test_a_clock_that_follows_nothing_is_a_warning() -> None:
    (check,) = fitness.clock(False, 2 * SECOND, SECOND)
    assert (check.what, check.state) == ("clock", "warn")
    (check,) = fitness.clock(None, 2 * SECOND, SECOND)
    assert check.state == "warn"
    (check,) = fitness.clock(True, 2 * SECOND, SECOND)
    assert check.state == "ok"


def test_a_clock_before_the_build_is_wrong() -> None:
    _, check = fitness.clock(True, 0, 1_700_000_000 * SECOND)
    assert check.state == "bad"
    assert "says 1970-01-01, before this program was built (2023-11-14)" in check.text


def test_the_verdict_is_one_sentence() -> None:
    good, warn = Check("a", "ok", "x"), Check("clock", "warn", "y", "z")
    assert fitness.verdict([good], "meets 100 ms takt") == "This box meets 100 ms takt."
    assert fitness.verdict([good, warn], "meets it") == "This box meets it. Look at: clock."
    bad = Check("takt", "bad", "120 ms of 100 ms", "z")
    found = fitness.verdict([good, warn, bad], "meets it")
    assert found == "This box is not fit to inspect: takt: 120 ms of 100 ms."
