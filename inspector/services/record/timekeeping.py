"""The time that counts in this station's books: guarded, told of, and kept over a power cut.

Promises: what `domain.wallclock` says is told, applied to this process's clock and to the parts'
own times, and kept on the disk once a minute.
Never: sets the box's clock.
"""

from collections.abc import Callable

from msgspec import structs

from inspector.core.clock import SECOND, Clock, GuardedClock
from inspector.core.messages import Event, Outcome
from inspector.core.paths import Paths
from inspector.core.terms import Severity
from inspector.devices.box import synchronised
from inspector.devices.clock_floor import read_floor, write_floor
from inspector.domain.wallclock import WallClock
from inspector.services.record.events import Events

KEEP_NS = 60 * SECOND
SEVERITY = {"clock_behind": Severity.ALARM, "clock_jumped": Severity.WARNING}


class Timekeeping:
    """Of one run of record."""

    def __init__(
        self, base: Clock, paths: Paths, in_step: Callable[[], bool | None] = synchronised
    ) -> None:
        """`in_step`: True while the box's clock follows another one."""
        self._base, self._path, self._in_step = base, paths.clock_floor, in_step
        self._kept_ns = 0
        floor = read_floor(paths.clock_floor)
        self._rules = WallClock(floor, base.wall_ns(), base.monotonic_ns())
        self.clock = GuardedClock(base, self._rules.ahead)

    @property
    def ahead_ns(self) -> int:
        """By how much the time that counts was ahead of the box's own at the last look."""
        return self._rules.ahead_ns

    def sure_ns(self) -> int:
        """The time that counts, but for a leap ahead that has yet to stand: by it, what is old may
        be let go."""
        return min(self.clock.wall_ns(), self._rules.floor_ns)

    def turn(self, events: Events) -> None:
        """About once a second."""
        now = self._base.monotonic_ns()
        words = list(self._rules.look(self._base.wall_ns(), now, bool(self._in_step())))
        for word in words:
            events.tell(SEVERITY.get(word.code, Severity.INFO), word.code, word.text)
        if words or now - self._kept_ns >= KEEP_NS:
            self.keep()
            self._kept_ns = now

    def stamped(self, outcome: Outcome) -> Outcome:
        """The outcome with the time that counts."""
        counts = self._rules.stamp(outcome.trigger_wall_ns, self.clock.wall_ns())
        if counts == outcome.trigger_wall_ns:
            return outcome
        return structs.replace(outcome, trigger_wall_ns=counts)

    def dated(self, event: Event) -> Event:
        """The event with the time that counts."""
        counts = self._rules.stamp(event.wall_ns, self.clock.wall_ns())
        return event if counts == event.wall_ns else structs.replace(event, wall_ns=counts)

    def keep(self) -> None:
        """Remember the time for the next run; a disk that refuses is asked again."""
        write_floor(self._path, self._rules.floor_ns)
