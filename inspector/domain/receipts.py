"""How far the receiver has got, by its own word, and when rows go to it again.

Promises: a word of another stream, or of rows that were never sent, changes nothing; what is sent
and not acknowledged goes again, the oldest first, after a time that doubles while nothing is
heard (after TRIES a single row), and at once where sending again has helped.
Never: reads a clock, or takes an acknowledgement back.
"""

from inspector.core.clock import SECOND

LONGEST_WAIT_NS = 600 * SECOND
BATCH = 500  # rows that go again at once
TRIES = 3  # so often without an answer; then a single row asks whether the receiver is back


class Receipts:
    """Of one ledger's totals. Times are monotonic nanoseconds."""

    def __init__(self, resend_ns: int) -> None:
        self._resend_ns = resend_ns
        self._elsewhere = ("", 0)  # the last word of another stream, which may be the next
        self.begin("", 0, 0, 0)

    def begin(
        self, ledger: str, sent: int, received: int, now: int, renumbered: bool = False
    ) -> None:
        """The ledger there is now: `sent`: the highest row ever sent; `received`: every row up to
        this one is known to have arrived; `renumbered`: later rows may have been sent that this
        ledger has lost. A word that came before this was called counts."""
        self.ledger, self._renumbered = ledger, renumbered
        self.sent, self.through = sent, received
        self._heard: int | None = None
        self._again_through = -1
        self._tries = 0
        self._wait_ns = self._resend_ns
        self._since = now
        self.hear(*self._elsewhere, now)

    def sending(self, row: int, now: int) -> None:
        """This row goes to the broker."""
        if not self.missing:
            self._since = now
        before, self.sent = self.base, max(self.sent, row)
        self._settle(before, now)

    def hear(self, ledger: str, through: int, now: int) -> None:
        """The receiver says that it has every row up to `through`."""
        if ledger != self.ledger:
            self._elsewhere = (ledger, through)
            return
        before, self._heard = self.base, through
        self._settle(before, now)

    @property
    def base(self) -> int:
        """The receiver has nothing to ask for up to this row."""
        heard = self._heard
        if heard is not None and self._renumbered:
            heard = min(heard, self.sent)
        return heard if heard is not None and heard <= self.sent else self.through

    @property
    def missing(self) -> bool:
        """True when something was sent that the receiver has not acknowledged."""
        return self.base < self.sent

    @property
    def batch(self) -> int:
        """How many rows are to go again."""
        return BATCH if self._tries < TRIES else 1

    def due(self, now: int) -> bool:
        """True when the rows after `base` are to go again."""
        return self.missing and now - self._since >= self._wait_ns

    def again(self, last: int, now: int) -> None:
        """The rows up to `last` go again now."""
        self._again_through = last
        self._since = now
        self._tries += 1
        self._wait_ns = min(2 * self._wait_ns, max(LONGEST_WAIT_NS, self._resend_ns))

    def _settle(self, before: int, now: int) -> None:
        """`before`: the base until now. It may have got on from below `through`, too."""
        base = self.base
        self.through = max(self.through, base)
        if base <= before:
            return
        self._since, self._wait_ns, self._tries = now, self._resend_ns, 0
        if base == self._again_through:
            self._since = now - self._wait_ns  # that helped, and there may be more
