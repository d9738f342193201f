"""Which rows go out: new ones first, the backlog paced, each until it is acknowledged."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain import marks, outbox
from inspector.domain.outbox import Outbox

LEDGER = "a" * 32
FAST = 2000


def connected(in_flight: int = 20, newest: int = 0, per_s: int = FAST) -> Outbox:
    box = Outbox("totals", per_s)
    box.follow(LEDGER)
    box.connected(in_flight, newest)
    return box


def send(box: Outbox, rows: Iterable[int] = (), now: int = 0) -> list[int]:
    """Send what may go, new rows first."""
    box.add(rows)
    return [*box.choose(now, live=True), *box.choose(now, live=False)]


def told(box: Outbox, now: int) -> list[tuple[int, str]]:
    return [(row, message.status) for message in box.due(now) for row in message.rows]


def test_oldest_first_and_no_more_than_the_broker_takes() -> None:
    """What is new has as much room again, beside a backlog that is on its way."""
    box = connected(3, newest=5)
    assert send(box, [2, 1, 3, 5, 4]) == [1, 2, 3]
    assert send(box) == []
    box.acked(2, 0)
    assert send(box) == [4]
    assert send(box, [6, 7, 8, 9]) == [6, 7, 8]


def test_nothing_is_sent_without_a_connection() -> None:
    box = Outbox("totals")
    box.follow(LEDGER)
    assert send(box, [1, 2]) == []


def test_nothing_is_sent_once_the_connection_is_gone() -> None:
    box = connected()
    box.disconnected()
    assert send(box, [1]) == []
    box.connected(20, 1)
    assert send(box) == [1]


def test_new_rows_go_before_the_backlog() -> None:
    box = connected(4, newest=100)
    box.add(range(1, 101))
    box.add([101, 102])
    assert send(box) == [101, 102, 1, 2]


def test_backlog_of_a_connection_is_what_was_there_when_it_came_up() -> None:
    box = connected(4, newest=0)
    box.add([1, 2])
    box.connected(4, 2)
    box.add([3])
    assert send(box) == [3, 1, 2]


def test_backlog_goes_at_its_pace_and_new_rows_do_not_wait_for_it() -> None:
    box = connected(1000, newest=5000, per_s=100)
    box.add(range(1, 5001))
    now, sent = 0, 0
    for _ in range(100):  # ten seconds
        now += SECOND // 10
        for row in box.choose(now, live=False):
            box.acked(row, now)
            sent += 1
    assert 1000 <= sent <= 1010
    box.add(range(5001, 5101))
    assert len(box.choose(now, live=True)) == 100


def test_as_much_is_on_its_way_as_was_answered_within_a_second() -> None:
    """Answers come after 0.2 s; 10 at once would be 50 a second, the backlog goes at its pace."""
    box, way, widths = connected(10, newest=9000, per_s=1000), list[list[int]](), list[int]()
    box.add(range(1, 9001))
    for tenth in range(80):
        now = tenth * SECOND // 10
        way.append(box.choose(now, live=False))
        widths.append(box.underway)
        for row in way.pop(0) if len(way) > 2 else ():
            box.acked(row, now)
        for message in box.due(now):
            box.marks.told(message, now)
        box.seen(1, [], whole=True)
    assert widths[0] == 10
    assert 200 <= widths[-1] <= 1000
    assert box.choose(now + 5 * SECOND, live=False) == []  # nothing was answered lately


def test_lost_row_goes_again() -> None:
    box = connected()
    send(box, [1, 2])
    box.back(1)
    assert send(box) == [1]


def test_acknowledged_row_is_told_until_the_ledger_shows_it_and_never_sent_again() -> None:
    box = connected()
    send(box, [1, 2])
    box.acked(1, 0)
    (mark,) = box.due(0)
    assert (mark.ledger, mark.rows, mark.status) == (LEDGER, (1,), "delivered")
    box.marks.told(mark, 0)
    assert box.due(marks.AGAIN_NS - 1) == []
    assert send(box, [1, 2], marks.AGAIN_NS) == []
    assert box.due(marks.AGAIN_NS) == [mark]
    box.seen(1, [2], whole=True)
    assert box.due(10 * marks.AGAIN_NS) == []


def test_refused_row_is_kept_and_does_not_hold_up_the_others_for_ever() -> None:
    box = connected(1, newest=2)
    assert send(box, [1, 2]) == [1]
    box.refused(1, 0)
    assert send(box, [], outbox.FIRST_PAUSE_NS - 1) == []
    assert send(box, [], outbox.FIRST_PAUSE_NS) == [2]
    box.acked(2, outbox.FIRST_PAUSE_NS)
    assert send(box, [], outbox.HOLD_NS - 1) == []
    assert send(box, [], outbox.HOLD_NS) == [1]


def test_refused_row_goes_at_once_over_a_new_connection() -> None:
    box = connected(1)
    send(box, [1])
    box.refused(1, 0)
    box.connected(1, 1)
    assert send(box) == [1]


def test_rows_that_are_denied_for_a_day_are_tried_one_at_a_time() -> None:
    """Each try stands in the log of departures, and costs the plant's network."""
    box, tried = connected(20, newest=500), 0
    box.add(range(1, 501))
    for second in range(86_400):
        for row in send(box, (), second * SECOND):
            box.refused(row, second * SECOND)
            tried += 1
    assert 1400 < tried < 1600
    while not (chosen := send(box, (), second * SECOND)):
        second += 1
    box.acked(*chosen, second * SECOND)
    assert len(send(box, (), second * SECOND)) >= 20


def test_refusals_of_what_went_together_are_one_refusal() -> None:
    box = connected(20, newest=100)
    for row in send(box, range(1, 101)):
        box.refused(row, 0)
    assert send(box, (), outbox.FIRST_PAUSE_NS - 1) == []
    assert len(send(box, (), outbox.FIRST_PAUSE_NS)) == 1


def test_pauses_after_refusals_grow_to_their_bound() -> None:
    box, now, pauses = connected(1), 0, []
    for number in range(1, 9):
        box.add([number])
        before = now
        while not (chosen := box.choose(now, live=True)):
            now += SECOND
        pauses.append((now - before) // SECOND)
        box.refused(chosen[0], now)
    assert pauses[1:] == [5, 10, 20, 40, 60, 60, 60]


def test_row_that_does_not_fit_leaves_as_void_and_is_set_aside() -> None:
    box = connected(1)
    assert send(box, [1])
    assert not box.cannot_leave(1, "too large", 0)
    assert send(box) == [1]
    assert box.is_void(1)
    box.acked(1, 0)
    (mark,) = box.due(0)
    assert (mark.rows, mark.status, mark.detail) == ((1,), "quarantined", "too large")
    assert send(box, [2]) == [2]
    assert not box.is_void(2)


def test_row_whose_place_cannot_leave_either_is_set_aside_and_the_others_go_on() -> None:
    box = connected(1, newest=2)
    send(box, [1, 2])
    box.cannot_leave(1, "too large", 0)
    send(box)
    assert box.cannot_leave(1, "also too large", 0)
    assert told(box, 0) == [(1, "quarantined")]
    assert send(box) == [2]


def test_event_that_cannot_leave_has_no_place_to_keep() -> None:
    box = Outbox("events", voids=False)
    box.follow(LEDGER)
    box.connected(5, 0)
    send(box, [1])
    assert box.cannot_leave(1, "no", 0)
    assert told(box, 0) == [(1, "quarantined")]


def test_row_that_breaks_the_connection_is_found_and_set_aside() -> None:
    """Row 3 breaks every connection, whatever was on its way with it, and void it does not."""
    box, acked = connected(4), list[int]()
    box.add([1, 2, 3, 4, 5])
    for _ in range(30):
        sent = send(box)
        bad = 3 in sent and not box.is_void(3)
        for row in sent:
            if bad and row >= 3:
                box.broke(row, "protocol", 0)
            else:
                box.acked(row, 0)
                acked.append(row)
    assert sorted(acked) == [1, 2, 3, 4, 5]
    assert dict(told(box, 0)) == {
        1: "delivered",
        2: "delivered",
        3: "quarantined",
        4: "delivered",
        5: "delivered",
    }


def test_one_broken_connection_sets_nothing_aside() -> None:
    box = connected()
    for row in send(box, range(1, 21)):
        assert not box.broke(row, "protocol", 0)
    assert box.due(0) == []


def test_marks_of_a_ledger_that_is_gone_are_not_told() -> None:
    box = connected()
    send(box, [1, 2])
    box.acked(1, 0)
    assert box.follow("b" * 32)
    box.acked(2, 0)
    assert box.due(0) == []
    assert send(box, [1, 2]) == [1, 2]


def test_sending_stops_when_record_does_not_mark() -> None:
    box, sent = connected(), 0
    box.add(range(1, 2 * outbox.MOST_UNMARKED))
    while rows := send(box):
        for row in rows:
            box.acked(row, 0)
        sent += len(rows)
    assert outbox.MOST_UNMARKED <= sent < outbox.MOST_UNMARKED + 2000
    assert send(box) == []


def test_row_is_sent_to_a_receiver_until_its_own_word_says_delivered() -> None:
    box = Outbox("totals", answer="sent")
    box.follow(LEDGER)
    box.connected(5, 0)
    send(box, [1, 2, 3])
    box.acked(1, 0)
    assert told(box, 0) == [(1, "sent")]
    box.received(2)
    assert told(box, 0) == [(1, "delivered")]
    box.acked(2, 0)  # its word came before the broker's
    box.acked(3, 0)
    assert dict(told(box, 0)) == {1: "delivered", 2: "delivered", 3: "sent"}


def test_row_that_was_set_aside_goes_again_as_void_for_a_receiver_that_waits_for_it() -> None:
    box = connected()
    box.add_void(7, "set aside")
    assert send(box) == [7]
    assert box.is_void(7)
    box.acked(7, 0)
    assert told(box, 0) == [(7, "quarantined")]


ANSWERS = ["acked", "lost", "refused", "broke", "oversize", "later", "down"]
EVERYTHING = range(1, 13)


class Line:
    """A broker that answers as it likes, and a ledger that shows what is marked."""

    def __init__(self, newest: int, in_flight: int) -> None:
        self.box = connected(in_flight, newest)
        self.newest, self.in_flight = newest, in_flight
        self.pending, self.underway = set(EVERYTHING), set[int]()
        self.done: list[int] = []

    def choose(self, now: int) -> None:
        """None that is on its way or done, and no old row before a new one."""
        self.box.add(sorted(self.pending))
        chosen = send(self.box, (), now)
        assert not (self.underway | set(self.done)) & set(chosen)
        assert sorted(chosen, key=lambda row: (row <= self.newest, row)) == chosen
        self.underway |= set(chosen)

    def answer(self, row: int, answer: str, now: int) -> None:
        if answer == "later" or row not in self.underway:
            return
        self.underway.discard(row)
        if answer == "acked":
            self.box.acked(row, now)
            self.done.append(row)
        elif answer == "refused":
            self.box.refused(row, now)
        elif answer == "broke":
            self.box.broke(row, "broke", now)
        elif answer == "oversize":
            self.done += [row] if self.box.cannot_leave(row, "large", now) else []
        else:
            self.box.back(row)
        if answer == "down":
            self.cut()

    def cut(self) -> None:
        self.box.disconnected()
        for row in self.underway:
            self.box.back(row)
        self.underway.clear()
        self.box.connected(self.in_flight, self.newest)

    def mark(self, now: int) -> None:
        for mark in self.box.due(now):
            self.box.marks.told(mark, now)
            self.pending -= set(mark.rows)
        self.box.seen(1, sorted(self.pending), whole=True)


@given(st.lists(st.sampled_from(ANSWERS), max_size=300), st.integers(0, 12), st.integers(1, 6))
def test_whatever_happens_each_row_is_done_once_in_the_end(
    script: list[str], newest: int, in_flight: int
) -> None:
    line, happenings = Line(newest, in_flight), iter(script)
    for second in range(1500):
        line.choose(second * SECOND)
        for row in sorted(line.underway):
            line.answer(row, next(happenings, "acked"), second * SECOND)
        line.mark(second * SECOND)
    assert sorted(line.done) == list(EVERYTHING)
    assert not line.pending
    assert not line.box.marks


@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=60), st.integers(10, 500))
def test_backlog_never_goes_faster_than_its_pace(steps: list[tuple[int, bool]], per_s: int) -> None:
    box, now, sent = connected(2000, newest=10_000, per_s=per_s), 0, 0
    box.add(range(1, 10_001))
    for ms, acked in steps:
        now += ms * 1_000_000
        for row in box.choose(now, live=False):
            sent += 1
            if acked:
                box.acked(row, now)
            else:
                box.back(row)
    assert sent <= per_s * now / SECOND + per_s // 10 + 1
