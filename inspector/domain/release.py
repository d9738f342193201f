"""In which order settled parts are concluded: recorded, and sent to their lanes.

Promises: of one stream, parts are released strictly in the order of their triggers, each exactly
once, and each as soon as every part before it is settled; a part waits for its predecessors only,
whose deadlines come before its own, and an accept that is released after its deadline is a reject.
Never: waits for a part of another stream, keeps anything of a part that is released, or reads a
clock.
"""

import heapq
from dataclasses import dataclass, field

from inspector.core.terms import Kind, Lane
from inspector.domain.settlement import Settlement

NO_CAMERA = 0xFFFF  # the index of a camera that the configuration does not name


@dataclass(frozen=True, slots=True)
class LaneCommand:
    """What the output is told of one part."""

    lane: Lane
    kind: Kind
    camera: int  # index in station.toml, 0 to 15, or NO_CAMERA
    stream: str
    seq: int
    deadline_ns: int  # monotonic; the part has left after it

    def lane_at(self, now: int) -> Lane:
        """The lane to send at `now`: what comes too late is never an accept."""
        return self.lane if now < self.deadline_ns else Lane.REJECT


@dataclass(slots=True)
class _Queue:
    """What one stream holds back: a heap of seqs, and the part of each."""

    seqs: list[int] = field(default_factory=list)
    parts: dict[int, Settlement] = field(default_factory=dict)


class Release:
    """Holds a settled part back until no part before it is open.

    Settled it stays, whatever comes. Should the gate be killed meanwhile, the part was neither
    recorded nor driven, and the next gate settles it as lost.
    """

    def __init__(self) -> None:
        self._held: dict[str, _Queue] = {}

    @property
    def held(self) -> int:
        """Settled parts that wait for a predecessor."""
        return sum(len(queue.seqs) for queue in self._held.values())

    def settle(self, part: Settlement) -> list[Settlement]:
        """A part is settled: what of its stream may go now."""
        queue = self._held.setdefault(part.stream, _Queue())
        if part.seq not in queue.parts:
            heapq.heappush(queue.seqs, part.seq)
            queue.parts[part.seq] = part
        free: list[Settlement] = []
        while queue.seqs and queue.seqs[0] < part.floor:
            free.append(queue.parts.pop(heapq.heappop(queue.seqs)))
        if not queue.seqs:
            del self._held[part.stream]
        return free
