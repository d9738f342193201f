"""The way of an outcome to record: into the spool first, then over the socket until acknowledged.

Promises: outcomes are sent in the order of their numbers and without a gap, again and again until
record has committed them; memory is bounded.
Never: waits for record, or drops an outcome.
"""

from collections import deque

from msgspec import structs

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.core.messages import Event, Outcome, Recorded
from inspector.devices.bus import Outlet
from inspector.devices.spool import Spool

SILENCE_NS = SECOND  # without an outcome committed for so long, all is sent again
MOST_OWED = 100_000
BATCH = 200


class Courier:
    """The spool and the socket, and what found no room in the spool."""

    def __init__(self, spool: Spool, record: Outlet, now: int) -> None:
        self.spool = spool
        self._record = record
        self._session = ""
        self._heard = now
        self._owed: deque[Outcome] = deque()
        self._events: deque[Event] = deque(maxlen=100)

    @property
    def settled_all(self) -> bool:
        """Nothing is left that record has not committed."""
        return not self.spool.pending and not self._owed

    @property
    def waiting(self) -> int:
        return self.spool.pending + len(self._owed)

    @property
    def full(self) -> bool:
        return bool(self._owed) or self.spool.full

    def keep(self, outcome: Outcome) -> bool:
        """True when the outcome is in the spool. Its number is set here."""
        return not self._owed and self._append(outcome)

    def owe(self, outcome: Outcome) -> None:
        """Keep in memory a fault that found no room. Raises MaintainerError when even that ends:
        the output then goes to its safe state, and the stream's beats bring the parts back."""
        if len(self._owed) >= MOST_OWED:
            raise MaintainerError(
                f"{MOST_OWED} outcomes found no room in the spool; "
                "free the runtime folder and see why record does not commit"
            )
        self._owed.append(outcome)

    def report(self, event: Event) -> None:
        self._events.append(event)

    def hear(self, message: Recorded, now: int) -> bool:
        """An acknowledgement, or a new record. False when it names outcomes that never were.

        Only one that advances breaks the silence: a record that refused outcomes while its disk
        stalled goes on repeating the last number before them, and waits to be sent them again.
        """
        before = self.spool.pending
        known = self.spool.ack(message.through)
        if message.session != self._session:
            self._session, self._heard = message.session, now
            self.spool.rewind()
        elif self.spool.pending < before:
            self._heard = now
        return known

    def deliver(self, now: int) -> None:
        """Send what is due. Whenever record is away all is sent again from the first that it has
        not acknowledged, so that no new record ever sees a gap."""
        while self._owed and self._append(self._owed[0]):
            self._owed.popleft()
        if not self.spool.pending and not self._events:
            self._heard = now
            return
        if not self._record.connected(0):
            self.spool.rewind()
            return
        if self.spool.under_way and now - self._heard >= SILENCE_NS:
            self.spool.rewind()
        if not self.spool.under_way:
            self._heard = now
        for outcome in self.spool.unsent(BATCH):
            if not self._record.send(outcome):
                return
        while self._events and self._record.send(self._events[0]):
            self._events.popleft()

    def _append(self, outcome: Outcome) -> bool:
        return self.spool.append(structs.replace(outcome, number=self.spool.next_number))
