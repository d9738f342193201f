"""The real line of a small station, and the account of every part of it.

Promises: what `account` compares the ledger with is the cameras' own count, read from shared
memory, never the ledger itself.
Never: reaches into a process otherwise than a user or an accident would.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from inspector.cli.station import recorded
from inspector.core.live import Live
from inspector.core.paths import Paths
from inspector.core.terms import Kind, Lane
from inspector.core.topology import LIVE
from inspector.devices.bus import Bus, newest_live
from inspector.devices.ledger import RecordedPart
from inspector.devices.ring import last_count
from support.commands import INSPECTOR


class Line:
    """A running `inspector run`."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.triggers: dict[str, int] = {}  # by stream, the cameras' own count
        self._log = (paths.config.parent / "run.log").open("wb")
        root = str(paths.config.parent)
        self.process = subprocess.Popen(
            [*INSPECTOR, "run", "--root", root], stderr=self._log, stdout=self._log
        )

    @property
    def log(self) -> str:
        return Path(self._log.name).read_text()

    def pid(self, name: str) -> int:
        """The process that holds the lock of a service now, 0 where there is none."""
        try:
            pid = int(self.paths.lock(name).read_text() or 0)
        except (OSError, ValueError):
            return 0
        return pid if psutil.pid_exists(pid) else 0

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> bool:
        """Send a signal to a service; False when it is not up at the moment."""
        pid = self.pid(name)
        if pid:
            os.kill(pid, number)
        if name.startswith("capture"):
            self.note_count()  # before its successor starts a new count
        return bool(pid)

    def note_count(self) -> None:
        """Remember how far each camera has counted in its present stream."""
        for ring in self.paths.frames.glob("ring-*"):
            count = last_count(ring) if ring.suffix != ".new" else None
            if count:
                self.triggers[count.stream] = count.triggers

    def count(self) -> int:
        """How many parts have triggered so far."""
        self.note_count()
        return sum(self.triggers.values())

    def stop(self) -> int:
        """Ctrl-C. Returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        self.note_count()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()


@contextmanager
def running(paths: Paths, committed: int = 1) -> Iterator[Line]:
    """The line, from the moment at which it has committed so many parts."""
    line = Line(paths)
    try:
        wait_for(paths, lambda live: live.committed >= committed)
        yield line
    finally:
        line.close()


def wait_for(paths: Paths, condition: Callable[[Live], bool], timeout_s: float = 30) -> Live:
    """The first state of the line that meets the condition. Raises TimeoutError."""
    until = time.monotonic() + timeout_s
    with Bus() as bus:
        inbox = bus.listen(paths.socket(LIVE))
        while time.monotonic() < until:
            live = newest_live(inbox, 100)
            if live is not None and condition(live):
                return live
    raise TimeoutError(f"not reached in {timeout_s:g} s")


def account(line: Line) -> list[RecordedPart]:
    """All recorded parts, after proving that each trigger has exactly one outcome, that no fault
    is accepted, and that no defective part passed."""
    parts = list(recorded(line.paths))
    seqs: dict[str, list[int]] = {}
    for part in parts:
        seqs.setdefault(part.outcome.stream, []).append(part.outcome.seq)
    for stream, triggers in line.triggers.items():
        assert sorted(seqs.get(stream, [])) == list(range(triggers)), f"{stream}: {line.log}"
    assert seqs.keys() == {stream for stream, triggers in line.triggers.items() if triggers}
    for outcome in (part.outcome for part in parts):
        assert outcome.lane is (Lane.ACCEPT if outcome.kind is Kind.PASS else Lane.REJECT)
        if outcome.source.startswith("square/"):
            assert outcome.kind is not Kind.PASS
    return parts


def accepted_twice(paths: Paths) -> list[str]:
    """Parts that the output log shows more than once."""
    logs = [paths.output_log.with_name("output.log.1"), paths.output_log]
    lines = [line for log in logs if log.exists() for line in log.read_text().splitlines()]
    keys = [" ".join(line.split()[4:6]) for line in lines]
    return [key for key in set(keys) if keys.count(key) > 1]
