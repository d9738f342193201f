"""When a part in doubt may be looked at again, and what the second look changes.

Promises: only a part for review is looked at again; a second look is never begun unless, by what
it has cost so far, it ends before the part's deadline, keeps no other part from its own, and no
waiting frame is overwritten meanwhile; it never adds to a queue that is there.
Never: turns a FAIL into a PASS, or takes a second look that says nothing for a PASS.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from inspector.core.clock import MS
from inspector.core.terms import Kind

SAMPLES = 64  # the newest durations; the longest of so many is about their p99
SAFETY = 1.25  # of the longest duration
TRANSPORT_NS = 2 * MS  # until the gate has the decision
OUTLIER = 2.0  # times the median: a duration that came of something else
PATIENCE = 16  # parts without a second look, in a row, before one such duration is forgotten
INTERVALS = 16  # between parts, of which the median is the takt
MOST_WAITING = 1  # other parts: the one in the model. A backlog would eat the reserve of all.
UNKNOWN_NS = 2**62


class Cost:
    """How long a second look takes here, cautiously."""

    def __init__(self, measured_ns: Iterable[int] = ()) -> None:
        """`measured_ns`: durations measured before the first part."""
        self._taken = deque(measured_ns, maxlen=SAMPLES)
        self._left_out = 0  # in a row
        self._patience = PATIENCE

    @property
    def needed_ns(self) -> int:
        """What has to be left for one; never less than the median of those taken."""
        if not self._taken:
            return UNKNOWN_NS
        return int(max(self._taken) * SAFETY) + TRANSPORT_NS

    def took(self, duration_ns: int) -> None:
        self._left_out = 0
        if not self._is_outlier(duration_ns):
            self._patience = PATIENCE
        self._taken.append(duration_ns)

    def left_out(self) -> None:
        """There was no time. After many in a row one hold-up is forgotten: it must not rule all
        looks out for ever. Where that proves wrong, it takes twice as many the next time.

        What a look usually takes is never forgotten.
        """
        self._left_out += 1
        if self._left_out < self._patience or not self._taken:
            return
        self._left_out = 0
        if self._is_outlier(longest := max(self._taken)):
            self._taken.remove(longest)
            self._patience *= 2

    def _is_outlier(self, duration_ns: int) -> bool:
        return bool(self._taken) and duration_ns > OUTLIER * median(self._taken)


class Rhythm:
    """How fast parts come."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._between: deque[int] = deque(maxlen=INTERVALS)

    def heard(self, camera: str, trigger_ns: int) -> None:
        """A part of this camera."""
        if camera in self._last:
            self._between.append(max(1, trigger_ns - self._last[camera]))
        self._last[camera] = trigger_ns

    @property
    def takt_ns(self) -> int:
        """The usual time between two parts of a camera; UNKNOWN_NS before the second one."""
        return int(median(self._between)) if self._between else UNKNOWN_NS


@dataclass(frozen=True)
class Waiting:
    """What else is on its way while a second look is thought of."""

    deadlines_ns: Sequence[int]  # of the parts that wait, in their order
    usual_ns: float  # what each of them takes
    takt_ns: int  # between two more that come
    slots: int  # frames that a ring holds before it overwrites the oldest


def affordable(
    now: int, deadline_ns: int, needed_ns: int, allowed_ns: int, waiting: Waiting
) -> bool:
    """Is there time for a second look that needs `needed_ns` at a part due at `deadline_ns`?

    `allowed_ns`: trigger to output, for a part that may trigger in the very next moment.
    """
    if len(waiting.deadlines_ns) > MOST_WAITING:
        return False
    end, usual = now + needed_ns, waiting.usual_ns
    places = enumerate(waiting.deadlines_ns, 1)
    if end > deadline_ns or any(end + place * usual > other for place, other in places):
        return False
    coming = len(waiting.deadlines_ns) + -(-needed_ns // waiting.takt_ns)
    if coming >= waiting.slots:
        return False
    return needed_ns + (len(waiting.deadlines_ns) + 1) * usual <= allowed_ns


def settled(first: Kind, second: Kind) -> Kind:
    """The verdict after both looks."""
    if first is not Kind.REVIEW or second is Kind.FAULT:
        return first
    return second
