"""The line of a machine's station, seen from outside, and the account of every part of it.

Promises: what the ledger is compared with is the cameras' own count, read from the frames' rings.
Never: asks the station where it can look itself.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from inspector.cli.station import recorded
from inspector.core.errors import MaintainerError
from inspector.core.live import Live
from inspector.core.paths import INSTALLED, Paths
from inspector.core.terms import Kind, Lane
from inspector.devices.bus import Bus, newest_live
from inspector.devices.ledger import RecordedPart
from inspector.devices.ring import last_count
from support.machine.inside import Machine

CAMERA = "cam0"
SERVICES = ("gate", "detect", "record", f"capture-{CAMERA}", "publish", "workshop", "ui")
SECOND = 1_000_000_000


def unit(service: str) -> str:
    """The unit of a process of the topology."""
    kind, dash, camera = service.partition("-")
    return f"inspector-{kind}@{camera}.service" if dash else f"inspector-{kind}.service"


class StationLine:
    """The line in a machine that runs."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.paths = Paths(*(machine.path(path) for path in _places(INSTALLED)))
        self.triggers: dict[str, int] = {}  # by stream, the cameras' own count

    def pid(self, service: str) -> int:
        """The process of a service, by the host's number; 0 while there is none."""
        return self.machine.pid(unit(service))

    def signal(self, service: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a service. Returns when, in monotonic ns."""
        pid = self.pid(service)
        assert pid, f"{service} is not up"
        at = time.monotonic_ns()
        os.kill(pid, number)
        if service.startswith("capture"):
            self.note_count()  # before its successor starts a new count
        return at

    def note_count(self) -> None:
        """Remember how far each camera has counted in its present stream."""
        for ring in self.paths.frames.glob("ring-*"):
            count = last_count(ring) if ring.name == f"ring-{CAMERA}" else None
            if count:
                self.triggers[count.stream] = count.triggers

    def parts(self) -> list[RecordedPart]:
        """All that is committed, oldest first; nothing while there is no ledger."""
        try:
            return self.machine.inside(lambda: list(recorded(INSTALLED)))
        except MaintainerError:
            return []

    def inspected_after(self, wall_ns: int, timeout: float = 60) -> float:
        """Seconds from this time until a part that came later had been looked at and recorded:
        any outcome but a fault. Raises TimeoutError."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            for part in (one.outcome for one in reversed(self.newest())):
                if part.trigger_wall_ns > wall_ns and part.kind is not Kind.FAULT:
                    done = part.trigger_wall_ns + part.latency_us * 1000
                    return (done - wall_ns) / SECOND
            time.sleep(0.05)
        raise TimeoutError(f"no part was inspected within {timeout:g} s")

    def newest(self, count: int = 200) -> list[RecordedPart]:
        return self.parts()[-count:]

    def live(self, wanted: Callable[[Live], bool], timeout: float = 30) -> Live:
        """The first state of the line that is wanted. Raises TimeoutError."""
        endpoint = f"ipc://{self.machine.path('run/inspector/record/live.sock')}"
        until = time.monotonic() + timeout
        last = None
        with Bus() as bus:
            inbox = bus.listen(endpoint)
            while time.monotonic() < until:
                last = newest_live(inbox, 200) or last
                if last is not None and wanted(last):
                    return last
        raise TimeoutError(f"not reached in {timeout:g} s: {last}")

    def wait_back(self, service: str, earlier: int, timeout: float = 60) -> None:
        """Until the service is up again, in a process other than this one."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            shown = self.machine.show(unit(service), "ActiveState", "SubState")
            up = (shown["ActiveState"], shown["SubState"]) == ("active", "running")
            if up and self.pid(service) not in (0, earlier):
                return
            time.sleep(0.05)
        raise TimeoutError(f"{service} was not back within {timeout:g} s")

    def stop(self) -> float:
        """Stop the station in good order. Returns the seconds it took."""
        began = time.monotonic()
        self.machine.systemctl("stop", "inspector.target", *self.units())
        return time.monotonic() - began

    def units(self) -> list[str]:
        return [unit(service) for service in SERVICES]

    def account(self) -> list[RecordedPart]:
        """All recorded parts, after proving that each trigger has exactly one outcome and that no
        fault is accepted; of a line that has stopped."""
        self.note_count()
        parts = self.parts()
        seqs: dict[str, list[int]] = {}
        for part in parts:
            seqs.setdefault(part.outcome.stream, []).append(part.outcome.seq)
            accepted = part.outcome.lane is Lane.ACCEPT
            assert accepted == (part.outcome.kind is Kind.PASS), part
        for stream, triggers in self.triggers.items():
            assert sorted(seqs.get(stream, [])) == list(range(triggers)), stream
        assert seqs.keys() == {stream for stream, triggers in self.triggers.items() if triggers}
        return parts


def _places(paths: Paths) -> Iterator[Path]:
    yield from (paths.config, paths.state, paths.run, paths.cache)


@contextmanager
def inspecting(machine: Machine) -> Iterator[StationLine]:
    """The line, from its first part that was looked at."""
    line = StationLine(machine)
    line.inspected_after(0)
    yield line
