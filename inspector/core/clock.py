"""Time as a value that can be replaced.

Promises: durations come from the monotonic clock, dates from the wall clock, both in nanoseconds.
Never: read anywhere else in the rules; `domain` takes time as an argument.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MS = 1_000_000
SECOND = 1_000_000_000


class Clock(Protocol):
    """What a service needs to know of time."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that only grow; the same scale in every process of one boot."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC; may jump."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        return time.time_ns()


@dataclass
class GuardedClock:
    """Another clock, whose wall time counts as later than it says; `domain.wallclock` knows by how
    much, of its wall and monotonic time of now."""

    base: Clock
    ahead: Callable[[int, int], int]

    def monotonic_ns(self) -> int:
        return self.base.monotonic_ns()

    def wall_ns(self) -> int:
        wall = self.base.wall_ns()
        return wall + self.ahead(wall, self.base.monotonic_ns())


@dataclass
class ManualClock:
    """A clock that moves only when told to, for tests."""

    mono: int = 0
    wall: int = 1_700_000_000 * SECOND

    def monotonic_ns(self) -> int:
        return self.mono

    def wall_ns(self) -> int:
        return self.wall

    def advance_ms(self, ms: float) -> None:
        """Move both clocks forward by `ms` milliseconds."""
        self.mono += int(ms * MS)
        self.wall += int(ms * MS)
