"""As much is handed over as is answered within a second."""

from inspector.core.clock import SECOND
from inspector.domain.flow import MOST, Flow


def test_at_first_as_much_as_the_broker_takes() -> None:
    assert Flow().width(20, 0) == 20


def test_as_much_as_was_answered_within_a_second() -> None:
    flow = Flow()
    for step in range(300):
        flow.answered(step * SECOND // 100)
    assert flow.width(20, 3 * SECOND) == 99
    assert flow.width(20, 10 * SECOND) == 20


def test_never_more_than_its_bound() -> None:
    flow = Flow()
    for _ in range(3 * MOST):
        flow.answered(0)
    assert flow.width(20, 0) == MOST
