"""What became of what was handed to the broker, as marks on totals rows and notices."""

import sqlite3

from support.outcomes import WALL, mark, outcome

from inspector.core.clock import SECOND
from inspector.core.messages import LaneAt
from inspector.core.orders import ReviewPart
from inspector.core.terms import Kind, Mode
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.devices.ledger import outgoing as questions
from inspector.devices.ledger.marks import SQL
from inspector.devices.ledger.notices import note_mode

LATER = WALL + 3600 * SECOND


def fill(ledger: Ledger, count: int) -> None:
    """That many totals rows, one part each."""
    parts = [outcome(n, trigger_wall_ns=WALL + n * 10 * SECOND) for n in range(count)]
    ledger.commit([(part, False) for part in parts])
    while ledger.close_windows(WALL + (count + 10) * 10 * SECOND, 0):
        pass


def numbers(rows: list) -> list[int]:  # type: ignore[type-arg]
    return [one.row for one in rows]


def test_sent_rows_wait_for_the_receivers_word(ledger: Ledger, reader: LedgerReader) -> None:
    fill(ledger, 6)
    assert (reader.last_row(), reader.sent_through(), reader.pending_count()) == (6, 0, 6)
    ledger.commit([], (), [mark(ledger.id, (1, 2, 5), status="sent")], LATER)
    assert numbers(reader.pending()) == [1, 2, 3, 4, 5, 6]
    assert [row.sent for row in reader.pending()] == [True, True, False, False, True, False]
    assert numbers(reader.unsent()) == [3, 4, 6]
    assert numbers(reader.unsent(10, after_row=4)) == [6]
    assert numbers(reader.unsent(1)) == [3]
    assert (reader.sent_through(), reader.pending_count()) == (5, 6)


def test_receivers_word_delivers_all_that_was_sent_up_to_it(
    ledger: Ledger, reader: LedgerReader
) -> None:
    fill(ledger, 6)
    ledger.commit([], (), [mark(ledger.id, (1, 2, 4, 5), status="sent")], LATER)
    ledger.commit([], (), [mark(ledger.id, through=4)], LATER)
    assert [row.status for row in reader.rows_after(0)] == [
        *("delivered", "delivered", "pending", "delivered", "pending", "pending")
    ]
    assert numbers(reader.pending()) == [3, 5, 6]
    assert numbers(reader.unsent()) == [3, 6]


def test_word_beyond_what_was_sent_delivers_nothing_else(
    ledger: Ledger, reader: LedgerReader
) -> None:
    fill(ledger, 3)
    ledger.commit([], (), [mark(ledger.id, 1, status="sent"), mark(ledger.id, through=99)], LATER)
    assert numbers(reader.pending()) == [2, 3]


def test_row_set_aside_is_not_delivered_by_the_receivers_word(
    ledger: Ledger, reader: LedgerReader
) -> None:
    fill(ledger, 2)
    marks = [
        mark(ledger.id, (1, 2), status="sent"),
        mark(ledger.id, 1, status="quarantined", detail="4097 bytes"),
        mark(ledger.id, through=2),
    ]
    ledger.commit([], (), marks, LATER)
    assert [row.status for row in reader.rows_after(0)] == ["quarantined", "delivered"]


def test_delivered_row_counts_as_sent(ledger: Ledger, reader: LedgerReader) -> None:
    fill(ledger, 3)
    ledger.commit([], (), [mark(ledger.id, 2)], LATER)
    ledger.commit([], (), [mark(ledger.id, 2, status="sent")], LATER)
    assert reader.sent_through() == 2
    assert [(row.row, row.status, row.sent) for row in reader.rows_after(1, 1)] == [
        (2, "delivered", True)
    ]


def test_marks_of_another_ledger_change_nothing(ledger: Ledger, reader: LedgerReader) -> None:
    fill(ledger, 2)
    other = "f" * 32
    ledger.commit(
        [],
        (),
        [mark(other, (1, 2), status="sent"), mark(other, 1), mark(other, through=2)],
        LATER,
        lanes=[LaneAt(ledger=other, lane="sparkplug", through=2)],
    )
    assert reader.pending_count() == len(reader.unsent()) == 2
    assert reader.lane("sparkplug") == 0


def test_notices_are_marked_in_their_own_lane(ledger: Ledger, reader: LedgerReader) -> None:
    fill(ledger, 3)
    for mode in (Mode.INSPECT, Mode.PAUSED, Mode.INSPECT):
        ledger.write(lambda db, mode=mode: note_mode(db, mode, LATER))
    assert [one.id for one in reader.notices()] == [1, 2, 3, 4]  # the first tells what is made
    ledger.commit([], (), [mark(ledger.id, (1, 3), lane="events")], LATER)
    ledger.commit([], (), [mark(ledger.id, 2, lane="events", status="quarantined")], LATER)
    assert [one.id for one in reader.notices()] == [4]
    assert (reader.notices_pending(), reader.pending_count()) == (1, 3)


def test_lane_without_acknowledgements_is_where_it_was_put(
    ledger: Ledger, reader: LedgerReader
) -> None:
    assert reader.lane("sparkplug") == 0
    for through in (3, 7):
        at = LaneAt(ledger=ledger.id, lane="sparkplug", through=through)
        ledger.commit([], lanes=[at])
    assert reader.lane("sparkplug") == 7


def test_rows_after_are_all_rows_whatever_became_of_them(
    ledger: Ledger, reader: LedgerReader
) -> None:
    fill(ledger, 4)
    ledger.commit([], (), [mark(ledger.id, (1, 3))], LATER)
    assert numbers(reader.rows_after(0)) == [1, 2, 3, 4]
    assert numbers(reader.rows_after(1, 2)) == [2, 3]
    assert reader.rows_after(4) == []


def test_revision_of_a_delivered_row_is_a_row_to_be_sent(
    ledger: Ledger, reader: LedgerReader
) -> None:
    fill(ledger, 2)
    ledger.commit([], (), [mark(ledger.id, (1, 2))], LATER)
    review = ReviewPart(stream=outcome(0).stream, seq=0, verdict="fail")
    ledger.review(review, "anna", "", LATER)
    ledger.close_windows(LATER + 10 * SECOND, 0)
    (row,) = reader.unsent()
    assert (row.row, row.revision, row.totals.counts) == (3, 2, {Kind.FAIL: 1})


def test_marks_and_questions_go_through_an_index(ledger: Ledger) -> None:
    """None walks over all that was ever delivered."""
    asked = [
        (SQL["totals", "through"], 3),
        (SQL["events", "through"], 3),
        (SQL["totals", "sent"], 2),
        (questions.PENDING, 3),
        (questions.UNSENT, 3),
        (questions.COUNT_PENDING, 0),
        (questions.SENT_THROUGH, 1),
    ]
    for query, count in asked:
        for step in plan(ledger._db, query, count):
            few = step == "SCAN epoch"  # one more with each restore
            assert few or "INDEX" in step or "PRIMARY KEY" in step, (query, step)


def plan(database: sqlite3.Connection, query: str, count: int) -> list[str]:
    found = database.execute(f"EXPLAIN QUERY PLAN {query}", (1,) * count).fetchall()
    return [text for *_, text in found if text.startswith(("SCAN", "SEARCH"))]
