"""ui's loop: hears the state of the line and hands it to the pages' server, which has a thread.

Promises: low priority; the newest state alone is passed on; the watchdog hears of rounds that the
server's own loop has come round in, too; it ends within a second.
Never: decides, records or writes anything but its own address.
"""

import hashlib
import os
from collections import deque
from contextlib import ExitStack
from pathlib import Path

import msgspec

from inspector import __version__
from inspector.core.clock import Clock, SystemClock
from inspector.core.config import StationConfig, Ui
from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.live import Live
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.topology import HEARTBEAT_S, LIVE
from inspector.devices.bus import Bus, newest_live
from inspector.devices.host import options, serve
from inspector.ui.app import STATIC, build
from inspector.ui.context import Context
from inspector.ui.control import Control
from inspector.ui.feed import Feed
from inspector.ui.ledger_access import LedgerAccess
from inspector.ui.pictures import Pictures, Rings
from inspector.ui.pool import Pool
from inspector.ui.server import Server, listen, url_of

NICE = 10
WAIT_MS = 100.0
HUNG_S, DEAD_S = 3.0, 10.0
DRAWERS = 2


class Screen:
    """The process."""

    def __init__(
        self, paths: Paths, context: Context, server: Server, url: str, bus: Bus, clock: Clock
    ) -> None:
        self._address = paths.screen
        self._url = url
        self._context = context
        self._server = server
        self._clock = clock
        self._inbox = bus.listen(paths.socket(LIVE))
        self._record = bus.outlet(paths.socket("record"), 10)
        self._pulse = Pulse("ui", clock.monotonic_ns(), HEARTBEAT_S)
        self._started = 0  # of record
        self._newest: deque[Live] = deque(maxlen=1)  # on its way to the server's loop
        self._server.start()
        self._tell_address()

    def turn(self) -> bool:
        """Wait a moment for the newest state; true while the server comes round, too."""
        live = newest_live(self._inbox, WAIT_MS)
        began = self._clock.monotonic_ns()
        if live is not None:
            self._take(live)
            self._pulse.took(self._clock.monotonic_ns() - began)
        silent = self._server.knock(self._hand_over)
        if not self._server.alive or silent > DEAD_S:
            raise EngineerError("the web server has ended or hangs; its last words stand above")
        if self._pulse.due(began):
            streams = self._context.feed.streams
            state = "running" if self._context.feed.live else "starting"
            note = f"{streams} screens open" if streams != 1 else "1 screen open"
            self._record.send(self._pulse.beat(began, state, streams, note))
        return silent < HUNG_S

    def stop(self) -> None:
        """Let the pages go, and the address."""
        self._address.unlink(missing_ok=True)
        self._server.soon(self._context.feed.close)
        self._server.stop()

    def _take(self, live: Live) -> None:
        started = _started(live)
        if started != self._started:
            self._started = started
            self._server.soon(self._context.control.forget)
        self._context.pictures.keep(live)  # first: a page will ask for what it is told of
        self._newest.append(live)

    def _hand_over(self) -> None:
        """On the server's loop; one that is slow finds the newest alone."""
        if self._newest:
            self._context.feed.take(self._newest.pop())

    def _tell_address(self) -> None:
        fresh = self._address.with_name(self._address.name + ".new")
        try:
            fresh.write_bytes(msgspec.json.encode({"url": self._url}) + b"\n")
            fresh.replace(self._address)
        except OSError as error:
            raise MaintainerError(
                f"{self._address}: cannot be written ({error.strerror}); mend its folder"
            ) from None


def _started(live: Live) -> int:
    """When record began; 0 where it does not say."""
    beats = (one.heartbeat for one in live.services)
    return next((beat.started_ns for beat in beats if beat.service == "record"), 0)


def main(argv: list[str] | None = None) -> int:
    """Run the process until a signal. Returns the exit code."""
    return serve("ui", options("ui", __doc__).parse_args(argv).root, _build)


def _build(config: StationConfig, paths: Paths, stack: ExitStack) -> Screen:
    ui = config.ui
    if ui is None:
        raise MaintainerError(f"{paths.station_file}: has no [ui]; add the section for a screen")
    os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    listening = stack.enter_context(listen(ui))
    context = _context(config, ui, paths, listening.getsockname()[1])
    server = Server(build(context), ui, listening)
    bus = stack.enter_context(Bus())
    return Screen(paths, context, server, url_of(ui, listening), bus, SystemClock())


def _context(config: StationConfig, ui: Ui, paths: Paths, port: int) -> Context:
    cameras = frozenset(camera.name for camera in config.cameras)
    return Context(
        config=config,
        paths=paths,
        feed=Feed(ui.language, version_of(STATIC), ui.logout_s),
        control=Control(paths, ui, f"inspector-{port}"),
        ledger=LedgerAccess(paths.ledger),
        pictures=Pictures(paths, cameras),
        drawing=Pool("drawing", DRAWERS, lambda: Rings(paths)),
    )


def version_of(static: Path) -> str:
    """The program's version and what its page is made of: a page of another one loads anew."""
    digest = hashlib.sha256()
    for path in sorted(static.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(static)).encode())
            digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:8]}"
