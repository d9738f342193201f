"""publish as a process, with what stands on both sides of it: record, as far as publish needs it,
and someone at the plant."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from inspector.core.clock import SECOND
from inspector.core.live import LineState, LineStatus
from inspector.core.messages import Delivered, Departed, Event, Heartbeat, Outcome
from inspector.core.paths import Paths
from inspector.core.terms import Cause, Kind, Lane, Mode, Timing
from inspector.core.topology import MESSAGES
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Bus, Inbox
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.devices.ledger.backup import Backup, Wanted, make_backup
from inspector.devices.ledger.restore import prepare, put_in_place, set_aside

from .stations import write_station

DEVICE = "enterprise/site/area/line/cell"
ROOT = f"{DEVICE}/vision/v1"
TOTALS, STATE, EVENTS = f"{ROOT}/totals", f"{ROOT}/state", f"{ROOT}/events"
BEGIN_S = 1_700_000_000
PATIENCE_S = 40.0


class Record:
    """What record is to publish: the ledger's writer and an inbox."""

    def __init__(self, paths: Paths, bus: Bus) -> None:
        self.paths = paths
        self.ledger = Ledger(paths.ledger, 1, 0, BEGIN_S * SECOND)
        self.inbox: Inbox = bus.inbox(paths.socket("record"), depth=MESSAGES)
        self.publish = bus.outlet(paths.socket("publish"), 4)
        self.delivered: list[Delivered] = []
        self.departed: list[Departed] = []
        self.events: list[Event] = []
        self.beats: list[Heartbeat] = []
        self.logging = True  # carry out what publish tells of as leaving
        self._parts = 0

    def windows(self, count: int, lot: str = "L1") -> None:
        """Commit `count` windows of two parts each, and count them."""
        now = (BEGIN_S + self._parts) * SECOND
        for _ in range(count):
            good = outcome(self._parts, lot, now)
            bad = outcome(self._parts + 1, lot, now, Kind.FAULT, Cause.LATE)
            self.ledger.commit([(good, False), (bad, False)], wall_ns=now)
            self._parts += 2
            now += 2 * SECOND
        while self.ledger.close_windows(now + 60 * SECOND, grace_s=1.0):
            pass

    def begin_anew(self) -> None:
        """A new ledger takes the place of the old one, as after damage."""
        self.ledger.close()
        for path in self.paths.state.glob("ledger.db*"):
            path.unlink()
        self.ledger = Ledger(self.paths.ledger, 1, 0, BEGIN_S * SECOND)

    def back_up(self) -> Backup:
        """Of the ledger as it is now."""
        return make_backup(self.paths.backups, Wanted(self.paths.ledger, {}, (), "1"), self._now, 9)

    def restore(self, backup: Backup) -> None:
        """As with the station stopped, for a moment."""
        self.ledger.close()
        prepare(self.paths.ledger, backup, self._now)
        set_aside(self.paths.ledger, "before-restore", self._now)
        put_in_place(self.paths.ledger, self._now)
        self.ledger = Ledger(self.paths.ledger, 1, 0, BEGIN_S * SECOND)

    @property
    def _now(self) -> int:
        return (BEGIN_S + self._parts) * SECOND

    def turn(self, marking: bool = True) -> None:
        """Take what has come; carry the marks out as record does, unless not `marking`."""
        self.inbox.wait(20)
        departed: list[Departed] = []
        delivered: list[Delivered] = []
        for message, _ in self.inbox.drain():
            if isinstance(message, Departed):
                departed.append(message)
            elif isinstance(message, Delivered):
                delivered.append(message)
            else:
                self._note(message)
        self.delivered += delivered
        if departed and self.logging:
            self.departed += departed
            self.ledger.commit([], departed=departed)
        if delivered and marking:
            self.ledger.commit([], delivered=delivered, wall_ns=BEGIN_S * SECOND)

    def until(self, reached: Callable[[], object], marking: bool = True) -> None:
        limit = time.monotonic() + PATIENCE_S
        while not reached():
            assert time.monotonic() < limit, (self.events, self.beats[-1:], self.delivered[-3:])
            self.turn(marking)

    def for_s(self, seconds: float) -> None:
        """Go on for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.turn()

    def said(self, code: str) -> list[str]:
        return [event.text for event in self.events if event.code == code]

    def tell(self, **changes: Any) -> None:
        """Tell publish how the line is."""
        until = time.monotonic() + PATIENCE_S
        while not self.publish.send(line_status(**changes)):
            assert time.monotonic() < until
            self.turn()

    def pending(self) -> int:
        with closing(LedgerReader(self.paths.ledger)) as reader:
            return reader.pending_count()

    def marked(self, status: str = "delivered") -> list[int]:
        """The rows that publish has told with this status, in its order."""
        return [
            row
            for one in self.delivered
            for row in one.rows
            if one.lane == "totals" and one.status == status
        ]

    def close(self) -> None:
        self.ledger.close()

    def _note(self, message: AnyMessage) -> None:
        if isinstance(message, Event):
            self.events.append(message)
        elif isinstance(message, Heartbeat):
            self.beats.append(message)


def line_status(**changes: Any) -> LineStatus:
    fields: dict[str, Any] = {
        "wall_ns": BEGIN_S * SECOND,
        "state": LineState.RUNNING,
        "why": "running",
        "mode": Mode.INSPECT,
        "recipe": "plain",
        "lot": "L1",
        "model": "tiny@0123456789ab",
        "services": (),
        "alarms": (),
    }
    return LineStatus(**(fields | changes))


def outcome(
    seq: int, lot: str, wall_ns: int, kind: Kind = Kind.PASS, cause: Cause | None = None
) -> Outcome:
    return Outcome(
        number=seq,
        camera="cam0",
        stream="f" * 32,
        seq=seq,
        trigger_wall_ns=wall_ns,
        kind=kind,
        cause=cause,
        reason="",
        lane=Lane.ACCEPT if kind is Kind.PASS else Lane.REJECT,
        score=0.5,
        boxes=(),
        heatmap=None,
        model="tiny@0123456789ab",
        recipe="plain",
        lot=lot,
        latency_us=12_345,
        timing=Timing(),
        frame=None,
        source="",
    )


def configure(paths: Paths, port: int | None, **settings: object) -> None:
    """A station with this [publish]; `port` None: without."""
    table: Mapping[str, object] = {"host": "127.0.0.1", "tls": False, "port": port, **settings}
    write_station(paths, {"path": "."}, {"publish": table} if port else {})


@contextmanager
def publishing(
    paths: Paths, port: int | None, **settings: object
) -> Iterator["subprocess.Popen[str]"]:
    """The service as its own process; `port` None: a station without a broker."""
    configure(paths, port, **settings)
    with started(paths) as process:
        yield process


# As somebody else, who need not be able to reach this Python: all it loads is loaded before.
AS_USER = """
import encodings.idna, os, sys
from inspector.services.publish.process import main
os.setgroups([]), os.setgid({0}), os.setuid({0})
sys.exit(main(sys.argv[1:]))
"""


@contextmanager
def started(paths: Paths, user: int | None = None) -> Iterator["subprocess.Popen[str]"]:
    """The service, as the station is configured; as another `user` where one is given."""
    program = ["-c", AS_USER.format(user)] if user else ["-m", "inspector.services.publish"]
    process = subprocess.Popen(
        [sys.executable, *program, "--root", str(paths.config.parent)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def stopped(process: "subprocess.Popen[str]", record: Record | None = None) -> str:
    """What it wrote, after an orderly end, during which `record` goes on."""
    process.send_signal(signal.SIGTERM)
    if record:
        record.until(lambda: process.poll() is not None)
    _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, log
    return log


def rows_of(payloads: list[bytes]) -> list[int]:
    return [json.loads(payload)["seq"] for payload in payloads]


@dataclass(frozen=True)
class Message:
    """One message as it came from the broker."""

    topic: str
    payload: bytes
    retained: bool
    expiry_s: int | None
    correlation: bytes
    content_type: str

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


@dataclass
class Plant:
    """Someone at the plant: hears everything below the station's root, and can speak."""

    port: int
    topic: str = f"{ROOT}/#"
    messages: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            self.topic, options=SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
        )
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _c, _u, message: self._take(message)
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)

    def of(self, level: str) -> list[Message]:
        """What came on this topic below the station's root, in its order."""
        return [one for one in list(self.messages) if one.topic == f"{ROOT}/{level}"]

    def states(self) -> list[str]:
        return [one.json["online"] for one in self.of("state")]

    def rows(self) -> list[int]:
        return [one.json["seq"] for one in self.of("totals")]

    def say(self, level: str, payload: bytes, retain: bool = False, **properties: Any) -> None:
        """Publish something below the station's root; `properties` by paho's names."""
        more = Properties(PacketTypes.PUBLISH)
        for name, value in properties.items():
            setattr(more, name, value)
        sent = self._client.publish(f"{ROOT}/{level}", payload, 1, retain, more)
        sent.wait_for_publish(PATIENCE_S)

    def acknowledge(self, stream: str, through: int, retain: bool = False) -> None:
        word = {"schema": 1, "stream": stream, "through_seq": through}
        self.say("ack", json.dumps(word).encode(), retain)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, message: mqtt.MQTTMessage) -> None:
        more = message.properties
        self.messages.append(
            Message(
                message.topic,
                message.payload,
                message.retain,
                getattr(more, "MessageExpiryInterval", None),
                getattr(more, "CorrelationData", b""),
                getattr(more, "ContentType", ""),
            )
        )


@contextmanager
def plant(port: int) -> Iterator[Plant]:
    with closing(Plant(port)) as one:
        yield one
