"""One second of the station in figures, as kept for after-the-fact questions.

Promises: figures and fixed words only, nothing made from pixels and no text of a person.
Never: kept longer than RING_S seconds.
"""

from inspector.core.live import LineState
from inspector.core.terms import Count, Frozen, Identifier, Kind, WallTime

RING_S = 600


class ServiceSample(Frozen, frozen=True, kw_only=True):
    """One process, by its newest heartbeat and by the kernel. None: cannot be learned here."""

    service: Identifier
    pid: Count
    state: Identifier
    restarts: Count
    handled: Count
    queue: Count
    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_percent: float | None = None  # of one processor, since the sample before
    rss_mb: float | None = None


class Sample(Frozen, frozen=True, kw_only=True):
    """The station at one moment. `counts` are of this run of record."""

    wall_ns: WallTime
    state: LineState
    committed: Count
    per_minute: float
    counts: dict[Kind, int]
    services: tuple[ServiceSample, ...]
    state_free_mb: int | None = None  # on the disk of the ledger
    evidence_free_mb: int | None = None
    temperature_c: float | None = None
    load: float | None = None  # of the last minute
    clock_ahead_s: float = 0.0  # the time that counts, before the box's own
