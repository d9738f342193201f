"""The receiver's own word, where the plant has configured that it counts.

Promises: a row is delivered once the receiver says so; what it lacks goes again, the oldest first;
its word is told to record until the ledger shows it. That it is silent is said once.
Never: believes a word of another stream, or of rows that were never sent.
"""

from collections import Counter

from inspector.core.clock import SECOND
from inspector.core.terms import Severity
from inspector.domain.ingress import Ack
from inspector.domain.marks import delivered_through
from inspector.domain.outbox import Outbox
from inspector.domain.receipts import Receipts
from inspector.domain.tally import TotalsRow
from inspector.services.publish.lane import Context

SETTLE_NS = SECOND  # after a connection its word is given time to come
AGAIN_NS = 2 * SECOND  # then the ledger is asked whether it shows the word
LOOK = 300


class Acks:
    """Of the totals of one ledger."""

    def __init__(self, context: Context, box: Outbox, counts: Counter[str]) -> None:
        self._context = context
        self._box = box
        self._counts = counts
        self._receipts = Receipts(int(context.settings.resend_s * SECOND))
        self._settled_ns = 0
        self._told = 0  # record knows the word up to this row
        self._verify_ns: int | None = None

    def up(self, now: int) -> None:
        """There is a new connection."""
        self._settled_ns = now + SETTLE_NS

    def begin(self, ledger: str, now: int) -> None:
        """The ledger there is now. Raises MaintainerError when it cannot be read."""
        sent = self._context.reader.sent_through()
        unheard = (row.row - 1 for row in self._context.reader.pending(LOOK) if row.sent)
        self._told, self._verify_ns = next(unheard, sent), None
        renumbered = self._context.reader.renumbered()
        self._receipts.begin(ledger, sent, self._told, now, renumbered)

    def sending(self, row: int, now: int) -> None:
        """This row goes to the broker."""
        self._receipts.sending(row, now)
        self._progress()

    def hear(self, ack: Ack, now: int) -> None:
        """The receiver's word."""
        self._receipts.hear(ack.stream, ack.through_seq, now)
        self._progress()

    def lacking(self, now: int) -> list[TotalsRow]:
        """The rows that are to go again now; of what was set aside the place alone.

        Raises MaintainerError when the ledger cannot be read.
        """
        if now < self._settled_ns or not self._receipts.due(now):
            return []
        base, sent = self._receipts.base, self._receipts.sent
        lacks = self._context.reader.rows_after(base, self._receipts.batch)
        rows = [row for row in lacks if row.row <= sent]
        self._receipts.again(rows[-1].row if rows else base, now)
        self._counts["resent"] += len(rows)
        text = "the receiver acknowledges nothing new; the rows that it lacks go again"
        self._context.teller.tell(Severity.WARNING, "receiver_silent", text, "receiver")
        return rows

    def tell(self, now: int) -> None:
        """Tell record how far the receiver has got. Raises MaintainerError."""
        through = self._receipts.through
        if self._verify_ns is not None and now >= self._verify_ns:
            self._verify_ns = None
            rows = self._context.reader.pending(LOOK)
            if any(row.sent and row.row <= through for row in rows):
                self._told = 0
        if through > self._told and self._context.record.send(
            delivered_through(self._box.ledger, through)
        ):
            self._told, self._verify_ns = through, now + AGAIN_NS

    def _progress(self) -> None:
        if self._receipts.through <= self._box.through:
            return
        self._box.received(self._receipts.through)
        if self._context.teller.has_said("receiver"):
            text = "the receiver acknowledges totals"
            self._context.teller.tell(Severity.INFO, "receiver_heard", text, "receiver")
