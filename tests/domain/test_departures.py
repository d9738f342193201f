"""Nothing leaves before it is on record."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain.departures import AGAIN_NS, Departures
from inspector.domain.egress.letter import Letter, Payload

WORD = '{"seq":1}'


def letter(text: str = WORD) -> Letter:
    return Letter("topic", Payload(text.encode()), text)


def departing(*keys: int, lane: str = "totals") -> Departures:
    made = Departures()
    for key in keys:
        made.announce(lane, key, letter(), 5)
    return made


def test_letter_is_cleared_once_and_only_when_it_is_on_record() -> None:
    waiting = departing(1)
    assert waiting.collect("totals") == []
    waiting.logged([99])
    assert waiting.collect("totals") == []
    waiting.logged(list(waiting.waiting))
    assert waiting.collect("totals") == [(1, letter())]
    assert waiting.collect("totals") == []


def test_record_is_told_word_for_word_with_topic_and_bytes() -> None:
    waiting = Departures()
    waiting.announce("a", 1, Letter("t", Payload(b"\x01\x02"), "two bytes"), 7)
    (message,) = waiting.due(0)
    assert (message.topic, message.payload, message.bytes) == ("t", "two bytes", 2)
    assert message.wall_ns == 7


def test_every_departure_bears_a_time_of_its_own() -> None:
    """Also where the clock stands still or is set back."""
    waiting = departing(1, 2)
    waiting.announce("state", 1, letter(), 1)
    assert list(waiting.waiting) == [5, 6, 7]


def test_record_is_told_again_until_the_entry_is_seen() -> None:
    waiting = departing(1)
    (message,) = waiting.due(0)
    assert waiting.due(0) == [message]  # record has not taken it
    waiting.told(message, 0)
    assert waiting.due(AGAIN_NS - 1) == []
    assert waiting.due(AGAIN_NS) == [message]
    waiting.logged([message.wall_ns])
    assert waiting.due(10 * SECOND) == []


def test_letter_that_could_not_go_yet_keeps_its_entry() -> None:
    waiting = departing(1)
    waiting.logged(list(waiting.waiting))
    assert waiting.knows("totals", 1)
    assert waiting.due(10 * SECOND) == []
    assert waiting.collect("totals") == [(1, letter())]
    assert not waiting.knows("totals", 1)


def test_lanes_do_not_mix() -> None:
    waiting = departing(1)
    waiting.announce("events", 1, letter("event"), 5)
    waiting.logged(list(waiting.waiting))
    assert waiting.collect("events") == [(1, letter("event"))]
    assert waiting.collect("totals") == [(1, letter())]


def test_lane_that_is_forgotten_waits_no_more() -> None:
    waiting = departing(1, 2)
    waiting.announce("events", 1, letter(), 5)
    waiting.logged([5])
    waiting.forget("totals")
    assert waiting.collect("totals") == []
    assert len(waiting.due(0)) == 1
    waiting.logged([6, 7])
    assert waiting.collect("totals") == []
    assert len(waiting.collect("events")) == 1


def test_newer_letter_takes_the_place_of_the_one_that_waits_under_its_key() -> None:
    waiting = departing(1)
    waiting.announce("totals", 1, letter("newer"), 5)
    waiting.logged([5, 6])
    assert waiting.collect("totals") == [(1, letter("newer"))]


def test_letters_go_in_the_order_in_which_they_were_announced() -> None:
    waiting = departing(3, 1, 2)
    waiting.logged(reversed(list(waiting.waiting)))
    assert [key for key, _ in waiting.collect("totals")] == [3, 1, 2]


steps = st.lists(
    st.tuples(
        st.sampled_from(["announce", "tell", "log", "collect", "forget"]),
        st.sampled_from(["totals", "state"]),
        st.integers(0, 4),
    ),
    max_size=60,
)


@given(steps)
def test_whatever_happens_nothing_is_cleared_unlogged_or_twice(
    steps: list[tuple[str, str, int]],
) -> None:
    waiting, log, told, gone = Departures(), set[int](), list[Any](), list[int]()
    for now, (what, lane, key) in enumerate(steps):
        if what == "announce":
            waiting.announce(lane, key, letter(str(now)), 7)
        elif what == "tell":
            told += waiting.due(now)
        elif what == "log" and told:
            message = told[key % len(told)]
            log.add(int(message.payload))
            waiting.logged([message.wall_ns])
        elif what == "collect":
            gone += [int(found.text) for _, found in waiting.collect(lane)]
        elif what == "forget":
            waiting.forget(lane)
    assert set(gone) <= log
    assert len(set(gone)) == len(gone)
