"""record's desk over a real ledger, with nobody behind it and a clock that is moved by hand.

Promises: what is asked goes through the real decoder, and what the desk answers comes back.
Never: starts a process or opens a socket.
"""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from inspector.core.clock import ManualClock
from inspector.core.config import Ui
from inspector.core.config_mqtt import PlantCommands
from inspector.core.current import Current
from inspector.core.errors import EngineerError, OperatorError
from inspector.core.messages import SwitchRecipe
from inspector.core.orders import AnyOrder, ErrandOrder, Login, Order, Reply
from inspector.core.paths import Paths
from inspector.core.terms import Severity
from inspector.core.wire import AnyMessage, decode
from inspector.devices.bus import Desk as Socket
from inspector.devices.bus import Outlet
from inspector.devices.console import open_plant_key
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.domain.audit import Entry
from inspector.services.record.access import open_access
from inspector.services.record.alarms import Alarms
from inspector.services.record.backups import Backups
from inspector.services.record.challenge import Challenges
from inspector.services.record.changeover import Changeover
from inspector.services.record.commands import Commands, Rooms
from inspector.services.record.desk import Desk, Done
from inspector.services.record.plant import Plant

MOVES = 15  # of the clock, from one answer to the next


class Ear:
    """An outlet that keeps what it is given, while it is there."""

    def __init__(self) -> None:
        self.heard: list[AnyMessage] = []
        self.there = True
        self.takes = True

    def connected(self, _timeout_ms: float) -> bool:
        return self.there

    def send(self, message: AnyMessage) -> bool:
        if self.there and self.takes:
            self.heard.append(message)
        return self.there and self.takes


class Line:
    """The control socket: what was sent, and what came back."""

    def __init__(self) -> None:
        self.sent: deque[tuple[bytes, bytes]] = deque()
        self.answers: dict[bytes, Reply] = {}

    def receive(self) -> tuple[bytes, AnyMessage | None] | None:
        if not self.sent:
            return None
        address, data = self.sent.popleft()
        try:
            return address, decode(data)
        except EngineerError:
            return address, None

    def answer(self, address: bytes, reply: Reply) -> None:
        self.answers[address] = reply


class GoldenParts:
    """A challenge test that says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.impossible = False
        self.stops = ""

    def check_begin(self) -> Current:
        return self.check_under_way()

    def check_present(self, _step: int) -> Current:
        return self.check_under_way()

    def check_under_way(self) -> Current:
        """Something that names a recipe, as a test does."""
        if self.impossible:
            raise OperatorError("no test is under way")
        return Current("plain", "L1")

    def begin(self, _ledger: Ledger, who: str) -> str:
        return self._did("begin", who)

    def present(self, _ledger: Ledger, step: int, who: str) -> str:
        return self._did("present", step, who)

    def abandon(self, _ledger: Ledger, who: str, reason: str) -> str:
        return self._did("abandon", who, reason)

    def _did(self, *what: Any) -> str:
        self.asked.append(what)
        return "done"


class BackupsAsked:
    """Stands for the backups."""

    folder = Path("/backups")

    def __init__(self) -> None:
        self.begun = 0

    def check(self) -> None:
        """One may always be made."""

    def begin(self) -> str:
        self.begun += 1
        return "backup begun"


class Bench:
    """A desk, and all that it reaches."""

    def __init__(
        self, paths: Paths, ui: Ui | None = None, plant: PlantCommands | None = None
    ) -> None:
        self.paths, self.clock = paths, ManualClock(mono=10**15)
        self.ledger = Ledger(paths.ledger, 60, 0, self.clock.wall_ns())
        self.detect, self.gate, self.workshop = Ear(), Ear(), Ear()
        self.challenges, self.alarms = GoldenParts(), Alarms()
        self.backups = BackupsAsked()
        self._ui, self._plant = ui or Ui(), plant
        self._number = 0
        self.start()

    def start(self) -> None:
        """record starts, or starts again."""
        detect, gate = cast(Outlet, self.detect), cast(Outlet, self.gate)
        now = Current("plain", "L1")
        self.changeover = Changeover(self.paths.current, now, detect, gate)
        workshop, challenges = cast(Outlet, self.workshop), cast(Challenges, self.challenges)
        rooms = Rooms(
            self.changeover, workshop, self.alarms, challenges, cast(Backups, self.backups)
        )
        self.commands = Commands(self.paths, rooms, self.clock)
        access = open_access(self.paths, self._ui, self.ledger, self.clock)
        self.console = access.console.key
        self.line = Line()
        self.plant_key = open_plant_key(self.paths.plant_key, self._plant is not None)
        plant = Plant(self.plant_key, self._plant)
        self.desk = Desk(cast(Socket, self.line), access, self.commands, self.clock, plant)
        self.done: list[Done] = []

    def close(self) -> None:
        self.desk.close()
        self.ledger.close()

    def send(self, message: AnyMessage | bytes) -> bytes:
        """Put something into the socket. Returns the address of its answer."""
        self._number += 1
        address = b"%d" % self._number
        data = message if isinstance(message, bytes) else msgspec.msgpack.encode(message)
        self.line.sent.append((address, data))
        return address

    def ask(self, message: AnyMessage | bytes) -> Reply:
        address = self.send(message)
        self.turn_until(lambda: address in self.line.answers)
        return self.line.answers.pop(address)

    def turn_until(self, condition: Callable[[], object]) -> None:
        """A check of a PIN goes on a thread, in real time: the clock is moved by no more than the
        pause after it, or on a busy box a lock-out would be over before the answer."""
        answers, moves = -1, 0
        for _ in range(3000):
            self.done += self.desk.turn(self.ledger)
            if condition():
                return
            if len(self.line.answers) != answers:
                answers, moves = len(self.line.answers), 0
            if moves < MOVES:
                moves += 1
                self.clock.advance_ms(20)
            time.sleep(0.005)
        raise AssertionError("no answer")

    def order(self, order: AnyOrder, session: str | None = None, reason: str = "") -> Reply:
        session = f"{self.console}:anna" if session is None else session
        return self.ask(Order(session=session, order=order, reason=reason))

    def login(self, name: str, pin: str) -> Reply:
        return self.ask(Login(name=name, pin=pin))

    def session(self, name: str, pin: str) -> str:
        reply = self.login(name, pin)
        assert reply.ok, reply.text
        return reply.session

    def audit(self) -> list[Entry]:
        reader = LedgerReader(self.paths.ledger)
        try:
            return reader.audit()
        finally:
            reader.close()

    def noted(self) -> list[tuple[str, str]]:
        """Who and what, of every entry."""
        return [(entry.who, entry.action) for entry in self.audit()]

    def last(self) -> dict[str, str]:
        """The newest entry's detail."""
        return msgspec.json.decode(self.audit()[-1].detail, type=dict[str, str])

    def errands(self) -> list[ErrandOrder]:
        return [each for each in self.workshop.heard if isinstance(each, ErrandOrder)]

    def asked_for(self) -> list[tuple[str, str]]:
        """Recipe and lot that detect was asked for."""
        return [(m.recipe, m.lot) for m in self.detect.heard if isinstance(m, SwitchRecipe)]

    def alarm(self, code: str = "camera") -> int:
        """An alarm that stands; its number."""
        self.alarms.raise_(code, "capture-cam0", Severity.ALARM, "no frame", self.clock.wall_ns())
        return self.alarms.shown()[0].id
