"""publish: the only process with the network. Sends committed totals to the plant's broker.

Promises: every totals row of the ledger reaches the broker at least once, oldest first, or is set
aside with a reason; `(device, stream, seq)` lets a receiver count it once. Every message stands in
the ledger word for word before it goes: record is told, and nothing leaves until record has
committed it. Whatever the network does, the line does not notice, and the rows wait in the ledger.
Never: opens the ring or the evidence, writes the ledger, or sends anything but `egress.Payload`.
"""

import logging
import sys
import time
from contextlib import ExitStack, closing
from logging import Logger

from inspector.core.clock import SECOND, Clock, SystemClock
from inspector.core.config import StationConfig
from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.messages import Event
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.terms import Severity
from inspector.core.topology import HEARTBEAT_S, MESSAGES
from inspector.devices.broker import Broker, Down, Happening, Result, Up
from inspector.devices.bus import Bus, Outlet
from inspector.devices.host import Turning, options, serve
from inspector.devices.ledger import LedgerReader
from inspector.domain import egress
from inspector.domain.departures import Departures
from inspector.domain.outbox import Outbox
from inspector.domain.tally import TotalsRow

LOOK_NS = SECOND // 5  # between two looks into a ledger that had nothing new
TURN_S = 0.1
FAREWELL_S = 1.0  # at the end, wait so long for what is on its way


class Teller:
    """Tells a person a thing once, until it changes: on the log at once, and as an event to record
    as soon as record is there to hear it."""

    def __init__(self, record: Outlet, log: Logger, clock: Clock) -> None:
        self._record = record
        self._log = log
        self._clock = clock
        self._said: dict[str, str] = {}
        self._unheard: dict[str, Event] = {}

    def tell(self, severity: Severity, code: str, text: str, topic: str = "") -> None:
        """Say `text` unless it was the last thing said of `topic` (or of `code`)."""
        topic = topic or code
        if self._said.get(topic) == text:
            return
        self._said[topic] = text
        self._log.log(logging.INFO if severity is Severity.INFO else logging.WARNING, text)
        wall = self._clock.wall_ns()
        event = Event(service="publish", severity=severity, code=code, text=text, wall_ns=wall)
        self._unheard.pop(topic, None)
        if not self._record.send(event):
            self._unheard[topic] = event

    def again(self) -> None:
        """Say to record what it has not heard; of each topic the newest."""
        for topic, event in list(self._unheard.items()):
            if self._record.send(event):
                del self._unheard[topic]


class Publisher:
    """The process: from the ledger to the broker, and the answers back to record."""

    def __init__(
        self,
        device: egress.Device,
        broker: Broker,
        reader: LedgerReader,
        record: Outlet,
        teller: Teller,
        clock: Clock,
    ) -> None:
        self._device = device
        self._broker = broker
        self._reader = reader
        self._record = record
        self._teller = teller
        self._clock = clock
        now = clock.monotonic_ns()
        self._outbox = Outbox()
        self._departures = Departures(self._topic)
        self._allowance = egress.rate_limit(now)
        self._pulse = Pulse("publish", now, HEARTBEAT_S)
        self._sent_ns: dict[int, int] = {}
        self._state, self._note = "starting", ""
        self._look_ns = now

    def turn(self) -> bool:
        """One round of the loop; waits at most TURN_S for the broker."""
        happening = self._broker.poll(TURN_S)
        while happening:
            self._take(happening)
            happening = self._broker.poll(0)
        self._send()
        self._mark()
        self._teller.again()
        now = self._clock.monotonic_ns()
        if self._pulse.due(now):
            queue = self._outbox.on_the_way + self._outbox.unmarked
            self._record.send(self._pulse.beat(now, self._state, queue, self._note))
        return True

    def stop(self) -> None:
        """Wait a moment for the answers still to come, so that less is sent twice."""
        self._outbox.in_flight = 0
        until = time.monotonic() + FAREWELL_S
        while self._outbox.on_the_way and time.monotonic() < until:
            self.turn()

    def _take(self, happening: Happening) -> None:
        match happening:
            case Up(in_flight):
                self._outbox.connected(in_flight)
                self._state, self._note = "running", ""
                self._tell_line(Severity.INFO, "broker_up", "connected to the broker")
            case Down(text):
                self._outbox.in_flight = 0
                self._state, self._note = "degraded", text
                self._tell_line(Severity.WARNING, "broker_down", text)
            case Result():
                self._take_result(happening)

    def _take_result(self, result: Result) -> None:
        now, token = self._clock.monotonic_ns(), result.token
        sent_ns = self._sent_ns.pop(token, now)
        match result.status:
            case "acked":
                self._outbox.acked(token, now)
                self._pulse.took(now - sent_ns)
                self._heard(result)
            case "refused":
                self._outbox.refused(token, now)
                text = f"the broker refuses totals: {result.detail}; mend its access list"
                self._state, self._note = "degraded", text
                self._teller.tell(Severity.WARNING, "publish_refused", text, "answers")
            case "oversize":
                self._outbox.oversize(token, result.detail, now)
                self._tell_aside(result.detail)
            case "broke":
                if self._outbox.broke(token, result.detail, now):
                    self._tell_aside(result.detail)
            case "timeout" | "lost":
                self._outbox.lost(token)

    def _heard(self, result: Result) -> None:
        """The broker took it; whether anybody reads it is another question."""
        self._state, self._note = "running", result.detail
        if result.detail:
            text = f"the broker takes the totals, but {result.detail} {self._topic}"
            self._teller.tell(Severity.WARNING, "publish_unread", text, "answers")
        else:
            self._teller.tell(Severity.INFO, "publish_taken", "the broker takes totals", "answers")

    def _send(self) -> None:
        now = self._clock.monotonic_ns()
        if now < self._look_ns:
            return
        pending = self._pending()
        if pending is None:
            return
        chosen = self._outbox.choose(pending, now)
        self._departures.follow(self._outbox.ledger, {row.row for row in pending})
        self._announce(chosen, now)
        self._let_go(chosen, now)
        if not chosen:
            self._look_ns = now + LOOK_NS

    def _announce(self, chosen: list[TotalsRow], now: int) -> None:
        """Tell record what is about to leave; while it does not hear, nothing leaves."""
        for row in chosen:
            if self._departures.knows(row.row):
                continue
            if not self._allowance.take(now):
                break
            try:
                payload = egress.to_payload(egress.totals_of(self._device, row))
            except EngineerError as error:
                self._outbox.set_aside(row.row, str(error), now)
                self._tell_aside(str(error))
                continue
            self._departures.announce(row.row, payload, self._clock.wall_ns())
        for message in self._departures.due(now):
            if not self._record.send(message):
                return
            self._departures.told(message, now)

    def _let_go(self, chosen: list[TotalsRow], now: int) -> None:
        """Send what is on record by now."""
        if waiting := self._departures.waiting:
            try:
                self._departures.logged(self._reader.logged(waiting))
            except MaintainerError as error:
                self._unread(error)
        for row in chosen:
            if (payload := self._departures.clear(row.row)) is not None:
                token = self._broker.publish(payload)
                self._outbox.sent(token, row)
                self._sent_ns[token] = now

    def _pending(self) -> list[TotalsRow] | None:
        """None when the ledger cannot be read: that says nothing of what it has marked."""
        try:
            return self._reader.pending(self._outbox.look_at)
        except MaintainerError as error:
            self._unread(error)
            return None

    def _unread(self, error: MaintainerError) -> None:
        self._look_ns = self._clock.monotonic_ns() + SECOND
        self._teller.tell(Severity.INFO, "ledger_unread", str(error))

    def _mark(self) -> None:
        now = self._clock.monotonic_ns()
        for message in self._outbox.marks(now):
            if not self._record.send(message):
                return  # record is away; what it has not marked is told again
            self._outbox.told(message, now)

    def _tell_line(self, severity: Severity, code: str, text: str) -> None:
        self._teller.tell(severity, code, text, "line")

    def _tell_aside(self, why: str) -> None:
        self._teller.tell(Severity.ALARM, "totals_set_aside", f"a totals row is set aside: {why}")

    @property
    def _topic(self) -> str:
        return egress.topic_of(self._device)


class Idle:
    """Without a broker: only says so, once a second."""

    def __init__(self, record: Outlet, clock: Clock) -> None:
        self._record = record
        self._clock = clock
        self._pulse = Pulse("publish", clock.monotonic_ns(), HEARTBEAT_S)

    def turn(self) -> bool:
        time.sleep(TURN_S)
        if self._pulse.due(now := self._clock.monotonic_ns()):
            self._record.send(
                self._pulse.beat(now, "off", note="no [publish] in the configuration")
            )
        return True

    def stop(self) -> None:
        """Nothing is on its way."""


def main(argv: list[str] | None = None) -> int:
    """Publish until a signal. Returns the exit code."""
    root = options("publish", __doc__).parse_args(argv).root
    return serve("publish", root, _build, writes=False)


def _build(config: StationConfig, paths: Paths, stack: ExitStack) -> Turning:
    log, clock = logging.getLogger("publish"), SystemClock()
    record = stack.enter_context(Bus()).outlet(paths.socket("record"), MESSAGES)
    if config.publish is None:
        log.info("%s has no [publish]: totals stay on the station", paths.station_file)
        return Idle(record, clock)
    device = egress.device_of(config.station)
    names = (device.enterprise, device.site, device.area, device.line, device.cell)
    reader = stack.enter_context(closing(LedgerReader(paths.ledger)))
    identity = ".".join(("inspector", *names))
    broker = stack.enter_context(Broker(config.publish, egress.topic_of(device), identity))
    return Publisher(device, broker, reader, record, Teller(record, log, clock), clock)


if __name__ == "__main__":
    sys.exit(main())
