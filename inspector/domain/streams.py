"""What one run of a camera looks like from another process: its numbers and its clock.

Promises: which parts of a stream are settled takes a few bytes however long the stream runs; a
trigger's time means the same whichever host stamped it; the number of streams remembered is
bounded, those that ended and were heard of longest ago go first, and none with a part open.
Never: reads a clock; time is an argument, in monotonic nanoseconds of this host.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

MOST_STREAMS = 1024
MOST_AHEAD = 1_000_000  # parts that one word of a stream may be ahead of what is known of it
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
    moment. Its first trigger counts from its arrival, and the smallest difference seen since
    tells the two clocks apart, so that a part held up by the network is still late. On this host
    a trigger's own time holds, however old (the part is late then), but never one from the
    future, which would put its deadline off.
    """

    __slots__ = ("_at", "_offset", "_remote")

    def __init__(self, remote: bool) -> None:
        self._remote = remote
        self._offset: int | None = None
        self._at = 0

    def local_ns(self, trigger_ns: int, now: int) -> int:
        """The trigger's time on our clock, never after `now`."""
        if not self._remote:
            return min(trigger_ns, now)
        behind = now - trigger_ns
        if self._offset is None:
            self._offset, self._at = behind, now
        # The allowance for drift lets the difference grow as slowly as clocks really part.
        self._offset = min(behind, self._offset + (now - self._at) // DRIFT)
        self._at = now
        return trigger_ns + self._offset


@dataclass(slots=True)
class Stream:
    """One run of one camera. Every seq below `next` is open, settled, or noted as lost."""

    camera: str
    settled: SeqSet
    next: int
    clock: StreamClock
    heard_ns: int = 0
    ended: bool = False
    open: int = 0

    @property
    def complete(self) -> bool:
        """All that is known of it is settled."""
        return not self.open and self.settled.floor >= self.next


class Streams:
    """The streams that somebody speaks of."""

    def __init__(self, settled: Mapping[str, SeqSet], remote: Collection[str]) -> None:
        """`settled`: what is known of a stream that is heard of for the first time, or again.
        `remote`: the cameras on other hosts."""
        self._known = settled
        self._remote = frozenset(remote)
        self._streams: dict[str, Stream] = {}
        self.refused = 0  # words that cannot be true

    def __getitem__(self, name: str) -> Stream:
        return self._streams[name]

    def __len__(self) -> int:
        return len(self._streams)

    def get(self, name: str) -> Stream | None:
        return self._streams.get(name)

    def is_settled(self, name: str, seq: int) -> bool:
        stream = self._streams.get(name)
        known = stream.settled if stream else self._known.get(name)
        return known is not None and seq in known

    def hear(self, camera: str, name: str, last_seq: int, now: int) -> Stream | None:
        """The stream that is spoken of. None, and counted, when it is another camera's, or the
        count so far ahead that it would keep the gate busy for minutes."""
        stream = self._streams.get(name)
        fresh = stream is None
        stream = stream or self._recalled(camera, name)
        if stream.camera != camera or last_seq - stream.next > MOST_AHEAD:
            self.refused += 1
            return None
        if fresh:
            self._make_room()
            self._streams[name] = stream
        stream.heard_ns = now
        return stream

    def _recalled(self, camera: str, name: str) -> Stream:
        known = self._known.get(name)
        settled = known.copy() if known else SeqSet()
        return Stream(camera, settled, settled.floor, StreamClock(camera in self._remote))

    def _make_room(self) -> None:
        while len(self._streams) >= MOST_STREAMS:
            complete = [name for name, stream in self._streams.items() if stream.complete]
            if not complete:
                return  # their parts are bounded, and none may be forgotten
            del self._streams[min(complete, key=self._worth)]

    def _worth(self, name: str) -> tuple[bool, int]:
        stream = self._streams[name]
        return not stream.ended, stream.heard_ns
