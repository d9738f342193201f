"""The way to record: again and again until it is committed."""

from pathlib import Path

import pytest
from support.outcomes import outcome

from inspector.core.clock import MS, SECOND
from inspector.core.messages import Outcome, Recorded
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Outlet
from inspector.devices.spool import Spool
from inspector.services.gate.courier import Courier


class Line(Outlet):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[int] = []

    def connected(self, timeout_ms: float) -> bool:
        del timeout_ms
        return True

    def send(self, message: AnyMessage, payload: object = None) -> bool:
        del payload
        assert isinstance(message, Outcome)
        self.sent.append(message.number)
        return True


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def courier(tmp_path: Path, line: Line) -> Courier:
    courier = Courier(Spool(tmp_path), line, 0)
    for number in range(5):
        assert courier.keep(outcome(number))
    courier.hear(Recorded(session="a", through=-1), 0)
    courier.deliver(0)
    assert line.sent == [0, 1, 2, 3, 4]
    return courier


def test_repeated_acknowledgement_does_not_put_off_the_resending(
    courier: Courier, line: Line
) -> None:
    """record refused outcomes 2 to 4 while its disk stalled, and commits others since."""
    courier.hear(Recorded(session="a", through=1), 0)
    line.sent.clear()
    for now in range(0, SECOND, 40 * MS):
        courier.hear(Recorded(session="a", through=1), now)
        courier.deliver(now)
    assert line.sent == []
    courier.deliver(SECOND)
    assert line.sent == [2, 3, 4]


def test_acknowledgement_that_advances_puts_the_resending_off(courier: Courier, line: Line) -> None:
    line.sent.clear()
    for number in range(4):
        now = number * SECOND * 9 // 10
        courier.hear(Recorded(session="a", through=number), now)
        courier.deliver(now)
    assert line.sent == []


def test_new_session_is_sent_all_that_is_not_committed(courier: Courier, line: Line) -> None:
    line.sent.clear()
    courier.hear(Recorded(session="b", through=2), 1)
    courier.deliver(1)
    assert line.sent == [3, 4]
