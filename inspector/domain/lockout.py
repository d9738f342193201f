"""Wrong PINs: some are free, then each costs a wait that doubles.

Promises: within any time the tries that a name has are few, whoever tries; a name that nobody
bears is treated like any other, so that names cannot be told apart; what is remembered is bounded.
Never: reads a clock, or locks a name for good.
"""

from collections.abc import Collection
from dataclasses import dataclass

from inspector.core.clock import SECOND

FREE = 3
FIRST_NS = 5 * SECOND
LONGEST_NS = 15 * 60 * SECOND
FORGOTTEN_NS = 24 * 3600 * SECOND  # slower than to go on trying: waiting gains nothing
NAMES = 1000


@dataclass(frozen=True)
class Tries:
    """Of one name, since somebody last knew its PIN."""

    wrong: int
    last_ns: int


def delay_ns(wrong: int) -> int:
    """How long after so many wrong tries the next has to wait."""
    if wrong < FREE:
        return 0
    return min(LONGEST_NS, FIRST_NS << min(wrong - FREE, 16))


class Lockout:
    """The tries of every name. All times are monotonic, in nanoseconds."""

    def __init__(self, names: int = NAMES) -> None:
        self._names = names
        self._tries: dict[str, Tries] = {}

    def wait_ns(self, name: str, now: int) -> int:
        """How long until this name may try; 0: now."""
        tries = self._of(name, now)
        return max(0, tries.last_ns + delay_ns(tries.wrong) - now)

    def tried(self, name: str, now: int, kept: Collection[str] = ()) -> None:
        """A try begins; it counts as wrong until it is known to be `right`, so that many at once
        gain nothing. `kept`: names that are never forgotten for want of room."""
        wrong = self._of(name, now).wrong + 1
        self._tries.pop(name, None)  # the order is that of the last try
        self._tries[name] = Tries(wrong, now)
        if len(self._tries) > self._names:
            self._forget_one(kept)

    def right(self, name: str) -> None:
        """Somebody knew the PIN."""
        self._tries.pop(name, None)

    def _of(self, name: str, now: int) -> Tries:
        tries = self._tries.get(name)
        if tries is None or now - tries.last_ns > FORGOTTEN_NS:
            return Tries(0, now)
        return tries

    def _forget_one(self, kept: Collection[str]) -> None:
        oldest = next((name for name in self._tries if name not in kept), None)
        if oldest is not None:
            del self._tries[oldest]
