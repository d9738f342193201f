"""What is old enough to go, and how much at a time.

Promises: age decides first; beyond the quota the oldest goes whatever its age, until there is some
room again, but never what is younger than YOUNG_S; a step takes about as long as STEP_NS.
Never: reads a clock, or deletes anything.
"""

from dataclasses import dataclass

from inspector.core.clock import MS, SECOND
from inspector.core.config_care import Retention

DAY_S = 86_400
YOUNG_S = 3600
STEP_NS = 10 * MS
SMALLEST, LARGEST = 20, 2000
MB = 1 << 20
ROOM = 0.97  # of the quota: down to it once it was passed


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """What is from before goes; seconds and nanoseconds since 1970-01-01 UTC."""

    parts_s: int
    totals_s: int
    departures_ns: int
    events_ns: int


def cutoffs(settings: Retention, now_ns: int) -> Cutoffs:
    """By age."""
    now_s = now_ns // SECOND
    return Cutoffs(
        parts_s=now_s - settings.parts_days * DAY_S,
        totals_s=now_s - settings.totals_days * DAY_S,
        departures_ns=now_ns - settings.departures_days * DAY_S * SECOND,
        events_ns=now_ns - settings.events_days * DAY_S * SECOND,
    )


def beyond_quota(now_ns: int) -> Cutoffs:
    """Where room has to be made: all but the newest. Totals rows are small, and stay."""
    young_ns = now_ns - YOUNG_S * SECOND
    return Cutoffs(young_ns // SECOND, 0, young_ns, young_ns)


class Quota:
    """Whether the ledger is too large, with some room between too large and large enough."""

    def __init__(self, ledger_mb: int) -> None:
        self._bytes = ledger_mb * MB
        self.passed = False

    def look(self, size: int) -> bool:
        """True while the oldest has to go."""
        self.passed = size > self._bytes * (ROOM if self.passed else 1.0)
        return self.passed


class Pace:
    """How many rows at once."""

    def __init__(self) -> None:
        self.most = 100

    def took(self, duration_ns: int, rows: int) -> None:
        """A step of so many rows took so long."""
        if duration_ns > STEP_NS:
            self.most = max(SMALLEST, self.most * 2 // 3)
        elif rows >= self.most:
            self.most = min(LARGEST, self.most * 3 // 2)
