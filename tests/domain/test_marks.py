"""Marks are told until the ledger shows them."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.domain.marks import AGAIN_NS, BATCH, Marks

LEDGER = "a" * 32


def done(*rows: int) -> Marks:
    made = Marks("totals")
    for row in rows:
        made.done(row, "delivered", "", 0)
    for message in made.due(LEDGER, 0):
        made.told(message, 0)
    return made


def test_rows_alike_are_told_together_in_bounded_messages() -> None:
    marks = Marks("totals")
    for row in range(1, BATCH + 11):
        marks.done(row, "delivered", "", 0)
    marks.done(5000, "quarantined", "too large", 0)
    first, rest, aside = marks.due(LEDGER, 0)
    assert (len(first.rows), len(rest.rows)) == (BATCH, 10)
    assert (aside.rows, aside.status, aside.detail) == ((5000,), "quarantined", "too large")


def test_mark_the_ledger_does_not_show_is_told_again() -> None:
    marks = done(1)
    (message,) = marks.due(LEDGER, AGAIN_NS)
    assert marks.due(LEDGER, AGAIN_NS - 1) == []
    assert marks.due(LEDGER, AGAIN_NS) == [message]


def test_row_that_is_set_aside_when_it_goes_again_is_told_so() -> None:
    """The ledger has long shown it as sent."""
    marks = Marks("totals")
    marks.done(5, "quarantined", "too large", 0)
    marks.seen(5, [], whole=True)
    (message,) = marks.due(LEDGER, 0)
    assert (message.rows, message.status) == ((5,), "quarantined")


def test_rows_beyond_what_was_read_are_not_taken_for_marked() -> None:
    marks = done(1, 2, 3, 9)
    marks.seen(1, [2, 4], whole=False)
    assert [row for row in (1, 2, 3, 9) if row in marks] == [2, 9]
    marks.seen(3, [], whole=True)
    assert [row for row in (1, 2, 3, 9) if row in marks] == [2]


def test_rows_before_what_was_read_are_not_taken_for_marked() -> None:
    marks = done(1, 5)
    marks.seen(3, [7], whole=True)
    assert 1 in marks
    assert 5 not in marks
    assert marks.oldest == 1


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)), st.integers(1, 60), st.data())
def test_only_what_the_ledger_has_marked_is_forgotten(
    rows: set[int], marked: set[int], first: int, data: st.DataObject
) -> None:
    """The ledger is read from any row on, and any number of rows."""
    marks = done(*rows)
    unmarked = [row for row in range(first, 61) if row not in marked]
    limit = data.draw(st.integers(1, 70))
    marks.seen(first, unmarked[:limit], whole=len(unmarked) < limit)
    assert {row for row in rows if row not in marks} <= marked
