"""Which rows go to the broker next, and what each of its answers means for a row.

Promises: what is new goes before what a network that was away has held up, and that goes at a
pace; each oldest first. A row that was acknowledged is never sent again by this run, unless the
receiver lacks it, and is reported until its mark is seen in the ledger. A refused row is kept and
does not hold up the others for ever. A row that can not leave (its sums, its size, or because it
broke the connection STRIKES times alone) leaves as void in its place, and is set aside.
Never: knows what a row says, sends anything itself, or reads a clock.
"""

import heapq
from collections.abc import Iterable, Sequence

from inspector.core.clock import SECOND
from inspector.core.messages import Delivered
from inspector.domain.flow import Flow
from inspector.domain.marks import Lane, Marks, Status
from inspector.domain.rate_limit import RateLimit

HOLD_NS = 60 * SECOND  # a refused row waits so long while others are tried
FIRST_PAUSE_NS = 5 * SECOND  # after a refusal nothing is sent for so long, doubling
LONGEST_PAUSE_NS = 60 * SECOND
STRIKES = 3
MOST_UNMARKED = 3000  # with so many marks not seen, record does not hear us: stop sending


class Outbox:
    """The rows of one ledger on their way out. All times are monotonic nanoseconds.

    A row that was read with `add` waits until it is chosen; from then on it is under way, until
    it is answered or put `back`.
    """

    def __init__(
        self, lane: Lane, per_s: int = 1000, answer: Status = "delivered", voids: bool = True
    ) -> None:
        """`per_s`: the pace of the backlog; `answer`: what the broker's word makes of a row."""
        self.ledger = ""
        self.marks = Marks(lane)
        self.through = 0  # the receiver has every row up to this one
        self.in_flight = 0  # what the broker takes at once; 0 while there is no connection
        self._answer: Status = answer
        self._voids = voids
        self._pace = RateLimit(max(1, per_s // 10), SECOND // per_s, 0)
        self._flow = Flow()
        self.newest = 0  # rows up to this one are the backlog
        self._live: list[int] = []
        self._backlog: list[int] = []
        self._known: set[int] = set()  # that wait, are under way or are held
        self._underway: dict[int, bool] = {}  # to see whether it breaks the connection, alone?
        self._held: dict[int, int] = {}  # row -> until
        self._strikes: dict[int, int] = {}
        self._void: dict[int, str] = {}  # row -> why it cannot leave
        self._alone = False  # one row at a time, to find the one that breaks the connection
        self._pause_ns = 0
        self._paused_until = 0

    @property
    def underway(self) -> int:
        return len(self._underway)

    @property
    def known(self) -> int:
        """How many rows wait, are under way or are held after a refusal."""
        return len(self._known)

    def waits(self, live: bool) -> int:
        """How many rows have been read and not been chosen."""
        return len(self._live if live else self._backlog)

    def follow(self, ledger: str) -> bool:
        """The ledger there is now; True when it is another one, whose rows are other rows."""
        if ledger == self.ledger:
            return False
        self.ledger, self.through = ledger, 0
        for known in (self._underway, self._held, self._strikes, self._void):
            known.clear()
        self._known.clear()
        self._live, self._backlog = [], []
        self.marks.clear()
        return True

    def connected(self, in_flight: int, newest: int) -> None:
        """A new connection, which takes so many at once; rows up to `newest` are the backlog. What
        the last one refused may go now."""
        self.in_flight, self.newest, self._paused_until = in_flight, newest, 0
        rows = [*self._live, *self._backlog, *self._held]
        self._held.clear()
        self._live, self._backlog = [], []
        for row in rows:
            self._wait(row)

    def disconnected(self) -> None:
        """Nothing is chosen; what is under way is still to be answered."""
        self.in_flight = 0

    def add(self, rows: Iterable[int]) -> None:
        """Rows that the ledger shows as not sent, or that the receiver lacks."""
        for row in rows:
            if row not in self._known and row not in self.marks:
                self._known.add(row)
                self._wait(row)

    def add_void(self, row: int, why: str) -> None:
        """A row that was set aside, and whose place the receiver still waits for."""
        if row not in self._known and row not in self.marks:
            self._void[row] = why
            self.add([row])

    def choose(self, now: int, live: bool) -> list[int]:
        """Which rows go now, oldest first; they are under way from here on."""
        self._release(now)
        rows = self._live if live else self._backlog
        room, chosen = self._room(now, live), list[int]()
        while rows and len(chosen) < room and (live or self._pace.ready(now)):
            row = heapq.heappop(rows)
            self._underway[row] = self._alone
            chosen.append(row)
            if not live:
                self._pace.take(now)
        return chosen

    def back(self, row: int) -> None:
        """The row could not be handed over, or the connection ended before it was answered."""
        if self._answered(row):
            self._wait(row)

    def is_void(self, row: int) -> bool:
        """True when this row can only leave as void."""
        return row in self._void

    def acked(self, row: int, now: int) -> None:
        """The broker has the row."""
        if not self._answered(row):
            return
        self._alone, self._pause_ns = False, 0
        self._flow.answered(now)
        if row in self._void:
            self._finish(row, "quarantined", self._void[row], now)
        else:
            known = row <= self.through
            self._finish(row, "delivered" if known else self._answer, "", now)

    def refused(self, row: int, now: int) -> None:
        """The broker will not have it now: keep it, pause, and try others before it."""
        if self._answered(row):
            self._held[row] = now + HOLD_NS
            if now >= self._paused_until:
                self._pause_ns = min(max(FIRST_PAUSE_NS, 2 * self._pause_ns), LONGEST_PAUSE_NS)
                self._paused_until = now + self._pause_ns

    def cannot_leave(self, row: int, why: str, now: int) -> bool:
        """This row, as it is, can never leave. True when it is set aside for good; otherwise it
        goes as void."""
        if not self._answered(row):
            return False
        if row in self._void or not self._voids:
            self._finish(row, "quarantined", self._void.get(row, why), now)
            return True
        self._void[row] = why
        self._strikes.pop(row, None)
        self._wait(row)
        return False

    def broke(self, row: int, why: str, now: int) -> bool:
        """The connection ended over an answer that may be this row's. True when that is enough,
        and it cannot leave as it is."""
        alone, self._alone = self._underway.get(row, False), True
        if alone:
            self._strikes[row] = self._strikes.get(row, 0) + 1
        if self._strikes.get(row, 0) >= STRIKES:
            self.cannot_leave(row, why, now)
            return True
        self.back(row)
        return False

    def due(self, now: int) -> list[Delivered]:
        """What to tell record now."""
        return self.marks.due(self.ledger, now)

    def received(self, through: int) -> None:
        """The receiver has every row up to this one."""
        self.through = through
        self.marks.received(through)

    def seen(self, first: int, shown: Sequence[int], whole: bool) -> None:
        """As `Marks.seen`."""
        self.marks.seen(first, shown, whole)

    def _room(self, now: int, live: bool) -> int:
        """How many rows may be chosen now. What is new has some room of its own."""
        if not self.in_flight or now < self._paused_until or len(self.marks) >= MOST_UNMARKED:
            return 0
        if self._alone or self._pause_ns:  # after a refusal one row asks whether it may go on
            return max(0, 1 - len(self._underway))
        width = self._flow.width(self.in_flight, now) + (self.in_flight if live else 0)
        return max(0, width - len(self._underway))

    def _release(self, now: int) -> None:
        """Refused rows that have waited long enough."""
        for row in [row for row, until in self._held.items() if now >= until]:
            del self._held[row]
            self._wait(row)

    def _wait(self, row: int) -> None:
        heapq.heappush(self._live if row > self.newest else self._backlog, row)

    def _answered(self, row: int) -> bool:
        return self._underway.pop(row, None) is not None

    def _finish(self, row: int, status: Status, detail: str, now: int) -> None:
        self.marks.done(row, status, detail, now)
        self._known.discard(row)
        self._strikes.pop(row, None)
        self._void.pop(row, None)
