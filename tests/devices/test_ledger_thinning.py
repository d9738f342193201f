"""What is old goes, what is still wanted stays, and what was counted stays as it was."""

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.outcomes import STREAM, WALL, mark, mixed, outcome

from inspector.core.clock import SECOND
from inspector.core.errors import OperatorError
from inspector.core.messages import Departed, Event
from inspector.core.orders import ReviewPart
from inspector.core.terms import Kind, Severity
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.devices.ledger.thinning import (
    KEPT,
    OLD_EVENTS,
    OLD_WINDOWS,
    Thinned,
    thin_departures,
    thin_events,
    thin_parts,
    thin_windows,
)
from inspector.domain.retention import LARGEST, SMALLEST, STEP_NS, Pace, Quota

FOREVER = WALL // SECOND + 10**6


def inspect(ledger: Ledger, parts: range) -> None:
    made = [mixed(seq, trigger_wall_ns=WALL + seq * SECOND) for seq in parts]
    ledger.commit([(one, True) for one in made], wall_ns=WALL)


def counted(ledger: Ledger, parts: int, delivered: bool = True) -> None:
    """So many parts, one a second, in windows of 10 s, and their totals."""
    inspect(ledger, range(parts))
    while rows := ledger.close_windows(WALL + (parts + 5) * SECOND, 1.0):
        if delivered:
            ledger.commit([], (), [mark(ledger.id, tuple(row.row for row in rows))], WALL)


def thin(
    ledger: Ledger, most: int = 100, before_s: int = FOREVER, hold: bool = True, from_s: int = 0
) -> Thinned:
    return ledger.thin(lambda db: thin_parts(db, before_s, from_s, most, hold))


def thin_all(ledger: Ledger, most: int = 100, hold: bool = True) -> int:
    total = place = 0
    for _ in range(1000):
        done = thin(ledger, most, hold=hold, from_s=place)
        total += done.deleted
        if done.next_s is None:
            break
        place = done.next_s
    return total


def seqs(reader: LedgerReader) -> list[int]:
    return [part.outcome.seq for part in reader.parts(10_000)][::-1]


def test_parts_go_window_by_window_and_totals_stay(ledger: Ledger, reader: LedgerReader) -> None:
    counted(ledger, 60)
    before = reader.totals()
    assert thin(ledger, most=7).deleted == 7
    assert thin(ledger, most=7).deleted == 3
    assert seqs(reader) == list(range(10, 60))
    ledger.close_windows(WALL + 3600 * SECOND, 1.0)
    assert reader.totals() == before
    assert ledger.committed == reader.sums().committed == 60
    assert ledger.sums() == reader.sums()
    assert ledger._db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_late_part_of_a_thinned_window_is_counted_in_one_of_its_own(
    ledger: Ledger, reader: LedgerReader
) -> None:
    counted(ledger, 20)
    thin(ledger)
    ledger.commit([(outcome(99, trigger_wall_ns=WALL + 3 * SECOND), False)], wall_ns=WALL)
    (row,) = ledger.close_windows(WALL + 60 * SECOND, 1.0)
    assert (row.totals.triggers, row.start_s) == (1, WALL // SECOND + 1)
    assert sum(row.cumulative.values()) == 21
    newest = {(row.start_s, row.end_s): row.totals.triggers for row in reader.totals()}
    assert sum(newest.values()) == 21


def test_finding_on_a_part_whose_window_has_begun_to_go_is_refused(
    ledger: Ledger, reader: LedgerReader
) -> None:
    counted(ledger, 20)
    thin(ledger, most=5)
    left = ReviewPart(stream=STREAM, seq=seqs(reader)[0], verdict="fail")
    with pytest.raises(OperatorError, match="too old to be counted again"):
        ledger.review(left, "anna", "", WALL)


def test_parts_of_totals_that_are_not_delivered_stay(ledger: Ledger, reader: LedgerReader) -> None:
    counted(ledger, 30, delivered=False)
    ledger.commit([], (), [mark(ledger.id, 2)], WALL)
    assert thin_all(ledger) == 10
    assert seqs(reader) == [*range(10), *range(20, 30)]
    assert reader.pending_count() == 2


def test_parts_of_windows_to_be_counted_again_stay(ledger: Ledger, reader: LedgerReader) -> None:
    counted(ledger, 30)
    ledger.review(ReviewPart(stream=STREAM, seq=12, verdict="fail"), "anna", "", WALL)
    assert thin_all(ledger) == 19  # and the newest part
    assert seqs(reader) == [*range(10, 20), 29]
    (row,) = ledger.close_windows(WALL + 60 * SECOND, 1.0)
    assert row.totals.escape + row.totals.reviewed > 0
    assert sum(row.cumulative.values()) == 30


def test_where_nothing_leaves_the_station_parts_go_all_the_same(ledger: Ledger) -> None:
    counted(ledger, 30, delivered=False)
    assert thin_all(ledger, hold=False) == 29


def test_numbers_go_on_after_everything_has_gone(ledger: Ledger, reader: LedgerReader) -> None:
    counted(ledger, 30)
    last = reader.parts(1)[0].id
    thin_all(ledger)
    with closing(Ledger(ledger.path, 10, 0, WALL)) as again:
        again.commit([(outcome(500, trigger_wall_ns=WALL + 500 * SECOND), False)], wall_ns=WALL)
        assert reader.parts(1)[0].id == last + 1
        assert again.committed == 31


def test_delivered_windows_without_parts_go_by_age_and_cumulative_counts_stay(
    ledger: Ledger, reader: LedgerReader
) -> None:
    counted(ledger, 50)
    thin_all(ledger)
    assert ledger.write(lambda db: thin_windows(db, FOREVER, 100)) > 0
    assert [row.row for row in reader.totals()] == [5]
    inspect(ledger, range(100, 110))
    (row,) = ledger.close_windows(WALL + 200 * SECOND, 1.0)
    assert (row.row, sum(row.cumulative.values())) == (6, 60)


def test_events_and_departures_go_by_age_and_their_sums_stay(
    ledger: Ledger, reader: LedgerReader
) -> None:
    events = [
        Event(service="gate", severity=Severity.INFO, code="x", text=str(n), wall_ns=WALL + n)
        for n in range(10)
    ]
    left = [Departed(wall_ns=WALL + n, topic="t", payload="{}", bytes=2) for n in range(10)]
    ledger.commit([], events, (), WALL, left)
    assert ledger.write(lambda db: thin_events(db, WALL + 5, 3)) == 3
    assert ledger.write(lambda db: thin_departures(db, WALL + 5, 100)) == 5
    assert len(reader.events()) == 7
    assert len(reader.departures(100)) == 5
    assert reader.sums().departed == 10


def test_freed_room_is_used_again(ledger: Ledger) -> None:
    counted(ledger, 2000)
    ledger.checkpoint()
    size = ledger.path.stat().st_size
    full = ledger.size()
    thin_all(ledger, 500)
    assert ledger.size() < full / 2
    ledger.checkpoint()
    inspect(ledger, range(2000, 3000))
    ledger.checkpoint()
    assert ledger.path.stat().st_size <= size * 1.1


def test_queue_of_parts_to_look_at_forgets_those_that_have_gone(
    ledger: Ledger, reader: LedgerReader
) -> None:
    counted(ledger, 40)
    assert reader.sums().to_review == sum(
        mixed(seq).kind in (Kind.FAIL, Kind.REVIEW) for seq in range(40)
    )
    thin_all(ledger)
    assert ledger.sums().to_review == reader.sums().to_review == len(reader.to_review(100)) == 0


@given(st.lists(st.tuples(st.integers(0, 10 * STEP_NS), st.integers(0, LARGEST)), max_size=50))
def test_pace_stays_within_its_bounds(steps: list[tuple[int, int]]) -> None:
    pace = Pace()
    for duration, rows in steps:
        pace.took(duration, rows)
        assert SMALLEST <= pace.most <= LARGEST


def test_quota_has_room_between_too_large_and_large_enough() -> None:
    quota, mb = Quota(100), 1 << 20
    looks = [quota.look(size * mb) for size in (99, 101, 99, 98, 97, 99)]
    assert looks == [False, True, True, True, False, False]


def test_newest_part_of_a_long_rest_does_not_stop_the_windows_that_go_by_age(
    ledger: Ledger, reader: LedgerReader
) -> None:
    """It stays while the line rests, and has to go before its window can."""
    counted(ledger, 30)
    thin_all(ledger)
    assert seqs(reader) == [29]
    inspect(ledger, range(100, 120))
    for row in ledger.close_windows(WALL + 200 * SECOND, 1.0):
        ledger.commit([], (), [mark(ledger.id, row.row)], WALL)
    thin_all(ledger)
    assert seqs(reader) == [119]
    assert ledger.write(lambda db: thin_windows(db, FOREVER, 100)) > 0
    assert [row.row for row in reader.totals()] == [5]


def test_parts_of_a_clock_years_ahead_do_not_hold_up_the_totals_that_follow(
    ledger: Ledger,
) -> None:
    """They were let go while it was; once it is right, windows are those of the right time."""
    ahead = 5000 * 86_400
    made = [outcome(n, trigger_wall_ns=WALL + (ahead + n) * SECOND) for n in range(50)]
    ledger.commit([(one, False) for one in made], wall_ns=WALL)
    for row in ledger.close_windows(WALL + (ahead + 100) * SECOND, 1.0):
        ledger.commit([], (), [mark(ledger.id, row.row)], WALL)
    thin(ledger, before_s=WALL // SECOND + ahead + 100)
    inspect(ledger, range(100, 125))
    rows = ledger.close_windows(WALL + 125 * SECOND, 1.0)
    assert [row.start_s - WALL // SECOND for row in rows] == [100, 110]


@pytest.mark.parametrize(
    ("query", "values"), [(KEPT, (0, 200)), (OLD_WINDOWS, (0, 100)), (OLD_EVENTS, (0, 100))]
)
def test_look_for_what_is_old_costs_nothing_where_there_are_years_of_the_young(
    ledger: Ledger, query: str, values: tuple[int, ...]
) -> None:
    plan = [step[3] for step in ledger._db.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert not [step for step in plan if step.startswith(("SCAN span", "SCAN event"))]
