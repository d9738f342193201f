"""Who of the services is alive, from their heartbeats.

Promises: a service that falls silent is told of once, and once again when it is back; one that
said it was stopping is not missed; one that has started again since it was first heard is counted.
Never: reads a clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import structs

from inspector.core.clock import MS, SECOND
from inspector.core.live import ServiceHealth
from inspector.core.messages import Heartbeat
from inspector.domain.linestate import SILENT_MS

SILENT_S = 3.0
START_S = 15.0  # so long may a service take to its first heartbeat: models load


@dataclass(frozen=True)
class Survey:
    """The services now, and what has changed since the last survey."""

    services: tuple[ServiceHealth, ...]
    fell_silent: tuple[str, ...]
    came_back: tuple[str, ...]


class Roster:
    """The newest heartbeat of each service, by arrival."""

    def __init__(self, expected: Iterable[str], now_ns: int) -> None:
        """`expected`: the names of services that are missed even if they never speak."""
        self._heard = {name: (_expected(name, now_ns), now_ns) for name in expected}
        self._restarts: dict[str, int] = {}
        self._silent: set[str] = set()

    def hear(self, heartbeat: Heartbeat, now_ns: int) -> None:
        name = heartbeat.service
        before, _ = self._heard.get(name, (heartbeat, 0))
        if before.pid and before.started_ns != heartbeat.started_ns:
            self._restarts[name] = self._restarts.get(name, 0) + 1
        self._heard[name] = (heartbeat, now_ns)

    def services(self, now_ns: int) -> tuple[ServiceHealth, ...]:
        """Everyone expected or heard, with the ages of now. A silent one is `silent`, or `stopped`
        if it said so; the screen is quicker with that than the alarm."""
        return tuple(
            _health(*self._heard[name], now_ns, self._restarts.get(name, 0))
            for name in sorted(self._heard)
        )

    def survey(self, now_ns: int) -> Survey:
        """All services, and what has changed."""
        silent = {name for name, heard in self._heard.items() if _missed(*heard, now_ns)}
        fell, back = silent - self._silent, self._silent - silent
        self._silent = silent
        return Survey(self.services(now_ns), tuple(sorted(fell)), tuple(sorted(back)))


def _missed(heartbeat: Heartbeat, heard_ns: int, now_ns: int) -> bool:
    return heartbeat.state != "stopping" and _is_late(heartbeat, heard_ns, now_ns)


def _is_late(
    heartbeat: Heartbeat, heard_ns: int, now_ns: int, silent_ns: float = SILENT_S * SECOND
) -> bool:
    allowed = silent_ns if heartbeat.pid else START_S * SECOND
    return now_ns - heard_ns > allowed


def _health(heartbeat: Heartbeat, heard_ns: int, now_ns: int, restarts: int) -> ServiceHealth:
    if _is_late(heartbeat, heard_ns, now_ns, SILENT_MS * MS):
        state = "stopped" if heartbeat.state == "stopping" else "silent"
        heartbeat = structs.replace(heartbeat, state=state)
    age_ms = max(0, now_ns - heard_ns) // MS
    return ServiceHealth(heartbeat=heartbeat, age_ms=age_ms, restarts=restarts)


def _expected(name: str, now_ns: int) -> Heartbeat:
    """Stands for a service that has not spoken yet; no process has the number 0."""
    return Heartbeat(
        service=name,
        pid=0,
        number=0,
        sent_ns=now_ns,
        started_ns=now_ns,
        state="starting",
        handled=0,
        per_s=0.0,
        queue=0,
        p50_ms=0.0,
        p99_ms=0.0,
    )
