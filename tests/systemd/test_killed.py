"""Kill anything, hang anything, let anything fall on and on: on a station whose processes a real
service manager looks after, with a PLC at its output. All tests share one machine, and the last
one asks for the outcome of every part that came meanwhile."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from support.machine import boot, installed_root, needs_machine, station_files
from support.machine.inside import descendants
from support.machine.line import SECOND, SERVICES, StationLine, inspecting, unit
from support.machine.plc import OUTPUT, MachinePlc, plc
from support.machine.timing import back_after, death_of_gate

from inspector.core.live import Live
from inspector.core.paths import INSTALLED
from inspector.devices.ledger import LedgerReader
from inspector.devices.modbus import HEARTBEAT, STATE, STOPPED

pytestmark = [needs_machine(), pytest.mark.line]

# What the appliance promises on a box of its own; here three tests share two processors.
SAFE_S, BACK_S, LOADED = 0.1, 10.0, 5
BROKEN = "[Service]\nExecStartPre=\nExecStart=\nExecStart=/bin/false\n"


@dataclass
class Station:
    line: StationLine
    lane: MachinePlc


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    with (
        boot(installed_root(), files=station_files(output=OUTPUT)) as machine,
        plc(machine) as lane,
        inspecting(machine) as line,
    ):
        yield Station(line, lane)


@pytest.fixture(autouse=True)
def _not_a_loop(station: Station) -> None:
    """The deaths of one test are no falling on and on in the next."""
    station.line.machine.systemctl("reset-failed")


@pytest.mark.parametrize("service", SERVICES)
def test_killed_process_is_back_in_seconds(station: Station, service: str) -> None:
    assert back_after(station.line, service, signal.SIGKILL) < BACK_S * LOADED


def test_killed_gate_leaves_the_output_safe_at_once(station: Station) -> None:
    """The PLC hears it from the guard, long before the next gate is there."""
    safe_s, again_s = death_of_gate(station.line, station.lane)
    assert safe_s < SAFE_S * LOADED
    assert safe_s < again_s
    station.line.inspected_after(time.time_ns())


def test_gate_killed_with_its_guard_leaves_the_output_safe_all_the_same(station: Station) -> None:
    """The service manager does what the guard no longer can, before it starts the next gate."""
    gate = station.line.pid("gate")
    for guard in descendants(gate):
        os.kill(guard, signal.SIGSTOP)  # dead, but not yet noticed
    at = time.monotonic_ns()
    station.line.machine.systemctl("kill", "--signal=KILL", unit("gate"))
    safe_s = (station.lane.safe_at(at) - at) / SECOND
    assert safe_s < BACK_S
    station.line.wait_back("gate", gate)
    station.line.inspected_after(time.time_ns())


def test_killed_guard_is_started_again_by_the_gate(station: Station) -> None:
    gate = station.line.pid("gate")
    (guard,) = descendants(gate)
    os.kill(guard, signal.SIGKILL)
    until = time.monotonic() + 20
    while not set(descendants(gate)) - {guard}:
        assert time.monotonic() < until, "the guard did not come back"
        time.sleep(0.05)
    assert station.line.pid("gate") == gate


def test_processes_that_hang_are_ended_by_the_watchdog_and_back(station: Station) -> None:
    """All of them, one after the other without waiting; each was pinging from finished work."""
    line, lane = station.line, station.lane
    before = {service: line.pid(service) for service in SERVICES}
    hung_at = {service: line.signal(service, signal.SIGSTOP) for service in SERVICES}
    for service, pid in before.items():
        line.wait_back(service, pid, timeout=90)
    line.inspected_after(time.time_ns())
    # While the gate hung its heartbeat stood, and then the PLC was told.
    safe = lane.safe_at(hung_at["gate"])
    settled = hung_at["gate"] + SECOND // 2  # what was on its way
    assert not [write for write in lane.beats_after(settled) if _beat_alone(write, safe)]
    entries = line.machine.journal("-u", "inspector-*", "--grep", "Watchdog timeout")
    assert {entry["UNIT"] for entry in entries} == {unit(service) for service in SERVICES}


def _beat_alone(write: object, before_ns: int) -> bool:
    return write.at_ns < before_ns and len(write.values) == 1  # type: ignore[attr-defined]


def test_what_falls_on_and_on_is_given_up_told_and_tried_again(station: Station) -> None:
    """Each ends failed within seconds, the output is safe, a person is called by name; and once
    the cause has gone everything comes back without one."""
    line, lane = station.line, station.lane
    falling = tuple(service for service in SERVICES if service != "record")
    before = {service: line.pid(service) for service in falling}
    with _broken(line, falling):
        at = min(line.signal(service) for service in falling)
        line.live(lambda live: _given_up(live) >= set(falling), timeout=60)
        assert lane.safe_at(at)
        last = [write for write in lane.writes if write.register <= STATE][-1]
        assert last.sets(STATE, STOPPED) or not last.sets(HEARTBEAT, 0)
        for service in falling:
            assert line.machine.show(unit(service), "ActiveState")["ActiveState"] == "failed"
    _try_again(line)
    for service, pid in before.items():
        line.wait_back(service, pid)
    line.inspected_after(time.time_ns())
    line.live(lambda live: not _given_up(live))


def test_record_that_falls_on_and_on_is_told_once_it_is_back(station: Station) -> None:
    """The line goes on without it; who called for help waits until record can hear."""
    line = station.line
    pid = line.pid("record")
    with _broken(line, ("record",)):
        line.signal("record")
        _until_failed(line, "record")
        began = time.time_ns()
    _try_again(line)
    line.wait_back("record", pid)
    line.inspected_after(began)
    until = time.monotonic() + 30
    while "record" not in _told_of(line):
        assert time.monotonic() < until, "nobody told that record had been given up"
        time.sleep(0.1)


def test_refused_settings_are_told_once_and_not_tried_again_at_once(station: Station) -> None:
    """Exit code 78, whoever asked first; the line goes on, and a minute later it is tried again."""
    line = station.line
    settings = line.machine.path("etc/inspector/station.toml")
    good = settings.read_text()
    settings.write_text(f"colour = 2\n{good}")
    try:
        line.machine.systemctl("restart", unit("publish"), check=False)
        found = line.machine.show(unit("publish"), "ActiveState", "NRestarts", "ExecMainStatus")
        line.live(lambda live: "publish" in _given_up(live))
    finally:
        settings.write_text(good)
    assert found == {"ActiveState": "failed", "NRestarts": "0", "ExecMainStatus": "78"}
    _try_again(line)
    line.wait_back("publish", 0)
    line.live(lambda live: not _given_up(live))


def test_after_all_of_it_every_part_has_exactly_one_outcome(station: Station) -> None:
    """And no part was accepted twice: of one run of the camera, its numbers only grow."""
    station.line.stop()
    parts = station.line.account()
    assert len({part.outcome.stream for part in parts}) > 1  # the camera was killed, too
    told = [write.values for write in station.lane.writes if write.register == 1]
    accepted = [(values[3], values[4]) for values in told if values[0] == 1 and len(values) == 5]
    runs: list[set[tuple[int, int]]] = [set()]
    for last, one in zip([(0, -1), *accepted], accepted, strict=False):
        if one[1] < last[1]:
            runs.append(set())  # the camera counts anew
        assert one not in runs[-1], f"accepted twice: {one}"
        runs[-1].add(one)


@contextmanager
def _broken(line: StationLine, services: tuple[str, ...]) -> Iterator[None]:
    """Their programs end as soon as they start."""
    places = [line.machine.path(f"run/systemd/system/{unit(one)}.d") for one in services]
    for place in places:
        place.mkdir(parents=True)
        (place / "90-broken.conf").write_text(BROKEN)
    line.machine.systemctl("daemon-reload")
    try:
        yield
    finally:
        for place in places:
            (place / "90-broken.conf").unlink()
            place.rmdir()
        line.machine.systemctl("daemon-reload")


def _try_again(line: StationLine) -> None:
    """What the timer does by itself within a minute, now."""
    timer = line.machine.show("inspector-recover.timer", "ActiveState", "Triggers")
    assert timer == {"ActiveState": "active", "Triggers": "inspector-recover.service"}
    line.machine.systemctl("start", "inspector-recover.service")


def _given_up(live: Live) -> set[str]:
    return {one.service for one in live.alarms if one.code == "service_failed" and one.active}


def _told_of(line: StationLine) -> set[str]:
    events = line.machine.inside(lambda: LedgerReader(INSTALLED.ledger).events(500))
    return {one.service for one in events if one.code == "service_failed"}


def _until_failed(line: StationLine, service: str) -> None:
    until = time.monotonic() + 60
    while line.machine.show(unit(service), "ActiveState")["ActiveState"] != "failed":
        assert time.monotonic() < until, f"{service} was never given up"
        time.sleep(0.05)
