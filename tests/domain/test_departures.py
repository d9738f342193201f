"""Nothing leaves before it is on record."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain.departures import AGAIN_NS, Departures
from inspector.domain.egress import Payload

WORD = Payload(b'{"seq":1}')


def departing(*rows: int) -> Departures:
    made = Departures("topic")
    made.follow("a", rows)
    for row in rows:
        made.announce(row, WORD, 5)
    return made


def test_message_is_cleared_once_and_only_when_it_is_on_record() -> None:
    waiting = departing(1)
    assert waiting.clear(1) is None
    waiting.logged([99])
    assert waiting.clear(1) is None
    waiting.logged(waiting.waiting)
    assert waiting.clear(1) == WORD
    assert waiting.clear(1) is None


def test_every_departure_bears_a_time_of_its_own() -> None:
    """Also where the clock stands still or is set back."""
    waiting = departing(1, 2)
    waiting.announce(3, WORD, 1)
    assert waiting.waiting == [5, 6, 7]


def test_record_is_told_again_until_the_entry_is_seen() -> None:
    waiting = departing(1)
    (message,) = waiting.due(0)
    assert waiting.due(0) == [message]  # record has not taken it
    waiting.told(message, 0)
    assert waiting.due(AGAIN_NS - 1) == []
    assert waiting.due(AGAIN_NS) == [message]
    waiting.logged([message.wall_ns])
    assert waiting.due(10 * SECOND) == []


def test_cleared_message_that_could_not_go_keeps_its_entry() -> None:
    waiting = departing(1)
    waiting.logged(waiting.waiting)
    waiting.follow("a", [1])
    assert waiting.knows(1)
    assert waiting.clear(1) == WORD


def test_what_waits_for_another_ledger_waits_no_more() -> None:
    waiting = departing(1, 2)
    waiting.logged(waiting.waiting)
    waiting.follow("b", [1, 2])
    assert waiting.clear(1) is None
    assert waiting.due(0) == []


def test_row_that_is_done_waits_no_more() -> None:
    waiting = departing(1, 2)
    waiting.follow("a", [2])
    assert not waiting.knows(1)
    assert len(waiting.due(0)) == 1


steps = st.lists(
    st.tuples(st.sampled_from(["announce", "tell", "log", "clear", "follow"]), st.integers(0, 4)),
    max_size=40,
)


@given(steps)
def test_whatever_happens_nothing_is_cleared_unlogged_or_twice(
    steps: list[tuple[str, Any]],
) -> None:
    waiting, log, told, gone = Departures("t"), set[int](), list[Any](), list[int]()
    waiting.follow("a", range(5))
    for now, (what, row) in enumerate(steps):
        if what == "announce" and not waiting.knows(row):
            waiting.announce(row, Payload(str(now).encode()), 7)
        elif what == "tell":
            told += waiting.due(now)
        elif what == "log" and told:
            message = told[row % len(told)]
            log.add(int(message.payload))
            waiting.logged([message.wall_ns])
        elif what == "clear" and (payload := waiting.clear(row)) is not None:
            gone.append(int(payload))
        elif what == "follow":
            waiting.follow("a", [other for other in range(5) if other != row])
    assert set(gone) <= log
    assert len(set(gone)) == len(gone)
