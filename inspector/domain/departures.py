"""What is about to leave the station, and whether that is on record yet.

Promises: a letter is cleared to go once its departure stands in the ledger, never before; each
departure bears a time of its own, so that telling record twice logs it once; what was cleared and
could not go keeps its entry and goes by it later.
Never: sends anything, or reads a clock.
"""

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass

from inspector.core.clock import SECOND
from inspector.core.messages import Departed
from inspector.domain.egress.letter import Letter

AGAIN_NS = SECOND  # a departure not seen in the ledger by then is told again


@dataclass
class _Entry:
    lane: str
    key: Hashable
    letter: Letter
    message: Departed
    told_ns: int | None = None  # None: record has not taken it yet


class Departures:
    """By lane, and by a key within the lane. Times are monotonic nanoseconds unless said."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Entry] = {}  # by wall time, in the order in which they leave
        self._cleared: dict[str, dict[Hashable, Letter]] = {}
        self._known: dict[tuple[str, Hashable], int] = {}  # those that wait
        self._last_wall = 0

    @property
    def waiting(self) -> Collection[int]:
        """The wall times of departures that are not known to be on record."""
        return self._waiting.keys()

    def knows(self, lane: str, key: Hashable) -> bool:
        """True when this is waiting for its entry, or for being collected."""
        return (lane, key) in self._known or key in self._cleared.get(lane, {})

    def announce(self, lane: str, key: Hashable, letter: Letter, wall_ns: int) -> None:
        """This letter is to leave; `wall_ns`: now, or a little later than the last. What waited
        under the same key waits no more."""
        self._drop(lane, key)
        self._last_wall = wall = max(wall_ns, self._last_wall + 1)
        message = Departed(
            wall_ns=wall, topic=letter.topic, payload=letter.text, bytes=letter.bytes
        )
        self._waiting[wall] = _Entry(lane, key, letter, message)
        self._known[lane, key] = wall

    def due(self, now: int) -> list[Departed]:
        """What record is to be told now, in the order in which it is to leave."""
        return [
            one.message
            for one in self._waiting.values()
            if one.told_ns is None or now - one.told_ns >= AGAIN_NS
        ]

    def told(self, message: Departed, now: int) -> None:
        """Record was told."""
        if one := self._waiting.get(message.wall_ns):
            one.told_ns = now

    def logged(self, walls: Iterable[int]) -> None:
        """These departures stand in the ledger."""
        for wall in sorted(walls):
            if one := self._waiting.pop(wall, None):
                del self._known[one.lane, one.key]
                self._cleared.setdefault(one.lane, {})[one.key] = one.letter

    def collect(self, lane: str) -> list[tuple[Hashable, Letter]]:
        """What is on record of this lane, each to be sent now and once, in its order."""
        return list(self._cleared.pop(lane, {}).items())

    def forget(self, lane: str) -> None:
        """Nothing of this lane is to leave any more."""
        self._cleared.pop(lane, None)
        for wall in [wall for wall, one in self._waiting.items() if one.lane == lane]:
            self._drop(lane, self._waiting[wall].key)

    def _drop(self, lane: str, key: Hashable) -> None:
        self._cleared.get(lane, {}).pop(key, None)
        wall = self._known.pop((lane, key), None)
        if wall is not None:
            del self._waiting[wall]
