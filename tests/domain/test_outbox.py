"""Which rows go out: oldest first, each until it is acknowledged, none twice after that."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain import outbox
from inspector.domain.outbox import Outbox
from inspector.domain.tally import Totals, TotalsRow

LEDGER = "a" * 32


def row(number: int, ledger: str = LEDGER) -> TotalsRow:
    return TotalsRow(ledger, number, 0, 60, "r", "l", "m", 1, Totals(), {})


def rows(*numbers: int, ledger: str = LEDGER) -> list[TotalsRow]:
    return [row(number, ledger) for number in numbers]


def connected(in_flight: int = 20) -> Outbox:
    return Outbox(in_flight=in_flight)


def send(box: Outbox, pending: list[TotalsRow], now: int = 0) -> list[int]:
    """Send what may go; the token of a row is its number."""
    chosen = [one.row for one in box.choose(pending, now)]
    for number in chosen:
        box.sent(number, next(one for one in pending if one.row == number))
    return chosen


def test_oldest_first_and_no_more_than_the_broker_takes() -> None:
    box = connected(3)
    assert send(box, rows(1, 2, 3, 4, 5)) == [1, 2, 3]
    assert send(box, rows(1, 2, 3, 4, 5)) == []
    box.acked(2, 0)
    assert send(box, rows(1, 2, 3, 4, 5)) == [4]


def test_nothing_is_sent_without_a_connection() -> None:
    assert send(Outbox(), rows(1, 2)) == []


def test_lost_row_goes_again() -> None:
    box = connected()
    send(box, rows(1, 2))
    box.lost(1)
    assert send(box, rows(1, 2)) == [1]


def test_acknowledged_row_is_told_until_the_ledger_shows_it_and_never_sent_again() -> None:
    box = connected()
    send(box, rows(1, 2))
    box.acked(1, 0)
    (mark,) = box.marks(0)
    assert (mark.ledger, mark.row, mark.status) == (LEDGER, 1, "delivered")
    box.told(mark, 0)
    assert box.marks(outbox.MARK_AGAIN_NS - 1) == []
    assert send(box, rows(1, 2), outbox.MARK_AGAIN_NS) == []
    assert box.marks(outbox.MARK_AGAIN_NS) == [mark]
    send(box, rows(2))
    assert box.marks(10 * outbox.MARK_AGAIN_NS) == []


def test_refused_row_is_kept_and_does_not_hold_up_the_others_for_ever() -> None:
    box = connected(1)
    assert send(box, rows(1, 2)) == [1]
    box.refused(1, 0)
    assert send(box, rows(1, 2), outbox.FIRST_PAUSE_NS - 1) == []
    assert send(box, rows(1, 2), outbox.FIRST_PAUSE_NS) == [2]
    box.acked(2, outbox.FIRST_PAUSE_NS)
    assert send(box, rows(1), outbox.HOLD_NS - 1) == []
    assert send(box, rows(1), outbox.HOLD_NS) == [1]


def test_refused_row_goes_at_once_over_a_new_connection() -> None:
    box = connected(1)
    send(box, rows(1))
    box.refused(1, 0)
    box.connected(1)
    assert send(box, rows(1)) == [1]


def test_pauses_after_refusals_grow_to_their_bound() -> None:
    box, now, pauses = connected(1), 0, []
    for number in range(1, 9):
        assert send(box, rows(number), now) == [number]
        box.refused(number, now)
        before = now
        while box.room(now) == 0:
            now += SECOND
        pauses.append((now - before) // SECOND)
    assert pauses == [5, 10, 20, 40, 60, 60, 60, 60]


def test_row_that_does_not_fit_is_set_aside_and_the_others_go_on() -> None:
    box = connected(1)
    send(box, rows(1, 2))
    box.oversize(1, "too large", 0)
    assert [(mark.row, mark.status, mark.detail) for mark in box.marks(0)] == [
        (1, "quarantined", "too large")
    ]
    assert send(box, rows(1, 2)) == [2]


def test_row_that_breaks_the_connection_is_found_and_set_aside() -> None:
    """Row 3 breaks every connection, whatever was on its way with it."""
    box, left, set_aside = connected(4), [1, 2, 3, 4, 5], []
    for _ in range(30):
        sent = send(box, rows(*left))
        for token in sent:
            if 3 in sent and token >= 3:
                if box.broke(token, "protocol", 0):
                    set_aside.append(token)
                    left.remove(token)
            else:
                box.acked(token, 0)
                left.remove(token)
    assert (set_aside, left) == ([3], [])


def test_one_broken_connection_sets_nothing_aside() -> None:
    box = connected()
    for token in send(box, rows(*range(1, 21))):
        assert not box.broke(token, "protocol", 0)
    assert box.marks(0) == []


def test_marks_of_a_ledger_that_is_gone_are_not_told() -> None:
    box = connected()
    send(box, rows(1, 2))
    box.acked(1, 0)
    assert send(box, rows(1, 2, ledger="b" * 32)) == [1]
    box.acked(2, 0)
    assert box.marks(0) == []


def test_sending_stops_when_record_does_not_mark() -> None:
    box, everything = connected(), rows(*range(1, 2 * outbox.MOST_UNMARKED))
    sent = 0
    while tokens := send(box, everything[: box.look_at]):
        for token in tokens:
            box.acked(token, 0)
        sent += len(tokens)
    assert outbox.MOST_UNMARKED <= sent < outbox.MOST_UNMARKED + 20
    assert box.room(0) == 0


@given(st.lists(st.sampled_from(["acked", "lost", "refused", "down"]), max_size=200))
def test_whatever_happens_each_row_is_delivered_once_in_the_end(script: list[str]) -> None:
    box, pending, delivered, now = connected(4), set(range(1, 13)), [], 0
    happenings = iter(script)
    for _ in range(1000):
        now += SECOND
        for token in send(box, rows(*sorted(pending)), now):
            match next(happenings, "acked"):
                case "acked":
                    box.acked(token, now)
                    delivered.append(token)
                case "refused":
                    box.refused(token, now)
                case _:
                    box.lost(token)
        for mark in box.marks(now):
            box.told(mark, now)
            pending.discard(mark.row)
    assert sorted(delivered) == list(range(1, 13))
    assert not pending
