"""The station in figures, once a second: what is kept for questions after the fact.

Promises: figures of one moment; what cannot be learned is left out.
Never: waits for a disk or a process.
"""

from collections.abc import Mapping
from pathlib import Path

from inspector.core.live import Live, ServiceHealth
from inspector.core.metrics import Sample, ServiceSample
from inspector.devices.box import temperature
from inspector.devices.load import Load, Taken, average

MB = 1 << 20


class Meter:
    """Looks at the box, for the services that are heard."""

    def __init__(self, load: Load | None = None, thermal: Path | None = None) -> None:
        self._load = load or Load()
        self._thermal = thermal

    def sample(self, live: Live, now: int, ahead_ns: int, free: Mapping[str, int | None]) -> Sample:
        """`live`: the state of now; `ahead_ns`: by how much the time that counts is ahead of the
        box's own; `free`: bytes on the disks of `state` and `evidence`."""
        pids = {one.heartbeat.pid for one in live.services if one.heartbeat.pid}
        taken = self._load.look(pids, now)
        hottest = temperature(self._thermal) if self._thermal else temperature()
        return Sample(
            wall_ns=live.wall_ns,
            state=live.state,
            committed=live.committed,
            per_minute=live.per_minute,
            counts=live.counts,
            services=tuple(_service(one, taken) for one in live.services),
            state_free_mb=_mb(free.get("state")),
            evidence_free_mb=_mb(free.get("evidence")),
            temperature_c=hottest,
            load=average(),
            clock_ahead_s=round(ahead_ns / 1e9, 3),
        )


def _service(one: ServiceHealth, taken: Mapping[int, Taken]) -> ServiceSample:
    beat = one.heartbeat
    known = taken.get(beat.pid)
    return ServiceSample(
        service=beat.service,
        pid=beat.pid,
        state=beat.state,
        restarts=one.restarts,
        handled=beat.handled,
        queue=beat.queue,
        per_s=round(beat.per_s, 2),
        p50_ms=round(beat.p50_ms, 3),
        p99_ms=round(beat.p99_ms, 3),
        cpu_percent=known.cpu_percent if known else None,
        rss_mb=known.rss_mb if known else None,
    )


def _mb(size: int | None) -> int | None:
    return None if size is None else size // MB
