"""What publish is told of the line by record, and what the plant is told of its mode."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from support.outcomes import WALL, outcome
from support.recording import Station, prepare, running, until

from inspector.core.clock import MS, SECOND
from inspector.core.current import Current
from inspector.core.live import LineState, LineStatus
from inspector.core.messages import Event
from inspector.core.orders import Pause, Resume
from inspector.core.pulse import Pulse
from inspector.core.terms import Kind, Mode, Severity
from inspector.devices.bus import Inbox, Outlet
from inspector.domain.notice import What
from inspector.services.record.status import FASTEST_NS, SLOWEST_NS, Status, line_status


class Ear:
    """publish's inbox, while it is there."""

    def __init__(self) -> None:
        self.heard: list[LineStatus] = []
        self.there = True

    def send(self, message: LineStatus) -> bool:
        if self.there:
            self.heard.append(message)
        return self.there


def status(wall: int = 0, lot: str = "L1") -> LineStatus:
    now = Current("plain", lot)
    return line_status(wall, (LineState.RUNNING, "running"), now, "m@1", (), ())


def turns(told: Status, ns: int, lot: str = "L1", begin: int = SECOND) -> None:
    """As record turns, every 10 ms."""
    for now in range(begin, begin + ns, 10 * MS):
        if told.due(now):
            told.tell(status(now, lot), now)


def test_state_is_told_once_a_second_while_nothing_changes() -> None:
    ear = Ear()
    turns(Status(cast(Outlet, ear)), 10 * SECOND)
    assert len(ear.heard) == 10


def test_state_that_changes_all_the_time_is_told_five_times_a_second() -> None:
    ear = Ear()
    told = Status(cast(Outlet, ear))
    for now in range(SECOND, 11 * SECOND, 10 * MS):
        if told.due(now):
            told.tell(status(now, f"L{now}"), now)
    assert len(ear.heard) == 10 * SECOND // FASTEST_NS


def test_change_is_told_at_once() -> None:
    ear = Ear()
    told = Status(cast(Outlet, ear))
    turns(told, SECOND)
    turns(told, FASTEST_NS + 10 * MS, "L2", begin=2 * SECOND - FASTEST_NS)
    assert [one.lot for one in ear.heard] == ["L1", "L2"]


def test_state_that_found_nobody_is_told_again() -> None:
    ear = Ear()
    ear.there = False
    told = Status(cast(Outlet, ear))
    turns(told, SECOND)
    ear.there = True
    turns(told, FASTEST_NS + 10 * MS, begin=2 * SECOND)
    assert [one.lot for one in ear.heard] == ["L1"]
    assert SLOWEST_NS == SECOND


def test_nothing_is_told_where_nothing_leaves() -> None:
    assert not Status(None).due(10**12)


@pytest.fixture
def station(root: Path) -> Iterator[Station]:
    with running(prepare(root, publish={"host": "::1"})) as running_station:
        yield running_station


def heard(inbox: Inbox) -> LineStatus:
    """The newest state in the inbox, once there is one."""
    until(lambda: inbox.wait(100))
    return [message for message, _ in inbox.drain() if isinstance(message, LineStatus)][-1]


@pytest.mark.line
def test_publish_hears_the_line_and_no_picture(station: Station) -> None:
    inbox = station.bus.inbox(station.paths.socket("publish"), depth=1000)
    station.settle(outcome(1, Kind.FAIL, reason="score 9 beyond /srv/limit", source="secret.png"))
    said = {"service": "gate", "severity": Severity.ALARM, "code": "output"}
    station.gate.report(Event(text="PLC at 10.0.0.7", wall_ns=WALL, **said))  # type: ignore[arg-type]
    pulse = Pulse("gate", time.monotonic_ns(), 1.0)
    station.gate.record.send(pulse.beat(time.monotonic_ns(), "degraded"))

    def complete() -> LineStatus | None:
        now = heard(inbox)
        return now if now.alarms and now.model else None

    now = until(complete)
    assert (now.recipe, now.lot, now.model, now.mode) == (
        *("plain", "L1", "tiny@0123456789ab"),
        Mode.INSPECT,
    )
    assert [(one.code, one.service, one.acknowledged) for one in now.alarms] == [
        ("output", "gate", False)
    ]
    services = {one.service: one.state for one in now.services}
    assert {"record", "gate", "detect", "publish", "capture-cam0"} <= set(services)
    assert "10.0.0.7" not in repr(now)
    assert "secret" not in repr(now)


@pytest.mark.line
def test_pause_reaches_publish_and_is_one_notice(station: Station) -> None:
    inbox = station.bus.inbox(station.paths.socket("publish"), depth=1000)
    for order, mode in ((Pause(), Mode.PAUSED), (Resume(), Mode.INSPECT)):
        assert station.order(order).ok
        until(lambda mode=mode: heard(inbox).mode is mode)

    def modes() -> list[str]:
        return [one.mode for one in station.reader.notices() if one.what is What.MODE_CHANGED]

    until(lambda: len(modes()) >= 3)
    assert modes() == ["inspect", "paused", "inspect"]
    station.kill()
    station.start()
    until(lambda: heard(inbox).mode is Mode.INSPECT)
    assert modes() == ["inspect", "paused", "inspect"]


@pytest.mark.line
def test_alarm_is_a_notice_while_it_lasts_and_when_it_is_over(station: Station) -> None:
    for code in ("broker_down", "broker_up", "identity_taken", "broker_up"):
        wall = time.time_ns()
        said = {"service": "publish", "severity": Severity.INFO, "text": "x", "wall_ns": wall}
        station.gate.report(Event(code=code, **said))  # type: ignore[arg-type]

    def told() -> list[tuple[str, str]]:
        return [(one.what.value, one.code) for one in station.reader.notices() if one.code]

    until(lambda: len([one for one in told() if one[1] != "service_silent"]) >= 4)
    assert [one for one in told() if one[1] in ("broker_down", "identity_taken")] == [
        ("alarm_raised", "broker_down"),
        ("alarm_ended", "broker_down"),
        ("alarm_raised", "identity_taken"),
        ("alarm_ended", "identity_taken"),
    ]
