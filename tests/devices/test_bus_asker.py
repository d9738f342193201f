"""A question that nobody waits for."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.core.orders import Logout, Reply
from inspector.devices.bus import Asker, Bus, Desk

PATIENCE_S = 10.0


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus() as one:
        yield one


def endpoint(root: Path) -> str:
    return f"ipc://{root}/desk.sock"


def answered(asker: Asker) -> object:
    until = time.monotonic() + PATIENCE_S
    while (answer := asker.answer()) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    return answer


def serve(desk: Desk, text: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while (received := desk.receive()) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    desk.answer(received[0], Reply(ok=True, text=text))


def test_answer_comes_once(bus: Bus, root: Path) -> None:
    desk, asker = bus.answer(endpoint(root)), bus.asker(endpoint(root))
    assert asker.answer() is None
    asker.ask(Logout(session="s"))
    serve(desk, "bye")
    assert answered(asker) == Reply(ok=True, text="bye")
    assert asker.answer() is None


def test_answer_to_an_earlier_question_is_not_taken_for_the_next(bus: Bus, root: Path) -> None:
    desk, asker = bus.answer(endpoint(root)), bus.asker(endpoint(root))
    asker.ask(Logout(session="first"))
    serve(desk, "first")
    asker.ask(Logout(session="second"))
    serve(desk, "second")
    assert answered(asker) == Reply(ok=True, text="second")


def test_question_that_is_dropped_is_not_put_to_a_desk_that_opens_later(
    bus: Bus, root: Path
) -> None:
    asker = bus.asker(endpoint(root))
    asker.ask(Logout(session="s"))
    asker.drop()
    desk = bus.answer(endpoint(root))
    time.sleep(0.3)
    assert desk.receive() is None
    assert asker.answer() is None
