"""What one run of a camera looks like from another process: its numbers and its clock.

Promises: which parts of a stream are settled takes a few bytes however long the stream runs; a
trigger's time means the same whichever host stamped it.
Never: reads a clock; time is an argument, in monotonic nanoseconds of this host.
"""

from collections.abc import Iterable

from inspector.core.clock import SECOND

PLAUSIBLE_NS = 60 * SECOND
DRIFT = 1000  # one part in so many: more than two hosts' clocks ever drift apart


class SeqSet:
    """Whole numbers from 0 that come almost in order: all below `floor`, and a few above."""

    __slots__ = ("_above", "floor")

    def __init__(self, floor: int = 0, above: Iterable[int] = ()) -> None:
        self.floor = floor
        self._above = set(above)

    @property
    def above(self) -> list[int]:
        return sorted(self._above)

    def add(self, seq: int) -> None:
        if seq >= self.floor:
            self._above.add(seq)
        while self.floor in self._above:
            self._above.remove(self.floor)
            self.floor += 1

    def __contains__(self, seq: int) -> bool:
        return seq < self.floor or seq in self._above

    def copy(self) -> "SeqSet":
        return SeqSet(self.floor, self._above)


class StreamClock:
    """Brings a stream's trigger times onto this host's monotonic clock.

    A camera on another host stamps its triggers with that host's clock, which started at another
    moment. Such a stream shows itself by a first trigger from the future or more than 60 s old:
    that trigger counts from its arrival, and the smallest difference seen since tells the two
    clocks apart, so that a part held up by the network is still late. On this host a trigger's
    own time holds, however old (the part is late then), but never one from the future, which
    would put its deadline off.
    """

    __slots__ = ("_at", "_offset", "_remote")

    def __init__(self) -> None:
        self._remote: bool | None = None
        self._offset = 0
        self._at = 0

    def local_ns(self, trigger_ns: int, now: int) -> int:
        """The trigger's time on our clock, never after `now`."""
        behind = now - trigger_ns
        if self._remote is None:
            self._remote = not 0 <= behind <= PLAUSIBLE_NS
            self._offset = behind
            self._at = now
        if not self._remote:
            return min(trigger_ns, now)
        # The allowance for drift lets the difference grow as slowly as clocks really part.
        self._offset = min(behind, self._offset + (now - self._at) // DRIFT)
        self._at = now
        return trigger_ns + self._offset
