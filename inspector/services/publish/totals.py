"""The lane of totals: committed rows to the broker, and the answers back to record.

Promises: every totals row of the ledger reaches the broker at least once, what is new before what
was held up, or leaves as void and is set aside with a reason; `(device, stream, seq)` lets a
receiver count it once. Where the receiver's own word counts, what it lacks goes again.
Never: sends a row whose letter is not on record, or writes the ledger.
"""

from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from inspector.core.clock import MS, SECOND
from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.terms import Severity
from inspector.devices.broker import Result
from inspector.domain.egress.letter import Letter, letter
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.totals import totals_of, void_of
from inspector.domain.ingress import Ack
from inspector.domain.marks import delivered_through
from inspector.domain.outbox import Outbox
from inspector.domain.tally import TotalsRow
from inspector.services.publish.acks import Acks
from inspector.services.publish.lane import Context, RowKey
from inspector.services.publish.link import Link

LANE: Final = "totals"
LOOK_NS = SECOND // 5  # between two looks for new rows into a ledger that had none
READ = 300  # rows read at once
CHECK_NS = 50 * MS  # between two looks whether marks are seen
CHECKED = 50


class Totals:
    """Both kinds of rows, new ones and the backlog, of one ledger."""

    name = LANE

    def __init__(self, context: Context, link: Link) -> None:
        self._context = context
        self._link = link
        settings = context.settings
        by_receiver = settings.ack == "application"
        self.box = Outbox(LANE, settings.backlog_per_s, "sent" if by_receiver else "delivered")
        self.set_aside = 0
        self._acks = Acks(context, self.box, link.counts) if by_receiver else None
        self._topic = Topics(context.device).totals
        self._expiry_s = int(settings.expiry_h * 3600) or None
        self._rows: dict[int, TotalsRow] = {}  # those that the outbox knows
        self._restores = 0  # of the ledger, as last seen
        self._fresh = False  # the connection is new, and the ledger has not been looked at since
        self._read_live = self._read_backlog = 0  # rows read so far
        self._backlog_read = False  # to its end
        self._look_ns = self._check_ns = 0

    def up(self, now: int) -> None:
        self._fresh, self._look_ns = True, now
        if self._acks:
            self._acks.up(now)

    def down(self) -> None:
        self.box.disconnected()

    def stop(self) -> None:
        """Nothing more is chosen; what is on its way is still answered."""
        self.down()

    def turn(self, now: int) -> bool:
        """What is new, what is to be told, and what the receiver lacks."""
        self._hand_over(now)
        with self._reading(now):
            self._look(now)
            self._check(now)
            self._resend(now)
        chosen = self._offer(now, live=True)
        self._tell(now)
        return chosen

    def turn_backlog(self, now: int) -> bool:
        """The backlog, after all else."""
        if not self.box.in_flight:
            return False
        with self._reading(now):
            self._read_on()
        return self._offer(now, live=False)

    def answered(self, key: Hashable, result: Result, now: int) -> None:
        assert isinstance(key, RowKey)
        row = key.row
        if key.ledger != self.box.ledger:
            return
        match result.status:
            case "acked":
                self.box.acked(row, now)
            case "refused":
                self.box.refused(row, now)
            case "oversize":
                self._cannot_leave(row, result.detail, now)
            case "broke":
                if self.box.broke(row, result.detail, now):
                    self._tell_aside(result.detail)
            case "timeout" | "lost":
                self.box.back(row)
        if row in self.box.marks:
            self._rows.pop(row, None)

    def hear(self, ack: Ack, now: int) -> None:
        """The receiver's word."""
        if self._acks:
            self._acks.hear(ack, now)

    def _look(self, now: int) -> None:
        """New rows, and what ledger there is."""
        if now < self._look_ns or not self._link.connected:
            return
        self._look_ns = now + LOOK_NS
        reader = self._context.reader
        self._follow(reader.ledger_id(), reader.restores(), now)
        if self._fresh:
            self._begin_connection()
        if self.box.waits(live=True) >= READ:
            return
        rows = self._context.reader.unsent(READ, self._read_live)
        self._take(rows)
        if rows:
            self._read_live = rows[-1].row
        if len(rows) == READ:
            self._look_ns = now

    def _begin_connection(self) -> None:
        """What is there now is the backlog of this connection."""
        newest = self._context.reader.last_row()
        if self._acks is None:
            self._settle_sent()
        self.box.connected(self._link.in_flight, newest)
        self._read_live, self._read_backlog, self._backlog_read = newest, 0, False
        self._fresh = False

    def _settle_sent(self) -> None:
        """Rows of a time when the receiver's own word counted: the broker has taken them."""
        if through := self._context.reader.sent_through():
            self._context.record.send(delivered_through(self.box.ledger, through))

    def _read_on(self) -> None:
        if self._fresh or self._backlog_read or self.box.waits(live=False) >= READ:
            return
        rows = self._context.reader.unsent(READ, self._read_backlog)
        newest = self.box.newest
        self._take(row for row in rows if row.row <= newest)
        self._backlog_read = len(rows) < READ or rows[-1].row > newest
        if rows:
            self._read_backlog = rows[-1].row

    def _follow(self, ledger: str, restores: int, now: int) -> None:
        if (ledger, restores) == (self.box.ledger, self._restores):
            return
        self._restores = restores
        if self._acks:
            self._acks.begin(ledger, now)
        self.box.follow("")  # of the same name it may still be restored, and have other rows
        self.box.follow(ledger)
        self._rows.clear()
        self._context.door.forget(LANE)
        self._fresh = True

    def _take(self, rows: Iterable[TotalsRow]) -> None:
        for row in rows:
            if row.ledger == self.box.ledger and row.row not in self.box.marks:
                self._rows[row.row] = row
                self.box.add([row.row])

    def _offer(self, now: int, live: bool) -> bool:
        """Have the next rows logged as about to leave. True when there were any."""
        offered = False
        for row in self.box.choose(now, live):
            try:
                found = self._letter(row)
            except EngineerError as error:
                self._cannot_leave(row, str(error), now)
                continue
            if self._context.door.offer(LANE, RowKey(self.box.ledger, row), found):
                offered = True
            else:
                self.box.back(row)
        return offered

    def _letter(self, row: int) -> Letter:
        """Raises EngineerError when the row may not leave."""
        device, known = self._context.device, self._rows[row]
        if self.box.is_void(row):
            return letter(void_of(device, known), self._topic, expiry_s=self._expiry_s)
        totals = totals_of(device, known, self._context.settings.defect_classes)
        return letter(totals, self._topic, expiry_s=self._expiry_s)

    def _hand_over(self, now: int) -> None:
        """Send what is on record by now."""
        if not self._link.connected:
            return
        for key, found in self._context.door.collect(LANE):
            self._link.send(self, key, found, now)
            if self._acks and isinstance(key, RowKey):
                self._acks.sending(key.row, now)

    def _check(self, now: int) -> None:
        """Which marks the ledger shows by now."""
        oldest = self.box.marks.oldest
        if oldest is None or now < self._check_ns:
            return
        self._check_ns = now + CHECK_NS
        rows = self._context.reader.unsent(CHECKED, oldest - 1)
        self.box.seen(oldest, [row.row for row in rows], len(rows) < CHECKED)

    def _resend(self, now: int) -> None:
        """What the receiver lacks goes again."""
        if self._acks is None or not self.box.in_flight:
            return
        rows = self._acks.lacking(now)
        self._take(row for row in rows if row.status != "quarantined")
        for row in rows:
            if row.status == "quarantined":
                self._rows[row.row] = row
                self.box.add_void(row.row, "set aside")

    def _tell(self, now: int) -> None:
        """Tell record what is done; what it has not marked is told again."""
        for message in self.box.due(now):
            if not self._context.record.send(message):
                return
            self.box.marks.told(message, now)
        if self._acks:
            with self._reading(now):
                self._acks.tell(now)

    def _cannot_leave(self, row: int, why: str, now: int) -> None:
        self.box.cannot_leave(row, why, now)
        self._tell_aside(why)

    def _tell_aside(self, why: str) -> None:
        self.set_aside += 1
        text = f"a totals row is set aside: {why}"
        self._context.teller.tell(Severity.ALARM, "totals_set_aside", text)

    @contextmanager
    def _reading(self, now: int) -> Iterator[None]:
        """What cannot be read now is read later."""
        try:
            yield
        except MaintainerError as error:
            self._look_ns = self._check_ns = now + SECOND
            self._context.teller.tell(Severity.INFO, "ledger_unread", str(error))


class Backlog:
    """The same lane's later turn."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def turn(self, now: int) -> bool:
        return self._totals.turn_backlog(now)
