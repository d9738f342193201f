"""The real `ui` process of a station on disk, with a record in record's place.

Promises: the page's server is the real process, asked over HTTP as a browser would ask; the record
is the test's own, so that it says, answers and withholds what a test needs.
Never: opens the ui's memory or calls its functions.
"""

import http.client
import json
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from msgspec import structs

from inspector.core.live import Live, RecentPart, ServiceHealth
from inspector.core.messages import Heartbeat, Outcome
from inspector.core.orders import Login, Logout, Order, Person, Renew, Reply, Role
from inspector.core.paths import Paths, under
from inspector.core.terms import FrameFormat, FrameRef, Heatmap, Kind, Pixel
from inspector.core.topology import CONTROL, LIVE, MESSAGES
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Bus, Outlet
from inspector.devices.ledger import Ledger
from inspector.devices.ring import RingWriter

from .line_state import line_state
from .outcomes import STREAM, WALL, outcome
from .people import PINS, ROLES, let_in
from .stations import put_in_use, write_recipe, write_station
from .tiny_model import SIDE

FORMAT = FrameFormat(width=160, height=128, pixel=Pixel.MONO8)
HEAT = Heatmap(width=8, height=4, scale=2.0, region=(0, 0, 160, 128), data=bytes(range(0, 256, 8)))
EVERY_S = 0.1


def made(*outcomes: Outcome, **changes: Any) -> Live:
    """The state after these outcomes."""
    small = tuple(map(RecentPart.of, outcomes[::-1]))[:12]
    fields = {"last": outcomes[-1], "recent": small, "committed": len(outcomes)}
    return line_state(**(fields | changes))


class FakeRecord(threading.Thread):
    """Tells the state ten times a second, and answers what it is asked."""

    def __init__(self, paths: Paths) -> None:
        super().__init__(daemon=True)
        self.state = line_state()
        self.silent = False  # tells no state
        self.deaf = False  # answers nothing
        self.rush: Iterator[Live] | None = None  # states to tell as fast as can be
        self.heard: list[AnyMessage] = []
        self.beats: list[Heartbeat] = []
        self.sessions: dict[str, Person] = {}
        self.refusals: dict[str, Reply] = {}  # by order: what becomes of it
        self._paths = paths
        self._going = True
        self._ready = threading.Event()

    def run(self) -> None:
        with Bus() as bus:
            inbox = bus.inbox(self._paths.socket("record"), depth=MESSAGES)
            screens = bus.broadcast(self._paths.socket(LIVE))
            desk = bus.answer(self._paths.socket(CONTROL))
            self._ready.set()
            due = 0.0
            while self._going:
                if self.rush:
                    self._tell(screens, next(self.rush, None))
                    continue
                time.sleep(0.005)
                for message, _ in inbox.drain():
                    if isinstance(message, Heartbeat):
                        self.beats.append(message)
                while not self.deaf and (asked := desk.receive()):
                    self.heard.append(asked[1])
                    desk.answer(asked[0], self._answer(asked[1]))
                if not self.silent and time.monotonic() >= due:
                    self._tell(screens, self.state)
                    due = time.monotonic() + EVERY_S

    def _tell(self, screens: Outlet, state: Live | None) -> None:
        if state is None:
            self.rush = None
        else:
            screens.send(structs.replace(state, sent_ns=time.monotonic_ns()))

    def begin(self) -> None:
        self.start()
        assert self._ready.wait(10)

    def end(self) -> None:
        self._going = False
        self.join(10)

    def begun_anew(self) -> None:
        """As if it had been killed and started again."""
        beat = Heartbeat(
            service="record",
            pid=1,
            number=0,
            sent_ns=0,
            started_ns=time.monotonic_ns(),
            state="running",
            handled=0,
            per_s=0.0,
            queue=0,
            p50_ms=0.0,
            p99_ms=0.0,
        )
        self.state = structs.replace(
            self.state, services=(ServiceHealth(heartbeat=beat, age_ms=0),)
        )

    def _answer(self, message: AnyMessage) -> Reply:
        match message:
            case Login(name=name, pin=pin):
                return self._login(name, pin)
            case Logout(session=session):
                self.sessions.pop(session, None)
                return Reply(ok=True, text="logged out")
            case Renew(session=session):
                if person := self.sessions.get(session):
                    return Reply(ok=True, text="", person=person)
                return Reply(ok=False, text="log in first", code="no_session")
            case Order(session=session, order=order):
                if session not in self.sessions:
                    return Reply(ok=False, text="log in first", code="no_session")
                name = str(order.__struct_config__.tag)
                return self.refusals.get(name, Reply(ok=True, text=f"{name}: done"))
        return Reply(ok=False, text="no order", code="refused")

    def _login(self, name: str, pin: str) -> Reply:
        if PINS.get(name) != pin:
            return Reply(ok=False, text="name or PIN is wrong", code="wrong_pin")
        session = f"secret-of-{name}-{len(self.heard)}"
        self.sessions[session] = Person(name=name, role=Role(ROLES[name]))
        return Reply(ok=True, text="", session=session, person=self.sessions[session])


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        text: str = self.json["error"]
        assert "\n" not in text
        assert "Traceback" not in text
        return text


class Client:
    """A browser as far as HTTP goes: keeps its cookie, names its origin."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookie = ""

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        with closing(self.connect()) as connection:
            cookie = {"Cookie": self.cookie} if self.cookie else {}
            connection.request(method, path, body, {**cookie, **(headers or {})})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, value: object, **headers: str) -> Answer:
        own = {"Content-Type": "application/json", "Origin": self.url}
        answer = self.ask("POST", path, json.dumps(value).encode(), own | headers)
        if kept := answer.headers.get("set-cookie"):
            self.cookie = kept.partition(";")[0]
        return answer

    def login(self, name: str) -> Answer:
        return self.post("/login", {"name": name, "pin": PINS[name]})

    def connect(self) -> http.client.HTTPConnection:
        where = urlsplit(self.url)
        assert where.hostname
        if where.scheme == "https":
            trusting = ssl._create_unverified_context()  # the test's own certificate
            return http.client.HTTPSConnection(where.hostname, where.port, context=trusting)
        return http.client.HTTPConnection(where.hostname, where.port, timeout=20)

    @contextmanager
    def stream(self) -> Iterator["Events"]:
        """The page's events."""
        with closing(self.connect()) as connection:
            connection.request("GET", "/live", headers={"Cookie": self.cookie})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            yield Events(answer)


class Events:
    """Server-sent events as they come."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer

    def next(self) -> dict[str, Any]:
        """The next one, whole. Raises EOFError at the end."""
        while line := self._answer.readline():
            if line.startswith(b"data: "):
                found: dict[str, Any] = json.loads(line[6:])
                return found
        raise EOFError

    def until(self, **wanted: object) -> dict[str, Any]:
        """The first that says this."""
        for _ in range(200):
            event = self.next()
            if all(event[key] == value for key, value in wanted.items()):
                return event
        raise AssertionError(f"never said: {wanted}")


class ScreenStation:
    """A station's folder, its real `ui`, and the record in its place."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.record = FakeRecord(paths)
        self.process: subprocess.Popen[str] | None = None
        self.ledger: Ledger | None = None
        self.ring: RingWriter | None = None
        self.url = ""

    def start(self) -> None:
        """The server, until it listens."""
        address = self.paths.screen
        address.unlink(missing_ok=True)
        command = [sys.executable, "-m", "inspector.ui", "--root", str(self.paths.state.parent)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for _ in range(1000):
            if address.exists():
                self.url = json.loads(address.read_text())["url"]
                return
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.02)
        raise AssertionError("ui does not listen")

    def client(self) -> Client:
        return Client(self.url)

    def stop(self) -> tuple[int, str]:
        """Exit code and stderr after SIGTERM."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said

    def keep(self, *outcomes: Outcome) -> None:
        """Into the ledger, with heatmaps."""
        if self.ledger is None:
            self.ledger = Ledger(self.paths.ledger, 60, 0, WALL)
        self.ledger.commit([(one, True) for one in outcomes], wall_ns=WALL)

    def frame(self, grey: int) -> FrameRef:
        """A frame of this grey in the ring."""
        if self.ring is None:
            self.ring = RingWriter(self.paths.ring("cam0"), FORMAT, 4, STREAM)
        with self.ring.write() as (pixels, ref):
            pixels[:] = grey
        return ref

    def part(self, seq: int, kind: Kind = Kind.PASS, grey: int = 128, **changes: Any) -> Outcome:
        """An outcome whose frame lies in the ring."""
        fields: dict[str, Any] = {"frame": self.frame(grey), "heatmap": HEAT}
        return outcome(seq, kind, **(fields | changes))

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.record.end()
        if self.ledger:
            with suppress(Exception):
                self.ledger.close()


def screen_station(root: Path, **changes: Any) -> Paths:
    """A station on disk with a screen on any free port."""
    paths = under(root)
    put_in_use(paths, np.full((SIDE, SIDE, 1), 90, np.uint8))
    write_recipe(paths, "plain")
    write_station(
        paths, {"path": "images"}, {**changes, "ui": {"port": 0, **changes.get("ui", {})}}
    )
    paths.create()
    let_in(paths)
    return paths


@contextmanager
def showing(root: Path, **changes: Any) -> Iterator[ScreenStation]:
    """A real screen that hears a record."""
    station = ScreenStation(screen_station(root, **changes))
    station.record.begin()
    try:
        station.start()
        yield station
    finally:
        station.close()
