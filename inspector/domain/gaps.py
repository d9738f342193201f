"""Parts whose triggers never arrived, and how they are worked off.

Promises: each seq that was noted comes out once, in the order of its stream, unless it is settled
by then; the work of one call is bounded, however wide the gap.
Never: decides what becomes of a part.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from inspector.domain.streams import Stream


@dataclass(slots=True)
class _Gap:
    """Parts `start` to `stop` - 1."""

    stream: Stream
    name: str
    start: int
    stop: int
    wall_ns: int


@dataclass(frozen=True, slots=True)
class Missing:
    """One part that was counted and never announced."""

    camera: str
    stream: str
    seq: int
    wall_ns: int  # when that was noticed


class Gaps:
    """The parts that are known to be lost and not yet settled."""

    def __init__(self) -> None:
        self._gaps: deque[_Gap] = deque()

    def __bool__(self) -> bool:
        return bool(self._gaps)

    def note(self, name: str, stream: Stream, stop: int, wall_ns: int) -> None:
        """Every seq below `stop` must have been triggered; note the ones that did not come."""
        if stop > stream.next:
            self._gaps.append(_Gap(stream, name, stream.next, stop, wall_ns))
            stream.next = stop

    def take(self, most: int) -> Iterator[Missing]:
        """Up to `most` parts; the caller settles each before it asks for the next."""
        while self._gaps and most > 0:
            gap = self._gaps[0]
            settled = gap.stream.settled
            gap.start = max(gap.start, min(settled.floor, gap.stop))
            if gap.start == gap.stop:
                self._gaps.popleft()
                continue
            seq, gap.start = gap.start, gap.start + 1
            most -= 1
            if seq not in settled:
                yield Missing(gap.stream.camera, gap.name, seq, gap.wall_ns)
