"""Which totals rows a host has not heard, and how they are told: live, or as history.

Promises: after a birth every row that was there before goes as history, oldest first, and every new
one at once and before what is left of history. QoS 0 answers nothing: a row counts as heard when
the connection has stood for `sure_ns` after it was written, for by then the broker has answered a
ping that came later; if the connection or the host goes before, the row goes again, as history.
`through` never falls and never passes a row that is not heard.
Never: reads a row, sends anything itself, or reads a clock.
"""

from collections import deque
from dataclasses import dataclass, field

from inspector.core.clock import SECOND

MARK_NS = SECOND // 4  # what was written within so long is remembered as one


@dataclass
class _Course:
    """One sequence of rows being told. `next`: the first that is not chosen; `done`: written up to
    here; `sure`: heard up to here."""

    next: int = 1
    done: int = 0
    sure: int = 0
    _marks: deque[tuple[int, int]] = field(default_factory=deque)  # (written until, done)

    def begin(self, after: int) -> None:
        self.next, self.done, self.sure = after + 1, after, after
        self._marks.clear()

    def written(self, row: int, now: int) -> None:
        self.done = max(self.done, row)
        until = (now // MARK_NS + 1) * MARK_NS
        if self._marks and self._marks[-1][0] == until:
            self._marks.pop()
        self._marks.append((until, self.done))

    def settle(self, before: int) -> None:
        while self._marks and self._marks[0][0] <= before:
            self.sure = self._marks.popleft()[1]


@dataclass
class Rows:
    """The rows of one ledger, of which the host has heard those up to `through`."""

    sure_ns: int
    ledger: str = ""
    through: int = 0
    _boundary: int = 0  # the last row that was there at the birth
    _telling: bool = False
    _past: _Course = field(default_factory=_Course)
    _live: _Course = field(default_factory=_Course)

    def follow(self, ledger: str, through: int) -> bool:
        """The ledger that is there, and how far its rows were told. True when it is another."""
        if ledger == self.ledger:
            return False
        self.ledger, self.through = ledger, through
        self.silence()
        return True

    def born(self, last: int) -> bool:
        """A session begins; the newest row there is bears this number. False for a rebirth within
        a session, which changes nothing of what is live and what is history."""
        if self._telling:
            return False
        self._telling = True
        self._boundary = max(last, self.through)
        self._past.begin(self.through)
        self._live.begin(self._boundary)
        return True

    def silence(self) -> None:
        """The session is over: what is not surely heard is history of the next one."""
        self._telling = False

    @property
    def live_from(self) -> int:
        """The first row to be told live."""
        return self._live.next

    @property
    def past_from(self) -> int | None:
        """The first row to be told as history, None when there is none left."""
        return self._past.next if self._past.next <= self._boundary else None

    @property
    def boundary(self) -> int:
        return self._boundary

    def chosen(self, row: int, historical: bool) -> None:
        """This row is about to be told; it is the first of `live_from` or `past_from`."""
        course = self._past if historical else self._live
        course.next = row + 1

    def withdrawn(self) -> None:
        """What was chosen and not written goes back."""
        for course in (self._past, self._live):
            course.next = course.done + 1

    def written(self, row: int, historical: bool, now: int) -> None:
        """This row has been told. Rows are written in the order in which they were chosen."""
        (self._past if historical else self._live).written(row, now)

    def settle(self, now: int) -> None:
        """What was written long enough ago, on a connection that still stands, is heard."""
        if not self._telling:
            return
        self._past.settle(now - self.sure_ns)
        self._live.settle(now - self.sure_ns)
        drained = self._past.sure >= self._boundary
        self.through = max(self.through, self._live.sure if drained else self._past.sure)
