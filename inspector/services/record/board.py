"""What the screens are told: counts, health of the services, the last part, recent alarms.

Promises: at most ten times a second, and at least once a second; the newest state whole.
Never: leaves a service out because it is silent.
"""

from collections import Counter, deque

from inspector.core.clock import MS, SECOND
from inspector.core.config import StationConfig
from inspector.core.current import Current
from inspector.core.messages import Event, Heartbeat, Kind, Live, Outcome, Severity
from inspector.core.topology import processes
from inspector.domain.health import Roster, Survey

FASTEST_NS = 100 * MS
ALARMS = 8


class Board:
    """The state of the line as record knows it."""

    def __init__(self, config: StationConfig, now: int) -> None:
        names = [process.name for process in processes(config)]
        if config.publish is None:
            names.remove("publish")
        self._roster = Roster(names, now)
        self._survey = Survey((), (), ())
        self._counts: Counter[Kind] = Counter()
        self._last: Outcome | None = None
        self._alarms: deque[Event] = deque(maxlen=ALARMS)
        self._changed = True
        self._sent = 0

    def hear(self, heartbeat: Heartbeat, now: int) -> None:
        self._roster.hear(heartbeat, now)

    def count(self, recorded: list[Outcome]) -> None:
        """Take newly recorded outcomes into account."""
        for outcome in recorded:
            self._counts[outcome.kind] += 1
        if recorded:
            self._last = recorded[-1]
            self._changed = True

    def alarm(self, event: Event) -> None:
        """Show an event if it is an alarm."""
        if event.severity is Severity.ALARM:
            self._alarms.appendleft(event)
            self._changed = True

    def survey(self, now: int) -> Survey:
        """Look who is silent; to be called about once a second."""
        self._survey = self._roster.survey(now)
        return self._survey

    def touch(self) -> None:
        """Something that is shown has changed."""
        self._changed = True

    def due(self, now: int) -> bool:
        return now - self._sent >= (FASTEST_NS if self._changed else SECOND)

    def live(self, now: int, wall_ns: int, current: Current, committed: int) -> Live:
        """The state of now."""
        self._sent, self._changed = now, False
        return Live(
            sent_ns=now,
            wall_ns=wall_ns,
            recipe=current.recipe,
            lot=current.lot,
            counts={kind: self._counts[kind] for kind in Kind},
            committed=committed,
            services=self._survey.services,
            last=self._last,
            alarms=tuple(self._alarms),
        )
