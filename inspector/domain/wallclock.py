"""Which time counts: the box's own clock, guarded against falling back and against wild leaps.

Promises: the time that counts never falls below a time that has been, unless the clock is
synchronised and says so; while the clock is behind, time goes on as fast as it passes; a leap far
ahead is told of and moves what is known for sure only when it has stood for HOLD_NS, so that a
clock that is set right soon leaves no trace.
Never: reads a clock. `wall` and `mono` are nanoseconds of the box's wall and monotonic clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from inspector.core.clock import MS, SECOND

JUMP_NS = 2 * SECOND  # from so much on a step is one
FAR_NS = 24 * 3600 * SECOND
HOLD_NS = 3600 * SECOND
SLACK_NS = 500 * MS  # a clock that is slewed, or read a little later, is not behind
DISTANT_NS = 3600 * SECOND  # a part's own time before this program's by so much was a wrong clock


@dataclass(frozen=True, slots=True)
class ClockWord:
    """Something to be told."""

    code: str  # clock_jumped, clock_behind, clock_right
    text: str


class WallClock:
    """The time of one run of a process."""

    def __init__(self, floor_ns: int, wall: int, mono: int) -> None:
        """`floor_ns`: a time that has been, 0 where none is known."""
        self._begun_ns = floor_ns
        self._sure = floor_ns or wall
        self._wall, self._mono = wall, mono
        self._far_since: int | None = None
        self._behind = False
        self._sure_at_0 = self._sure - mono  # asked for in other threads too: it changes at once
        self.ahead_ns = self.ahead(wall, mono)  # at the last look

    @property
    def floor_ns(self) -> int:
        """A time that has been, to be kept for the next run."""
        return self._sure

    def ahead(self, wall: int, mono: int) -> int:
        """What has to be added to the box's clock now. It may have been set since the last look:
        what was right then would be wrong by as much."""
        behind = self._sure_at_0 + mono - wall
        return behind if behind > SLACK_NS else 0

    def look(self, wall: int, mono: int, synchronised: bool) -> Iterator[ClockWord]:
        """About once a second; what is to be told. The first look tells if it began behind."""
        passed = mono - self._mono
        step = wall - self._wall - passed
        self._sure += passed
        self._wall, self._mono = wall, mono
        if abs(step) >= JUMP_NS:
            way = "forward" if step > 0 else "back"
            yield ClockWord("clock_jumped", f"the clock was set {way} by {_words(step)}")
        if synchronised:
            self._sure, self._far_since = wall, None
        else:
            self._follow(wall, mono)
        self._sure_at_0 = self._sure - mono
        self.ahead_ns = self.ahead(wall, mono)
        yield from self._tell()

    def stamp(self, wall: int, now: int) -> int:
        """A part's own time of the box's clock, as it counts; `now`: the time that counts now. One
        of long before this run, or of a time to come, is of a clock that has been set since: such
        a part is of now."""
        for counts in (wall + self.ahead_ns, wall):
            if self._begun_ns - DISTANT_NS <= counts <= now + DISTANT_NS:
                return counts
        return now

    def _follow(self, wall: int, mono: int) -> None:
        """Take up what the clock says, but for a leap that has yet to stand."""
        if wall - self._sure < FAR_NS:
            self._sure, self._far_since = max(self._sure, wall), None
        elif self._far_since is None:
            self._far_since = mono
        elif mono - self._far_since >= HOLD_NS:
            self._sure, self._far_since = wall, None

    def _tell(self) -> Iterator[ClockWord]:
        if bool(self.ahead_ns) == self._behind:
            return
        self._behind = bool(self.ahead_ns)
        if self._behind:
            text = (
                f"the clock is {_words(self.ahead_ns)} behind a time that has been; "
                "time goes on from there until the clock is right"
            )
            yield ClockWord("clock_behind", text)
        else:
            yield ClockWord("clock_right", "the clock is right again")


def _words(span_ns: int) -> str:
    seconds = abs(span_ns) / SECOND
    for size, name in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
