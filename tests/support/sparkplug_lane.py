"""The Sparkplug lane in the test's own thread: a real ledger and a real door, a broker that says
what the test has it say, and a clock that moves when told to."""

import logging
from collections import deque
from pathlib import Path
from typing import Any, cast

import msgspec

from inspector.core.clock import SECOND, ManualClock
from inspector.core.config_mqtt import Publish, Sparkplug
from inspector.core.messages import Departed, Event, LaneAt
from inspector.core.orders import ReviewPart
from inspector.core.wire import AnyMessage
from inspector.devices.broker import Broker, Down, Happening, Heard, Up
from inspector.devices.bus import Outlet
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.domain.egress.letter import Letter
from inspector.domain.egress.sparkplug import SparkplugMessage
from inspector.services.publish.door import Door
from inspector.services.publish.lane import Context
from inspector.services.publish.sparkplug import SparkplugLane
from inspector.services.publish.teller import Teller

from .publishing import BEGIN_S, DEVICE, line_status, outcome

NCMD, STATE = "spBv1.0/plant/NCMD/cell7", "spBv1.0/STATE/scada"
REBIRTH = bytes.fromhex("121a0a144e6f646520436f6e74726f6c2f52656269727468200b7001")
TURN_MS = 100


class DirectRecord:
    """Record without a process: what is told is committed at once, unless it is `deaf`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.departed: list[Departed] = []
        self.events: list[Event] = []
        self.deaf = False
        self.begin()

    def begin(self) -> None:
        """Open the ledger that is there, or a new one."""
        self.ledger = Ledger(self._path, 1, 0, BEGIN_S * SECOND)
        self._parts = 0

    def send(self, message: AnyMessage) -> bool:
        if self.deaf:
            return False
        if isinstance(message, Departed):
            self.departed.append(message)
            self.ledger.commit([], departed=[message])
        elif isinstance(message, LaneAt):
            self.ledger.commit([], lanes=[message])
        elif isinstance(message, Event):
            self.events.append(message)
        return True

    def windows(self, count: int) -> None:
        """Commit `count` windows of one part each, and count them."""
        now = (BEGIN_S + self._parts) * SECOND
        for _ in range(count):
            self.ledger.commit([(outcome(self._parts, "L1", now), False)], wall_ns=now)
            self._parts += 1
            now += SECOND
        self._close(now)

    def find_bad(self, seq: int) -> None:
        """A person finds this part bad, and its window is counted again."""
        review = ReviewPart(stream="f" * 32, seq=seq, verdict="fail", defect_class="scratch")
        now = (BEGIN_S + self._parts) * SECOND
        self.ledger.review(review, "anna", "", now)
        self._close(now)

    def _close(self, now: int) -> None:
        while self.ledger.close_windows(now + 60 * SECOND, grace_s=1.0):
            pass


class ScriptedBroker:
    """Hands over what the test has put in, and keeps what it gets."""

    def __init__(self) -> None:
        self.happenings: deque[Happening] = deque()
        self.sent: list[Letter] = []
        self.closed: list[Letter | None] = []

    def poll(self, _timeout_s: float) -> Happening | None:
        return self.happenings.popleft() if self.happenings else None

    def publish(self, letter: Letter) -> int:
        self.sent.append(letter)
        return len(self.sent)

    def close(self, farewell: Letter | None = None, with_will: bool = False) -> None:
        self.closed.append(farewell)


class Bench:
    """The lane and all that it touches."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.clock = ManualClock(mono=1000 * SECOND)
        self.record = DirectRecord(folder / "ledger.db")
        self.reader = LedgerReader(folder / "ledger.db")
        self.brokers: list[ScriptedBroker] = []
        self.speaking = True
        self.line: dict[str, Any] = {}
        publish = Publish(host="broker", **settings.pop("publish", {}))
        outlet = cast(Outlet, self.record)
        log = logging.getLogger("sparkplug")
        teller = Teller(outlet, log, self.clock)
        self.door = Door(outlet, self.reader, teller, self.clock)
        context = Context(DEVICE, publish, self.reader, outlet, self.door, teller, self.clock)
        names = Sparkplug(group="plant", node="cell7", **settings)
        self.lane = SparkplugLane(context, names, "id", self._connect)

    @property
    def broker(self) -> ScriptedBroker:
        return self.brokers[-1]

    @property
    def sent(self) -> list[SparkplugMessage]:
        """What has left over the present connection's broker."""
        return [read(letter) for letter in self.broker.sent]

    def verbs(self) -> list[str]:
        return [message.verb.value for message in self.sent]

    def rows(self, historical: bool) -> list[int]:
        return [
            int(str(group.values["Window/Row"]))
            for message in self.sent
            for group in message.groups
            if message.verb == "DDATA"
            and "Window/Row" in group.values
            and group.historical is historical
        ]

    def turns(self, seconds: float = 1.0) -> "Bench":
        """Let the lane go on for so long."""
        for _ in range(max(1, int(seconds * 1000 / TURN_MS))):
            self.clock.advance_ms(TURN_MS)
            now = self.clock.monotonic_ns()
            if self.speaking:
                self.lane.hear(line_status(wall_ns=self.clock.wall_ns(), **self.line))
            self.door.look(now)
            self.lane.turn(now)
            self.door.tell(now)
        return self

    def up(self, **more: Any) -> "Bench":
        """The broker asks for the will, and takes the node."""
        self.turns(0.5)
        self.will()
        self.broker.happenings.append(Up(20, **more))
        return self.turns()

    def will(self) -> Letter:
        return self.lane._deaths.will()

    def down(self) -> "Bench":
        self.broker.happenings.append(Down("broker:8883: the connection broke"))
        return self.turns()

    def hears(self, topic: str, payload: bytes, retained: bool = False) -> "Bench":
        self.broker.happenings.append(Heard(topic, payload, retained))
        return self.turns(0.1)

    def close(self) -> None:
        self.reader.close()
        self.record.ledger.close()

    def _connect(self) -> Broker:
        self.brokers.append(ScriptedBroker())
        return cast(Broker, self.broker)


def read(letter: Letter) -> SparkplugMessage:
    """The message as its text says it."""
    return msgspec.json.decode(letter.text, type=SparkplugMessage)
