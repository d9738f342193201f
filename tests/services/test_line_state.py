"""The state of a whole line, in its real processes: paused over a kill, and the truth in time."""

import signal
import time
from pathlib import Path

import pytest
from support.line import Line, accepted_twice, account, running, wait_for
from support.stations import make_station

from inspector.core.live import LineState, Live
from inspector.core.orders import AnyOrder, Order, Pause, Reply, Resume
from inspector.core.paths import Paths
from inspector.core.terms import Cause, Kind, Lane, Mode
from inspector.core.topology import CONTROL, HEARTBEAT_S, LIVE
from inspector.devices.bus import Bus, newest_live
from inspector.devices.console import console_session

pytestmark = pytest.mark.line


def order(paths: Paths, what: AnyOrder) -> None:
    """As the bench's own command line does."""
    session = console_session(paths.console_key, "anna")
    with Bus() as bus:
        reply = bus.ask(paths.socket(CONTROL), Order(session=session, order=what), 20.0)
    assert isinstance(reply, Reply)
    assert reply.ok, reply.text


def test_pause_outlives_a_kill_of_the_gate_and_of_record(root: Path) -> None:
    paths = make_station(root)
    with running(paths, committed=20) as line:
        order(paths, Pause())
        wait_for(paths, lambda live: live.last is not None and live.last.cause is Cause.PAUSED)
        for service in ("gate", "record"):
            seen = wait_for(paths, lambda live: True).committed
            assert line.kill(service)
            wait_for(paths, lambda live: live.committed > seen + 20)  # noqa: B023
        state = wait_for(paths, lambda live: live.state is LineState.PAUSED)
        assert state.mode is Mode.PAUSED
        assert state.shift.paused > 20
        order(paths, Resume())
        wait_for(paths, lambda live: live.last is not None and live.last.kind is Kind.PASS)
        assert line.stop() == 0
        parts = [part.outcome for part in account(line)]
    assert not accepted_twice(paths)
    parts.sort(key=lambda part: part.trigger_wall_ns)
    paused = [at for at, part in enumerate(parts) if part.cause is Cause.PAUSED]
    between = parts[paused[0] : paused[-1] + 1]
    assert {part.lane for part in between} == {Lane.REJECT}
    assert {part.kind for part in between} == {Kind.FAULT}
    assert Kind.PASS in {part.kind for part in parts[: paused[0]]}
    assert Kind.PASS in {part.kind for part in parts[paused[-1] :]}


def until_told(line: Line, inboxes: Bus, state: LineState) -> Live:
    """The first state of this kind that a screen that listens all the time hears of."""
    inbox = inboxes.listen(line.paths.socket(LIVE))
    until = time.monotonic() + 30
    while time.monotonic() < until:
        live = newest_live(inbox, 100)
        if live is not None and live.state is state:
            return live
    raise AssertionError(f"never {state.value}")


@pytest.mark.parametrize(
    ("service", "state"),
    [
        ("detect", LineState.DEGRADED),
        ("gate", LineState.STOPPED),
        ("capture-cam0", LineState.STOPPED),
    ],
)
def test_screen_tells_the_truth_of_a_hung_process_within_two_beats(
    root: Path, service: str, state: LineState
) -> None:
    """Hung, not killed: a killed one would be back before it is missed."""
    paths = make_station(root)
    with running(paths, committed=20) as line, Bus() as bus:
        until_told(line, bus, LineState.RUNNING)
        assert line.kill(service, signal.SIGSTOP)
        stopped = time.time_ns()
        live = until_told(line, bus, state)
        assert live.wall_ns - stopped < 2 * 2 * HEARTBEAT_S * 1e9  # with as much again for a test
        assert line.kill(service, signal.SIGCONT)
        until_told(line, bus, LineState.RUNNING)
        assert line.stop() == 0
        account(line)
