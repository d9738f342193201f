"""What the screens are told: the state of the line, its figures, the last parts, the services.

Promises: at most ten times a second, and at least four times; the newest state whole, with ages
of that moment.
Never: leaves a service out because it is silent.
"""

from bisect import bisect_left
from collections import Counter, deque

from inspector.core.clock import MS, SECOND
from inspector.core.config import StationConfig
from inspector.core.current import Current
from inspector.core.live import (
    LATENCY_MS,
    RECENT,
    Alarm,
    ChallengeState,
    LineState,
    LineStatus,
    Live,
    RecentPart,
    ServiceHealth,
    WorkshopState,
)
from inspector.core.messages import Heartbeat, Outcome
from inspector.core.terms import Cause, Kind
from inspector.core.topology import processes
from inspector.devices.ledger import Ledger
from inspector.domain.health import Roster, Survey
from inspector.domain.linestate import Facts, line_state
from inspector.services.record.statistics import Statistics
from inspector.services.record.status import line_status

FASTEST_NS = 100 * MS
SLOWEST_NS = 250 * MS  # what is killed is to be seen within 2 s
MINUTE_NS = 60 * SECOND
# The workshop speaks once a second, but with the lowest priority; what it did last is not what it
# does now.
SILENT_NS = 5 * SECOND


class Board:
    """The state of the line as record knows it."""

    def __init__(self, config: StationConfig, now: int) -> None:
        self.names = [process.name for process in processes(config)]
        if config.publish is None:
            self.names.remove("publish")
        self._roster = Roster(self.names, now)
        self._began = now
        self._counts: Counter[Kind] = Counter()
        self._causes: Counter[Cause] = Counter()
        self._latency = [0] * (len(LATENCY_MS) + 1)
        self._latency_sum_us = 0
        self._last: Outcome | None = None
        self._recent: deque[RecentPart] = deque(maxlen=RECENT)
        self._minute: deque[int] = deque()  # wall times of the last minute's triggers
        self._workshop: WorkshopState | None = None
        self._workshop_ns = now
        self._changed = True
        self._sent = 0

    def hear(self, heartbeat: Heartbeat, now: int) -> None:
        self._roster.hear(heartbeat, now)

    def count(self, recorded: list[Outcome]) -> None:
        """Take newly recorded outcomes into account."""
        for outcome in recorded:
            self._counts[outcome.kind] += 1
            if outcome.cause:
                self._causes[outcome.cause] += 1
            self._latency[bisect_left(LATENCY_MS, outcome.latency_us / 1000)] += 1
            self._latency_sum_us += outcome.latency_us
            self._minute.append(outcome.trigger_wall_ns)
        if recorded:
            self._recent.extendleft(map(RecentPart.of, recorded[-RECENT:]))
            self._last = recorded[-1]
            self._changed = True

    def show(self, workshop: WorkshopState, now: int) -> None:
        """What the workshop does."""
        self._workshop, self._workshop_ns = workshop, now
        self._changed = True

    def survey(self, now: int) -> Survey:
        """Look who is silent; to be called about once a second."""
        return self._roster.survey(now)

    def touch(self) -> None:
        """Something that is shown has changed."""
        self._changed = True

    def due(self, now: int) -> bool:
        return now - self._sent >= (FASTEST_NS if self._changed else SLOWEST_NS)

    def live(
        self,
        now: int,
        wall_ns: int,
        current: Current,
        ledger: Ledger,
        statistics: Statistics,
        alarms: tuple[Alarm, ...],
        challenge: ChallengeState | None,
    ) -> Live:
        """The state of now."""
        self._sent, self._changed = now, False
        services, sums = self._roster.services(now), ledger.sums()
        state, why = self._state(services, current, statistics)
        return Live(
            sent_ns=now,
            wall_ns=wall_ns,
            state=state,
            why=why,
            mode=current.mode,
            recipe=current.recipe,
            lot=current.lot,
            coming=current.asked.recipe if current.asked else "",
            counts={kind: self._counts[kind] for kind in Kind},
            causes={cause: self._causes[cause] for cause in Cause},
            latency=tuple(self._latency),
            latency_sum_us=self._latency_sum_us,
            committed=ledger.committed,
            services=services,
            last=self._last,
            recent=tuple(self._recent),
            alarms=alarms,
            shift=statistics.shift,
            lot_tally=statistics.lot,
            per_minute=self._per_minute(now, wall_ns),
            to_review=sums.to_review,
            drift=statistics.drift,
            challenge=challenge,
            workshop=self._workshop if now - self._workshop_ns < SILENT_NS else None,
            pixel_bytes=sums.pixel_bytes,
            departed=sums.departed,
            departed_bytes=sums.departed_bytes,
        )

    def status(
        self,
        now: int,
        wall_ns: int,
        current: Current,
        model: str,
        statistics: Statistics,
        alarms: tuple[Alarm, ...],
    ) -> LineStatus:
        """The state of now for the plant. `model`: of the last part."""
        services = self._roster.services(now)
        state = self._state(services, current, statistics)
        return line_status(wall_ns, state, current, model, services, alarms)

    def _state(
        self, services: tuple[ServiceHealth, ...], current: Current, statistics: Statistics
    ) -> tuple[LineState, str]:
        return line_state(Facts(current.mode, services, statistics.part_alarms.faults_in_row))

    def _per_minute(self, now: int, wall_ns: int) -> float:
        """Parts that triggered in the last 60 s; in the first minute, as many as it would be."""
        # What lies in the future is from before the clock was set back, and would hold up the rest.
        while self._minute and not wall_ns - MINUTE_NS < self._minute[0] <= wall_ns:
            self._minute.popleft()
        parts = [at for at in self._minute if at <= wall_ns]
        if not parts:
            return 0.0
        known = min(MINUTE_NS, max(now - self._began, wall_ns - parts[0], SECOND))
        return round(len(parts) * MINUTE_NS / known, 1)
