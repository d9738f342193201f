"""The lane of Sparkplug B 3.0: births, the line and its totals to SCADA hosts, over a connection of
its own.

Promises: as `domain.sparkplug`; a totals row is told live to a host that is there, and as history
to one that was not. What leaves has come through the door, in the order of its sequence numbers.
Of all that comes in, the primary host's STATE and a rebirth are heeded.
Never: counts a row as heard because it was written: QoS 0, which Sparkplug prescribes, answers
nothing. The JSON totals are the record of truth.
"""

import threading
from collections.abc import Callable
from typing import Literal

from inspector.core.clock import SECOND
from inspector.core.config_mqtt import Sparkplug
from inspector.core.errors import MaintainerError
from inspector.core.live import LineStatus
from inspector.core.messages import LaneAt
from inspector.core.terms import Severity
from inspector.devices.broker import Broker, Down, Happening, Heard, Result, Subscription, Up
from inspector.devices.sparkplug import decode_command
from inspector.domain.egress.letter import Letter
from inspector.domain.rate_limit import RateLimit
from inspector.domain.sparkplug.command import judge
from inspector.domain.sparkplug.host import PrimaryHost, read_state
from inspector.domain.sparkplug.names import Names
from inspector.domain.sparkplug.node import Node, Phase
from inspector.domain.sparkplug.rows import Rows
from inspector.services.publish.lane import Context
from inspector.services.publish.sparkplug_deaths import Deaths
from inspector.services.publish.sparkplug_speech import Speech

ROWS: Literal["sparkplug"] = "sparkplug"  # in the ledger: how far the rows are told
AT_ONCE = 1000  # happenings of one turn
SILENT_NS = 30 * SECOND  # record has said nothing of the line for so long: the line is lost
MARK_NS = SECOND  # between two words to record of how far the rows are told
PINGS = 2  # intervals of keepalive after which a connection that stands has carried all
AGAIN_BURST, AGAIN_NS = 3, 10 * SECOND  # how often a host may send us away

Connect = Callable[[], Broker]


class SparkplugLane:
    """One node with one device. `stop` is the last call."""

    def __init__(
        self, context: Context, settings: Sparkplug, identity: str, connect: Connect | None = None
    ) -> None:
        """identity: of this connection at the broker. connect: makes it, in tests."""
        now = context.clock.monotonic_ns()
        self._context = context
        self._names = Names(settings)
        self._identity = identity
        self._connect = connect or self._broker_of_settings
        self._deaths = Deaths(context, self._names)
        self._node = Node(PrimaryHost() if settings.primary_host else None)
        self._rows = Rows(PINGS * context.settings.keepalive_s * SECOND)
        self._speech = Speech(context, self._names, self._node, self._rows)
        self._again = RateLimit(AGAIN_BURST, AGAIN_NS, now)
        self._broker: Broker | None = None
        self._leaving: threading.Thread | None = None
        self._stopped = False
        self._heard_line_ns = now - SILENT_NS
        self._mark_ns = now
        self._marked = 0

    @property
    def state(self) -> str:
        """For a person: what the lane is at."""
        phase = self._node.phase(self._context.clock.monotonic_ns())
        refused = f", {self._node.refused} commands refused" if self._node.refused else ""
        return f"Sparkplug {phase.value}{refused}"

    def hear(self, status: LineStatus) -> None:
        """The line as record sees it."""
        self._heard_line_ns = self._context.clock.monotonic_ns()
        self._speech.line = status

    def turn(self, now: int) -> bool:
        if self._stopped:
            return False
        self._deaths.turn(now)
        self._stay_connected(now)
        self._listen()
        self._node.line(now - self._heard_line_ns < SILENT_NS)
        self._follow(now)
        return self._speak(now)

    def stop(self) -> None:
        """Say the NDEATH and go, which in MQTT v5 has the broker say it too
        (tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath,
        tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50)."""
        self._stopped = True
        if self._broker and self._node.phase(0) is not Phase.AWAY:
            self._broker.close(self._deaths.farewell, with_will=True)

    def _broker_of_settings(self) -> Broker:
        # A clean start and a session that ends with the connection, and a will without delay
        # (tck-id-principles-persistence-clean-session-50).
        return Broker(
            self._context.settings,
            self._identity,
            self._deaths.will,
            tuple(Subscription(topic) for topic in self._names.heard),
            will_delay=False,
        )

    def _stay_connected(self, now: int) -> None:
        if self._leaving and not self._leaving.is_alive():
            self._leaving = None
        if self._broker is None and self._leaving is None and self._again.take(now):
            self._broker = self._connect()

    def _listen(self) -> None:
        for _ in range(AT_ONCE):
            happening = self._broker.poll(0) if self._broker else None
            if happening is None:
                return
            self._take(happening)

    def _take(self, happening: Happening) -> None:
        match happening:
            case Up():
                self._node.connected(self._deaths.used())
                self._tell_up(happening)
            case Down():
                self._lose()
                text = f"Sparkplug: {happening.text}"
                self._tell(Severity.WARNING, "sparkplug_down", text)
            case Heard():
                self._heed(happening)
            case Result():
                self._answer(happening)

    def _heed(self, heard: Heard) -> None:
        if heard.topic == self._names.state:
            if state := read_state(heard.payload):
                self._node.host_says(state)
        elif heard.topic == self._names.command:
            self._node.told(judge(decode_command(heard.payload), heard.retained))
            if self._node.refused:
                text = "a Sparkplug host asks for more than a rebirth; that is refused"
                self._context.teller.tell(Severity.INFO, "sparkplug_command", text)

    def _answer(self, result: Result) -> None:
        if result.status in ("oversize", "refused"):
            text = f"the broker does not take a Sparkplug message: {result.detail}"
            self._tell(Severity.WARNING, "sparkplug_down", text)

    def _follow(self, now: int) -> None:
        """Keep to the ledger that is there, and tell record how far its rows are told."""
        self._rows.settle(now)
        if now < self._mark_ns:
            return
        self._mark_ns = now + MARK_NS
        reader, rows = self._context.reader, self._rows
        try:
            ledger = reader.ledger_id()
            if rows.follow(ledger, reader.lane(ROWS) if ledger != rows.ledger else 0):
                self._speech.drop()
                self._node.renew()
                self._marked = rows.through
            if rows.through != self._marked or reader.lane(ROWS) < rows.through:
                mark = LaneAt(ledger=ledger, lane=ROWS, through=rows.through)
                self._marked = rows.through if self._context.record.send(mark) else self._marked
        except MaintainerError as error:
            self._context.teller.tell(Severity.INFO, "ledger_unread", str(error))

    def _speak(self, now: int) -> bool:
        phase = self._node.phase(now)
        if phase is Phase.LEAVING:
            self._leave()
            return False
        if phase is Phase.HELD:
            self._speech.drop()
        if phase not in (Phase.BIRTH, Phase.ONLINE) or not self._rows.ledger:
            return False
        if not self._deaths.told:
            return False
        busy = self._speech.turn(phase is Phase.BIRTH, now)
        for letter in self._speech.cleared(now):
            self._publish(letter)
        return busy

    def _publish(self, letter: Letter) -> None:
        if self._broker:
            self._broker.publish(letter)

    def _leave(self) -> None:
        """NDEATH, disconnect, and begin again
        (tck-id-message-flow-edge-node-birth-publish-phid-offline). Another thread waits for it."""
        broker, self._broker = self._broker, None
        farewell = self._deaths.farewell
        self._lose()
        if broker:
            self._leaving = threading.Thread(
                target=broker.close, args=(farewell, True), name="sparkplug-leaves", daemon=True
            )
            self._leaving.start()

    def _lose(self) -> None:
        self._speech.drop()
        self._rows.silence()
        self._node.disconnected()

    def _tell_up(self, up: Up) -> None:
        if up.denied:
            topics = ", ".join(up.denied)
            text = f"Sparkplug: the broker does not let us hear {topics}; mend its access list"
            self._tell(Severity.WARNING, "sparkplug_down", text)
        else:
            self._tell(Severity.INFO, "sparkplug_up", "Sparkplug: connected to the broker")

    def _tell(self, severity: Severity, code: str, text: str) -> None:
        self._context.teller.tell(severity, code, text, "sparkplug")
