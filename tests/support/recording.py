"""The real recording process of a station on disk, with a gate in the gate's place."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from inspector.core.errors import MaintainerError
from inspector.core.live import Live
from inspector.core.messages import Outcome
from inspector.core.orders import AnyOrder, Login, Order, Reply
from inspector.core.paths import Paths, under
from inspector.core.topology import CONTROL, LIVE
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Bus, newest_live
from inspector.devices.console import console_session
from inspector.devices.ledger import LedgerReader

from .outcomes import FakeGate
from .stations import put_in_use, write_recipe, write_station
from .tiny_model import SIDE


class Station:
    """A station's folder, its one real process, and the gate in its place."""

    def __init__(self, paths: Paths, bus: Bus) -> None:
        self.paths = paths
        self.bus = bus
        self.gate = FakeGate(paths, bus)
        self.reader = LedgerReader(paths.ledger)
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "inspector.services.record"]
        root = str(self.paths.state.parent)
        self.process = subprocess.Popen(
            [*command, "--root", root], stderr=subprocess.PIPE, text=True
        )

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, str]:
        """Exit code and stderr after SIGTERM, or after an end of its own."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said

    def ended(self) -> tuple[int, str]:
        assert self.process
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said

    def settle(self, *outcomes: Outcome) -> None:
        self.gate.add(*outcomes)
        self.gate.settle()
        assert not self.gate.pending

    def ask(self, message: AnyMessage) -> Reply:
        """What record answers at its control socket, whoever asks."""
        reply = self.bus.ask(self.paths.socket(CONTROL), message, 20.0)
        assert isinstance(reply, Reply)
        return reply

    def order(self, order: AnyOrder, session: str | None = None, reason: str = "") -> Reply:
        """Order something, by default as anna at the console."""
        if session is None:
            session = self.console()
        return self.ask(Order(session=session, order=order, reason=reason))

    def console(self, user: str = "anna") -> str:
        """Her session there, once record runs."""
        until(self.paths.console_key.exists)
        return console_session(self.paths.console_key, user)

    def login(self, name: str, pin: str) -> Reply:
        return self.ask(Login(name=name, pin=pin))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.paths.ledger}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()


def prepare(root: Path, **changes: Any) -> Paths:
    paths = under(root)
    write_recipe(paths, "plain")
    write_recipe(paths, "other")
    put_in_use(paths, np.full((SIDE, SIDE, 1), 90, np.uint8))
    write_station(paths, {"path": "images"}, changes)
    paths.create()
    return paths


@contextmanager
def running(paths: Paths) -> Iterator[Station]:
    with Bus() as bus:
        station = Station(paths, bus)
        station.start()
        try:
            yield station
        finally:
            if station.process and station.process.poll() is None:
                station.kill()
            station.reader.close()


def until(condition: Callable[[], Any]) -> Any:
    """What `condition` returns, once it is true; a ledger that has yet to be made says nothing."""
    problem: MaintainerError | None = None
    for _ in range(600):
        try:
            if result := condition():
                return result
        except MaintainerError as error:
            problem = error
        time.sleep(0.05)
    raise AssertionError("did not happen within 30 s") from problem


def recorded(station: Station) -> Counter[tuple[str, int]]:
    return Counter(station.rows("SELECT stream, seq FROM parts"))


def live(station: Station) -> Live:
    """The next state that record broadcasts."""
    with closing(station.bus.listen(station.paths.socket(LIVE))) as inbox:
        state = newest_live(inbox, 10_000)
    assert state
    return state
