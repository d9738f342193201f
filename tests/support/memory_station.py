"""A station of publish alone: its lanes, its door and its broker are the real ones; ledger and
record are kept in memory.

Promises: what leaves has come through the door, row by row, as from a real station; the rows are a
minute each, with sums that add up.
Never: a thread or a process of its own besides the broker's.
"""

import logging
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field

from inspector.core.clock import SystemClock
from inspector.core.config_mqtt import Publish
from inspector.core.messages import Delivered, Departed
from inspector.core.terms import Kind
from inspector.devices.broker import Broker, Heard, Subscription
from inspector.domain.egress.topics import Topics
from inspector.domain.ingress import read_ack
from inspector.domain.notice import Notice
from inspector.domain.tally import Cycle, Latency, Totals, TotalsRow
from inspector.services.publish.door import Door
from inspector.services.publish.lane import Context
from inspector.services.publish.link import Link
from inspector.services.publish.process import LastWords
from inspector.services.publish.state import StateLane
from inspector.services.publish.teller import Teller
from inspector.services.publish.totals import LANE, Backlog
from inspector.services.publish.totals import Totals as TotalsLane

BEGAN_S = 1_700_000_040
COUNTS = {Kind.PASS: 57, Kind.FAIL: 2, Kind.REVIEW: 1}


@dataclass
class Ledger:
    """What publish reads, and what it tells record."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    rows: list[TotalsRow] = field(default_factory=list)
    sent: set[int] = field(default_factory=set)
    delivered: set[int] = field(default_factory=set)
    left_bytes: int = 0
    left: int = 0
    _logged: set[int] = field(default_factory=set)

    def grow(self, count: int) -> None:
        """So many more minutes are over."""
        self.rows += [self._row(len(self.rows) + 1 + more) for more in range(count)]

    @property
    def undelivered(self) -> int:
        return len(self.rows) - len(self.delivered)

    def send(self, message: object) -> bool:
        """As record's inbox."""
        if isinstance(message, Departed):
            self._logged.add(message.wall_ns)
            self.left, self.left_bytes = self.left + 1, self.left_bytes + message.bytes
        elif isinstance(message, Delivered) and message.lane == "totals":
            self.sent.update(message.rows)
            if message.status != "sent":
                self.delivered.update(message.rows)
            through = range(1, message.through + 1)
            self.delivered.update(row for row in through if row in self.sent)
        return True

    def ledger_id(self) -> str:
        return self.id

    def restores(self) -> int:
        return 1

    def renumbered(self) -> bool:
        return False

    def last_row(self) -> int:
        return len(self.rows)

    def sent_through(self) -> int:
        return max(self.sent, default=0)

    def pending(self, limit: int) -> list[TotalsRow]:
        return [row for row in self.rows if row.row not in self.delivered][:limit]

    def unsent(self, limit: int, after_row: int = 0) -> list[TotalsRow]:
        return [row for row in self.rows[max(0, after_row) :] if row.row not in self.sent][:limit]

    def rows_after(self, row: int, limit: int) -> list[TotalsRow]:
        return self.rows[row : row + limit]

    def logged(self, walls: Collection[int]) -> set[int]:
        found = self._logged.intersection(walls)
        self._logged -= found
        return found

    def pending_count(self) -> int:
        return self.undelivered

    def notices(self, _limit: int) -> list[Notice]:
        return []

    def _row(self, number: int) -> TotalsRow:
        start = BEGAN_S + 60 * number
        totals = Totals(
            counts=COUNTS,
            first_pass=57,
            latency=Latency(21_400, 33_900, 48_200),
            cycle=Cycle(1_000_100, 1_020_300),
        )
        cumulative = {kind: number * count for kind, count in COUNTS.items()}
        return TotalsRow(
            self.id, number, start, start + 60, "plain", "A-1047", "tiny@0123456789ab", 1, totals,
            cumulative,
        )  # fmt: skip


class MemoryStation:
    """Turn it often."""

    def __init__(self, device: str, settings: Publish) -> None:
        self.device = device
        self.ledger = Ledger()
        self.connected_at = self.first_at = self.done_at = 0.0  # wall time; 0: not yet
        clock, topics = SystemClock(), Topics(device)
        log = logging.getLogger(device)
        log.setLevel(logging.ERROR)
        teller = Teller(self.ledger, log, clock)  # type: ignore[arg-type]
        self._door = Door(self.ledger, self.ledger, teller, clock)  # type: ignore[arg-type]
        context = Context(device, settings, self.ledger, self.ledger, self._door, teller, clock)  # type: ignore[arg-type]
        self._last_words = LastWords(self._door)
        identity = ".".join(("inspector", *device.split("/")))
        hears = (Subscription(topics.ack),) if settings.ack == "application" else ()
        self._broker = Broker(settings, identity, self._last_words.will, hears)
        self._link = Link(self._broker, teller, clock, LANE)
        self._link.came_up = self._note_connection
        self._link.heard = self._hear
        state = StateLane(context, self._link, uuid.uuid4().hex)
        self._totals = TotalsLane(context, self._link)
        self._lanes = (state, self._totals, Backlog(self._totals))
        for sender in (state, self._totals):
            self._link.join(sender)
        self._last_words.offer("will", state.will)

    @property
    def connected(self) -> bool:
        return self._link.connected

    def grow(self, rows: int) -> None:
        self.ledger.grow(rows)
        self.first_at = self.done_at = 0.0
        self._sent_before = len(self.ledger.sent)

    def turn(self) -> None:
        """One round, without waiting."""
        self._link.turn(0)
        now = time.monotonic_ns()
        self._door.look(now)
        self._last_words.turn()
        for lane in self._lanes:
            lane.turn(now)
        self._door.tell(now)
        self._note_progress()

    def close(self) -> None:
        self._broker.close()

    def _note_connection(self) -> None:
        self.connected_at = time.time()

    def _note_progress(self) -> None:
        sent = len(self.ledger.sent)
        if not self.first_at and sent > self._sent_before:
            self.first_at = time.time()
        if not self.done_at and sent == len(self.ledger.rows):
            self.done_at = time.time()

    def _hear(self, heard: Heard, now: int) -> None:
        if ack := read_ack(heard.payload):
            self._totals.hear(ack, now)
