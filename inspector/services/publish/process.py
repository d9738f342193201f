"""publish: the only process with the network. Sends totals, state and events to the plant's broker.

Promises: every totals row of the ledger reaches the broker at least once, or is set aside with a
reason; every message stands in the ledger word for word before it goes, the will and the farewell
too. Whatever the network does, the line does not notice, and the rows wait in the ledger.
Never: opens the ring or the evidence (in production it ends where it could), writes the ledger,
or sends anything that has not come through the door.
"""

import logging
import os
import time
from contextlib import ExitStack, closing

from inspector.core.clock import Clock, SystemClock
from inspector.core.config import StationConfig
from inspector.core.errors import MaintainerError
from inspector.core.live import LineStatus
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.terms import Severity
from inspector.core.topology import CONTROL, HEARTBEAT_S, MESSAGES, STATES, capture
from inspector.devices.broker import Broker, Subscription
from inspector.devices.bus import Bus, Inbox, Outlet
from inspector.devices.host import Turning, options, serve
from inspector.devices.ledger import LedgerReader
from inspector.domain.egress.state import Outgoing
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.words import device_id
from inspector.services.publish.door import Door
from inspector.services.publish.health import Health
from inspector.services.publish.isolation import Isolation
from inspector.services.publish.lane import Context
from inspector.services.publish.lanes import Lanes, assemble, identity
from inspector.services.publish.last_words import FAREWELL, WILL, LastWords
from inspector.services.publish.link import Link
from inspector.services.publish.teller import Teller
from inspector.services.publish.totals import LANE

IDLE_S = 0.05  # waits so long for the broker when there is nothing to do
SOON_S = 0.004  # or so long when record is about to commit what is to leave
NICE = 10  # a backlog that drains must not cost the line its deadline
FAREWELL_S = 1.0  # at the end, wait so long for what is on its way


class Publisher:
    """The process: its lanes in their turn, by priority."""

    def __init__(
        self, context: Context, link: Link, lanes: Lanes, last_words: LastWords, inbox: Inbox
    ) -> None:
        self._context = context
        self._link = link
        self._lanes = lanes
        self._last_words = last_words
        self._inbox = inbox
        self._pulse = Pulse("publish", context.clock.monotonic_ns(), HEARTBEAT_S)
        self._health = Health(context.reader)
        self._busy = True
        link.took = self._pulse.took
        last_words.offer(WILL, lanes.state.will)

    def turn(self) -> bool:
        """One round of the loop; waits for the broker only when there is nothing to do."""
        context = self._context
        soon = context.door.expects(context.clock.monotonic_ns())
        self._link.turn(0 if self._busy else SOON_S if soon else IDLE_S)
        self._hear_record()
        now = context.clock.monotonic_ns()
        context.door.look(now)
        self._last_words.turn()
        self._busy = False
        for lane in self._lanes.by_priority:
            self._busy |= lane.turn(now)
        context.door.tell(now)
        context.teller.again()
        if self._pulse.due(now):
            self._beat(now)
        return True

    def stop(self) -> None:
        """Say farewell, and wait a moment for the answers still to come, so that less is sent
        twice. Where the farewell does not come on record, the broker tells the will."""
        self._lanes.totals.stop()
        if self._link.connected:
            self._last_words.offer(FAREWELL, self._lanes.state.farewell)
        until = time.monotonic() + FAREWELL_S
        while self._unfinished and time.monotonic() < until:
            self.turn()
        if farewell := self._last_words.farewell:
            self._link.close(farewell)
        if self._lanes.sparkplug:
            self._lanes.sparkplug.stop()

    @property
    def _unfinished(self) -> bool:
        farewell = self._link.connected and self._last_words.farewell is None
        return farewell or self._link.on_the_way > 0

    def _hear_record(self) -> None:
        for message, _ in self._inbox.drain(STATES):
            if isinstance(message, LineStatus):
                self._lanes.state.hear(message)
                if self._lanes.sparkplug:
                    self._lanes.sparkplug.hear(message)

    def _beat(self, now: int) -> None:
        state, note = self._link.state
        self._context.record.send(self._pulse.beat(now, state, self._waiting(), note))

    def _waiting(self) -> int:
        """Totals rows that wait to be delivered; the state tells of them too."""
        reader, totals = self._context.reader, self._lanes.totals
        try:
            waiting, events = reader.pending_count(), reader.notices_pending()
            outgoing = Outgoing(waiting=waiting, set_aside=totals.set_aside, events=events)
            box = self._health.look(self._context.clock.wall_ns())
            self._lanes.state.know(outgoing, reader.ledger_id(), box)
        except MaintainerError as error:
            self._context.teller.tell(Severity.INFO, "ledger_unread", str(error))
            return totals.box.underway + len(totals.box.marks)
        return waiting


class Idle:
    """Without a broker: only says so, once a second."""

    def __init__(self, record: Outlet, clock: Clock) -> None:
        self._record = record
        self._clock = clock
        self._pulse = Pulse("publish", clock.monotonic_ns(), HEARTBEAT_S)

    def turn(self) -> bool:
        time.sleep(2 * IDLE_S)
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
    return serve("publish", root, _build)


def _build(config: StationConfig, paths: Paths, stack: ExitStack) -> Turning:
    os.nice(NICE)
    log, clock = logging.getLogger("publish"), SystemClock()
    bus = stack.enter_context(Bus())
    record = bus.outlet(paths.socket("record"), MESSAGES)
    if config.publish is None:
        log.info("%s has no [publish]: totals stay on the station", paths.station_file)
        return Idle(record, clock)
    teller = Teller(record, log, clock)
    isolation = Isolation(paths, config.production, teller)
    isolation.require()
    reader = stack.enter_context(closing(LedgerReader(paths.ledger)))
    door = Door(record, reader, teller, clock)
    captures = [capture(camera.name) for camera in config.cameras]
    context = Context(
        device_id(config.station), config.publish, reader, record, door, teller, clock, captures
    )
    asker = bus.asker(paths.socket(CONTROL))
    last_words = LastWords(door)
    link = _link(context, last_words)
    link.came_up = isolation.require
    lanes = assemble(context, link, asker, paths.plant_key)
    inbox = bus.inbox(paths.socket("publish"), depth=STATES)
    return Publisher(context, link, lanes, last_words, inbox)


def _link(context: Context, last_words: LastWords) -> Link:
    settings, topics = context.settings, Topics(context.device)
    wanted = {topics.ack: settings.ack == "application", topics.command: bool(settings.commands)}
    heard = tuple(Subscription(topic) for topic, wants in wanted.items() if wants)
    broker = Broker(settings, identity(context.device), last_words.will, heard)
    return Link(broker, context.teller, context.clock, LANE)
