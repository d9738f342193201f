"""A station whose record and publish are real processes, with parts that come while they run.

Promises: each process can be killed and started again alone; parts come as a gate sends them, with
the time of now, and again until record has them.
Never: waits for the network.
"""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from inspector.core.messages import Outcome
from inspector.core.orders import Order, Reply, ReviewPart
from inspector.core.paths import Paths
from inspector.core.topology import CONTROL
from inspector.devices.bus import Bus
from inspector.devices.console import console_session
from inspector.devices.ledger import LedgerReader
from support.outcomes import FakeGate, mixed

SERVICES = ("record", "publish")


class Processes:
    """record and publish of one station."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.log = paths.config.parent / "processes.log"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        for name in names or SERVICES:
            command = [sys.executable, "-m", f"inspector.services.{name}"]
            with self.log.open("ab") as log:
                self._running[name] = subprocess.Popen(
                    [*command, "--root", str(self.paths.config.parent)], stdout=log, stderr=log
                )

    def kill(self, *names: str) -> None:
        """As a power cut would, all at once."""
        chosen = [self._running.pop(name) for name in names or SERVICES if name in self._running]
        for process in chosen:
            process.kill()
        for process in chosen:
            process.wait()

    def stop(self) -> list[int]:
        """In the order of an orderly end: what is counted last may still leave. Exit codes."""
        codes = []
        for name in reversed(SERVICES):
            process = self._running.pop(name)
            process.send_signal(signal.SIGTERM)
            codes.append(process.wait(30))
        return codes

    def pid(self, name: str) -> int:
        return self._running[name].pid


class Parts(threading.Thread):
    """Parts that come now, one every `every_s`, until `end`."""

    def __init__(
        self, paths: Paths, every_s: float = 0.1, make: Callable[..., Outcome] = mixed
    ) -> None:
        super().__init__(daemon=True)
        self._make = make
        self.stream = uuid.uuid4().hex
        self.made = 0
        self._paths = paths
        self._every_s = every_s
        self._going = True

    def run(self) -> None:
        with Bus() as bus:
            gate = FakeGate(self._paths, bus)
            due = time.monotonic()
            while self._going:
                if time.monotonic() >= due:
                    due += self._every_s
                    gate.add(self._next())
                gate.step(20)
            gate.settle()
            assert not gate.pending

    def end(self) -> int:
        """No more parts; those that came are committed. How many there were."""
        self._going = False
        self.join(60)
        assert not self.is_alive()
        return self.made

    def _next(self) -> Outcome:
        self.made += 1
        return self._make(self.made, stream=self.stream, trigger_wall_ns=time.time_ns(), lot="now")


def review(paths: Paths, stream: str, seq: int, verdict: str) -> None:
    """A person's finding, ordered at the running record."""
    order = ReviewPart(stream=stream, seq=seq, verdict=verdict)  # type: ignore[arg-type]
    session = console_session(paths.console_key, "anna")
    with Bus() as bus:
        reply = bus.ask(paths.socket(CONTROL), Order(session=session, order=order, reason=""), 30)
    assert isinstance(reply, Reply)
    assert reply.ok, reply.text


def waiting(paths: Paths) -> int:
    """Totals rows of the ledger that are not delivered yet."""
    with closing(LedgerReader(paths.ledger)) as reader:
        return reader.pending_count()


def settled(paths: Paths) -> bool:
    """Every part that came is in a window that was counted, and every row is delivered."""
    with closing(sqlite3.connect(f"file:{paths.ledger}?mode=ro", uri=True)) as db:
        ((uncounted,),) = db.execute("SELECT count(*) FROM dirty_window").fetchall()
    return not uncounted and not waiting(paths)


def until(
    what: str, condition: Callable[[], bool], timeout_s: float = 60, log: Path | None = None
) -> None:
    """Wait for it. Raises TimeoutError, with the end of the log."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            said = log.read_text()[-3000:] if log else ""
            raise TimeoutError(f"{what}: not within {timeout_s:g} s\n{said}")
        time.sleep(0.05)
