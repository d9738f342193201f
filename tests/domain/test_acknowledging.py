"""A receiver's word to its stations: on change, five times a second at most, never lost."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import MS, SECOND
from inspector.domain.acknowledging import Acknowledging
from inspector.domain.ingress import Ack

STREAM = "0" * 32


def ack(through: int, stream: str = STREAM) -> Ack:
    return Ack(schema=1, stream=stream, through_seq=through)


@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from("ab"), st.integers(0, 5)), max_size=60)
)
def test_the_newest_word_is_said_and_none_too_often(steps: list[tuple[int, str, int]]) -> None:
    acks, now = Acknowledging(), 0
    newest: dict[str, int] = {}
    said: dict[str, list[tuple[int, int]]] = {"a": [], "b": []}
    for pause_ms, device, step in [*steps, (1000, "a", 0), (1000, "b", 0)]:
        now += pause_ms * MS
        newest[device] = newest.get(device, 0) + step
        acks.note(device, STREAM, newest[device])
        for who, one in acks.due(now):
            said[who].append((now, one.through_seq))
    for device, told in said.items():
        assert told[-1][1] == newest[device]
        values = [through for _, through in told]
        assert values == sorted(set(values)), "each once, and never back"
        gaps = [later - one for (one, _), (later, _) in itertools.pairwise(told)]
        assert all(gap >= SECOND // 5 for gap in gaps)


def test_all_is_said_again_on_another_connection() -> None:
    acks = Acknowledging()
    acks.note("a", STREAM, 5)
    assert acks.due(0) == [("a", ack(5))]
    assert acks.due(SECOND) == []
    acks.again()
    assert acks.due(SECOND) == [("a", ack(5))]


def test_a_device_that_has_not_heard_is_told_once_more_and_not_too_often() -> None:
    acks = Acknowledging()
    acks.note("a", STREAM, 5)
    acks.due(0)
    acks.note("a", STREAM, 5, unheard=True)
    assert acks.due(SECOND // 10) == []
    assert acks.due(SECOND) == [("a", ack(5))]
    assert acks.due(2 * SECOND) == []


def test_a_new_stream_is_told_of() -> None:
    acks = Acknowledging()
    acks.note("a", STREAM, 5)
    acks.due(0)
    acks.note("a", "f" * 32, 0)
    assert acks.due(SECOND) == [("a", ack(0, "f" * 32))]
