"""The one way out: what leaves is of a closed type, small, not too often, and in the ledger first.

Promises: nothing is handed to a lane's broker before record has committed it word for word as
about to leave; no more than the allowance of messages goes, whichever lane they are of.
Never: knows a broker, or writes the ledger itself.
"""

from collections.abc import Hashable
from itertools import islice

from inspector.core.clock import MS, SECOND, Clock
from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.terms import Severity
from inspector.devices.bus import Outlet
from inspector.devices.ledger import LedgerReader
from inspector.domain.departures import Departures
from inspector.domain.egress.letter import LONGEST_CORRELATION, MAX_BYTES, Letter, allowance
from inspector.services.publish.teller import Teller

LOOK_NS = 8 * MS  # between two looks whether record has committed what waits
AT_ONCE = 500  # departures looked for at once; record commits them in their order

Cleared = list[tuple[Hashable, Letter]]


class Door:
    """For all lanes. A lane offers a letter under a key of its own, and collects it once it may
    go."""

    def __init__(self, record: Outlet, reader: LedgerReader, teller: Teller, clock: Clock) -> None:
        self._record = record
        self._reader = reader
        self._teller = teller
        self._clock = clock
        self._departures = Departures()
        self._allowance = allowance(clock.monotonic_ns())
        self._look_ns = self._told_ns = 0

    @property
    def waiting(self) -> int:
        """Letters whose entry in the ledger is awaited."""
        return len(self._departures.waiting)

    def expects(self, now: int) -> bool:
        """True when record has been told lately, and will have committed it any moment."""
        return self.waiting > 0 and now - self._told_ns < SECOND // 2

    def offer(self, lane: str, key: Hashable, letter: Letter) -> bool:
        """This is to leave. False when too much has left already: try again later. What was
        offered under this key before, and not collected, stays as it is."""
        if self._departures.knows(lane, key):
            return True
        _check(letter)
        if not self._allowance.take(self._clock.monotonic_ns()):
            return False
        self._departures.announce(lane, key, letter, self._clock.wall_ns())
        return True

    def collect(self, lane: str) -> Cleared:
        """What of this lane is on record: each is to be sent now, and once."""
        return self._departures.collect(lane)

    def forget(self, lane: str) -> None:
        """Nothing that this lane has offered is to leave any more."""
        self._departures.forget(lane)

    def look(self, now: int) -> None:
        """Look into the ledger for what record has committed by now."""
        if not self.waiting or now < self._look_ns:
            return
        self._look_ns = now + LOOK_NS
        walls = list(islice(self._departures.waiting, AT_ONCE))
        try:
            self._departures.logged(self._reader.logged(walls))
        except MaintainerError as error:
            self._look_ns = now + SECOND
            self._teller.tell(Severity.INFO, "ledger_unread", str(error))

    def tell(self, now: int) -> None:
        """Tell record what is about to leave; while it does not hear, nothing leaves."""
        for message in self._departures.due(now):
            if not self._record.send(message):
                return
            self._departures.told(message, now)
            self._told_ns = now


def _check(letter: Letter) -> None:
    """What is no letter, or too large for one, is a mistake of this program."""
    if type(letter) is not Letter:
        raise EngineerError(f"{type(letter).__name__}: is no letter; it does not leave")
    if letter.bytes > MAX_BYTES or len(letter.correlation) > LONGEST_CORRELATION:
        raise EngineerError(
            f"{letter.topic}: {letter.bytes} bytes and {len(letter.correlation)} of correlation; "
            "it does not leave"
        )
