"""The real workshop process, with the line and record in the hands of a test.

Promises: frames lie in a real ring, the state of the line is broadcast as record does it, and what
the workshop says is heard at record's own address.
Never: reaches into the workshop otherwise than by orders and signals.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from inspector.core.live import Live, RecentPart, WorkshopState
from inspector.core.messages import Event, Heartbeat
from inspector.core.orders import Errand, ErrandDone, ErrandOrder
from inspector.core.paths import Paths
from inspector.core.terms import Cause, FrameFormat, Kind, Lane, Mode, Pixel
from inspector.core.topology import LIVE, MESSAGES
from inspector.devices.bus import Bus
from inspector.devices.ring import RingWriter

from .line_state import line_state

STREAM = "5" * 32


def live(parts: list[RecentPart], mode: Mode = Mode.INSPECT, recipe: str = "plain") -> Live:
    """A state of the line that shows these parts, newest first."""
    return line_state(
        sent_ns=time.monotonic_ns(),
        wall_ns=time.time_ns(),
        mode=mode,
        recipe=recipe,
        recent=tuple(parts),
    )


class Shop:
    """The process, and all that it talks with."""

    def __init__(self, paths: Paths, bus: Bus, line: bool = True) -> None:
        """With `line` False a real line runs: its record is heard instead of this one."""
        self.paths = paths
        self.states: list[WorkshopState] = []
        self.ends: list[ErrandDone] = []
        self.beats: list[Heartbeat] = []
        self.mode = Mode.INSPECT
        self._bus = bus
        self._record = bus.inbox(paths.socket("record"), depth=MESSAGES) if line else None
        self._screens = bus.broadcast(paths.socket(LIVE)) if line else None
        self._ring: RingWriter | None = None
        self._recent: list[RecentPart] = []
        self._seq = 0
        self._orders = bus.outlet(paths.socket("workshop"), 100)
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "inspector.services.workshop"]
        root = str(self.paths.state.parent)
        log = (self.paths.state / "workshop.log").open("a")
        with log:
            self.process = subprocess.Popen([*command, "--root", root], stderr=log)

    @property
    def log(self) -> str:
        return (self.paths.state / "workshop.log").read_text()

    def order(self, errand: Errand, who: str = "tina") -> None:
        assert self._orders.connected(20_000)
        assert self._orders.send(ErrandOrder(errand=errand, who=who))

    def worker(self) -> psutil.Process | None:
        """The process that does the errand, where there is one."""
        assert self.process
        found = psutil.Process(self.process.pid).children()
        return found[0] if found else None

    def part(self, image: np.ndarray, kind: Kind = Kind.PASS, cause: Cause | None = None) -> None:
        """A part passes the camera, (height, width, channels) uint8."""
        if self._ring is None:
            height, width, channels = image.shape
            pixel = Pixel.MONO8 if channels == 1 else Pixel.BGR8
            format = FrameFormat(width=width, height=height, pixel=pixel)
            self._ring = RingWriter(self.paths.ring("cam0"), format, 16, STREAM)
        with self._ring.write() as (place, ref):
            place[:] = image
        shown = RecentPart(
            camera="cam0",
            stream=STREAM,
            seq=self._seq,
            kind=kind,
            cause=cause,
            lane=Lane.ACCEPT if kind is Kind.PASS else Lane.REJECT,
            score=0.1,
            trigger_wall_ns=time.time_ns(),
            latency_us=1000,
            frame=ref,
        )
        self._seq += 1
        self._recent = [shown, *self._recent[:11]]

    def turn(self) -> None:
        """The line says how it is; what the workshop says is heard."""
        assert self._record
        assert self._screens
        self._screens.send(live(self._recent, self.mode))
        time.sleep(0.03)
        for message, _ in self._record.drain():
            if isinstance(message, WorkshopState):
                self.states.append(message)
            elif isinstance(message, ErrandDone):
                self.ends.append(message)
            elif isinstance(message, Heartbeat):
                self.beats.append(message)
            else:
                assert isinstance(message, Event)

    def until(self, condition: Callable[[WorkshopState], Any], timeout_s: float = 120) -> Any:
        """The first state from now on that meets the condition."""
        self.states.clear()
        limit = time.monotonic() + timeout_s
        while time.monotonic() < limit:
            self.turn()
            for state in self.states:
                if condition(state):
                    return state
        raise AssertionError(f"not reached: {self.states[-1:]} {self.ends[-3:]} {self.log}")

    def done(self, errand: Errand, timeout_s: float = 250, who: str = "tina") -> ErrandDone:
        """Order it, and how it ended."""
        self.order(errand, who)
        return self.end_of(str(type(errand).__struct_config__.tag), timeout_s)

    def end_of(self, order: str, timeout_s: float = 250) -> ErrandDone:
        """The next end of such an errand; it is taken from the ends."""
        limit = time.monotonic() + timeout_s
        while time.monotonic() < limit:
            for end in self.ends:
                if end.order == order:
                    self.ends.remove(end)
                    return end
            self.turn()
        raise AssertionError(f"no end of {order}: {self.states[-1:]} {self.log}")

    def kill(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def shop(paths: Paths, line: bool = True) -> Iterator[Shop]:
    paths.create()
    with Bus() as bus:
        made = Shop(paths, bus, line)
        try:
            yield made
        finally:
            made.close()


def pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in (".png", ".jpg"))


def until(condition: Callable[[], Any], timeout_s: float = 60) -> Any:
    """What `condition` returns, once it is true."""
    limit = time.monotonic() + timeout_s
    while time.monotonic() < limit:
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {timeout_s:g} s")
