"""Which totals rows go to the broker next, and what each of its answers means for a row.

Promises: oldest first, at most as many on their way as the broker takes; a row that was
acknowledged is never sent again by this run, and is reported until its mark is seen in the
ledger; a refused row is kept and does not hold up the others for ever; only a row that does not
fit, or that alone broke the connection STRIKES times, is set aside.
Never: knows what a row says, sends anything itself, or reads a clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from inspector.core.clock import SECOND
from inspector.core.messages import Delivered
from inspector.domain.tally import TotalsRow

MARK_AGAIN_NS = 5 * SECOND  # a mark not seen in the ledger by then is sent to record again
HOLD_NS = 60 * SECOND  # a refused row waits so long while others are tried
FIRST_PAUSE_NS = 5 * SECOND  # after a refusal nothing is sent for so long, doubling
LONGEST_PAUSE_NS = 60 * SECOND
STRIKES = 3
MOST_UNMARKED = 500  # with so many marks not seen, record does not hear us: stop sending
AHEAD = 40  # rows read beyond those that are known


@dataclass
class Mark:
    """One row that is done, and when to tell record (again)."""

    message: Delivered
    due_ns: int


@dataclass(frozen=True)
class Sent:
    """One row on its way, and whether it was sent to see if it breaks the connection."""

    ledger: str
    row: int
    alone: bool


@dataclass
class Outbox:
    """The rows of one ledger on their way out. All times are monotonic nanoseconds."""

    ledger: str = ""
    in_flight: int = 0  # what the broker takes at once; 0 while there is no connection
    _sent: dict[int, Sent] = field(default_factory=dict)  # by token
    _done: dict[int, Mark] = field(default_factory=dict)
    _held: dict[int, int] = field(default_factory=dict)  # row -> until
    _strikes: dict[int, int] = field(default_factory=dict)
    _alone: bool = False  # one row at a time, to find the one that breaks the connection
    _pause_ns: int = 0
    _paused_until: int = 0

    @property
    def on_the_way(self) -> int:
        return len(self._sent)

    @property
    def unmarked(self) -> int:
        return len(self._done)

    @property
    def look_at(self) -> int:
        """How many pending rows to read, so that some are new."""
        return AHEAD + len(self._sent) + len(self._done) + len(self._held)

    def connected(self, in_flight: int) -> None:
        """A new connection, which takes so many at once; what the last one refused may go now."""
        self.in_flight = in_flight
        self._held.clear()
        self._paused_until = 0

    def room(self, now: int) -> int:
        """How many rows may be sent now."""
        if now < self._paused_until or len(self._done) >= MOST_UNMARKED:
            return 0
        return max(0, min(self.in_flight, 1 if self._alone else self.in_flight) - len(self._sent))

    def choose(self, pending: Sequence[TotalsRow], now: int) -> list[TotalsRow]:
        """Which of the ledger's oldest `look_at` pending rows go now, oldest first. `pending` has
        been read: rows that it does not show are taken to be marked."""
        self._follow(pending)
        self._forget(pending)
        underway = {sent.row for sent in self._sent.values()}
        free = (
            row
            for row in pending
            if row.row not in underway
            and row.row not in self._done
            and now >= self._held.get(row.row, now)
        )
        return [row for row, _ in zip(free, range(self.room(now)), strict=False)]

    def sent(self, token: int, row: TotalsRow) -> None:
        self._sent[token] = Sent(row.ledger, row.row, self._alone and not self._sent)

    def set_aside(self, row: int, why: str, now: int) -> None:
        """This row can never leave."""
        self._finish(row, "quarantined", why, now)

    def acked(self, token: int, now: int) -> None:
        """The broker has the row."""
        if (row := self._answered(token)) is not None:
            self._finish(row, "delivered", "", now)
            self._alone, self._pause_ns = False, 0

    def refused(self, token: int, now: int) -> None:
        """The broker will not have it now: keep it, pause, and try others before it."""
        if (row := self._answered(token)) is not None:
            self._held[row] = now + HOLD_NS
            self._pause_ns = min(max(FIRST_PAUSE_NS, 2 * self._pause_ns), LONGEST_PAUSE_NS)
            self._paused_until = now + self._pause_ns

    def oversize(self, token: int, why: str, now: int) -> None:
        if (row := self._answered(token)) is not None:
            self.set_aside(row, why, now)

    def lost(self, token: int) -> None:
        """The connection ended, or no answer came: the row goes again."""
        self._answered(token)

    def broke(self, token: int, why: str, now: int) -> bool:
        """The connection ended over an answer that may be this row's. True when it is set aside."""
        alone = token in self._sent and self._sent[token].alone
        self._alone = True
        row = self._answered(token)
        if row is None or not alone:
            return False
        self._strikes[row] = self._strikes.get(row, 0) + 1
        if self._strikes[row] < STRIKES:
            return False
        self.set_aside(row, why, now)
        return True

    def marks(self, now: int) -> list[Delivered]:
        """What to tell record now."""
        return [mark.message for mark in self._done.values() if now >= mark.due_ns]

    def told(self, message: Delivered, now: int) -> None:
        """Record was told; once more if the ledger does not show it."""
        if message.row in self._done:
            self._done[message.row].due_ns = now + MARK_AGAIN_NS

    def _finish(
        self, row: int, status: Literal["delivered", "quarantined"], detail: str, now: int
    ) -> None:
        message = Delivered(ledger=self.ledger, row=row, status=status, detail=detail)
        self._done[row] = Mark(message, now)
        self._held.pop(row, None)
        self._strikes.pop(row, None)

    def _answered(self, token: int) -> int | None:
        """The row of this token, None when it belongs to a ledger that is no longer there."""
        sent = self._sent.pop(token, None)
        return sent.row if sent and sent.ledger == self.ledger else None

    def _follow(self, pending: Sequence[TotalsRow]) -> None:
        """A new ledger has taken the place of the old one: its rows are other rows."""
        if pending and pending[0].ledger != self.ledger:
            self.ledger = pending[0].ledger
            for known in (self._done, self._held, self._strikes):
                known.clear()

    def _forget(self, pending: Sequence[TotalsRow]) -> None:
        """Rows that the ledger no longer shows as pending are marked, and no more our business."""
        shown = {row.row for row in pending}
        whole = len(pending) < self.look_at
        last = max(shown, default=-1)
        for row in _gone(self._done, shown, whole, last):
            del self._done[row]
        for row in _gone(self._held, shown, whole, last):
            del self._held[row]


def _gone(known: Iterable[int], shown: set[int], whole: bool, last: int) -> list[int]:
    return [row for row in known if row not in shown and (whole or row < last)]
