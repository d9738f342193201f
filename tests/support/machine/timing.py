"""How long a station takes to come up, to stop, to be safe and to be back.

Run as a program it measures that with nothing else on the box, and prints the figures (in tests/):

    python -m support.machine.timing boot|safe|back [COUNT]
"""

import itertools
import signal
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inspector.core.terms import Kind
from inspector.devices.modbus import RUNNING, STATE
from support.machine import Root, boot, installed_root, station_files
from support.machine.line import SECOND, SERVICES, StationLine, inspecting, unit
from support.machine.plc import OUTPUT, MachinePlc, plc

COMMIT_S = 0.05  # an outcome is on disk so long after it was made, at the most


@dataclass(frozen=True)
class BootTimes:
    """Seconds, from when the service manager began to start the station's first process."""

    ready_s: float  # every process of the line says that it is ready
    first_outcome_s: float  # the first part that was looked at is on disk


def boot_times(line: StationLine) -> BootTimes:
    """Of the present boot, whose line inspects."""
    starts, readies = [], []
    for service in ("record", "gate", "detect", "capture-cam0"):
        names = ("InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic")
        shown = line.machine.show(unit(service), *names)
        starts.append(int(shown[names[0]]) / 1e6)
        readies.append(int(shown[names[1]]) / 1e6)
    return BootTimes(max(readies) - min(starts), _first_outcome_s(line) - min(starts))


def _first_outcome_s(line: StationLine) -> float:
    """When the first part that was looked at was on disk, on the monotonic clock."""
    looked_at = (one.outcome for one in line.parts() if one.outcome.kind is not Kind.FAULT)
    first = next(looked_at)
    wall = first.trigger_wall_ns + first.latency_us * 1000
    return (wall - (time.time_ns() - time.monotonic_ns())) / SECOND + COMMIT_S


def death_of_gate(line: StationLine, lane: MachinePlc) -> tuple[float, float]:
    """Kill it. Seconds until the PLC had been told to stop and to reject, and until it was told
    that the line runs again."""
    at = line.signal("gate")
    safe = lane.safe_at(at)
    again = lane.wait(lambda write: write.sets(STATE, RUNNING), safe)
    return (safe - at) / SECOND, (again.at_ns - at) / SECOND


def back_after(line: StationLine, service: str, number: signal.Signals) -> float:
    """Hurt one process. Seconds until it was up again and a later part had been looked at."""
    earlier = line.pid(service)
    began, wall = time.monotonic(), time.time_ns()
    line.signal(service, number)
    line.wait_back(service, earlier)
    up = time.monotonic() - began
    return max(up, line.inspected_after(wall + int(up * SECOND)))


@contextmanager
def _station(root: Root) -> Iterator[tuple[StationLine, MachinePlc]]:
    with (
        boot(root, files=station_files(output=OUTPUT), wait=False) as machine,
        plc(machine) as lane,
        inspecting(machine) as line,
    ):
        yield line, lane


def _boots(count: int) -> None:
    root, found = installed_root(), []
    for _ in range(count):
        with _station(root) as (line, _):
            times = boot_times(line)
            found.append((times.ready_s, times.first_outcome_s, line.stop()))
            line.account()
    for name, values in zip(
        ("ready", "first outcome", "stop"), zip(*found, strict=True), strict=True
    ):
        _print(name, values)


def _deaths(count: int) -> None:
    found = []
    with _station(installed_root()) as (line, lane):
        for _ in range(count):
            found.append(death_of_gate(line, lane))
            line.inspected_after(time.time_ns())
            line.machine.systemctl("reset-failed")  # these deaths are not a loop
        line.stop()
        line.account()
    for name, values in zip(("output safe", "lane runs"), zip(*found, strict=True), strict=True):
        _print(name, values)


def _returns(count: int) -> None:
    with _station(installed_root()) as (line, _):
        for service, number in itertools.product(SERVICES, (signal.SIGKILL, signal.SIGSTOP)):
            took = []
            for _ in range(count):
                took.append(back_after(line, service, number))
                line.machine.systemctl("reset-failed")
            _print(f"{service} after {number.name}", took)
        line.stop()
        line.account()


def _print(name: str, seconds: Iterable[float]) -> None:
    ms = sorted(1000 * value for value in seconds)
    middle = statistics.median(ms)
    print(f"{name}: {len(ms)} times, p50 {middle:.1f} ms, longest {ms[-1]:.1f} ms", flush=True)


if __name__ == "__main__":
    what, *count = sys.argv[1:]
    {"boot": _boots, "safe": _deaths, "back": _returns}[what](int(count[0]) if count else 3)
