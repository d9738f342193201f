"""What a service says of itself once a second: counts and times since its last heartbeat.

Promises: percentiles are of the parts since the last heartbeat; rates are over the true interval.
Never: keeps more than a bounded number of samples.
"""

import os
from collections import deque

from inspector.core.clock import MS, SECOND
from inspector.core.messages import Heartbeat

SAMPLES = 2000


class Pulse:
    """Collects between heartbeats and makes the next one."""

    def __init__(self, service: str, now_ns: int, every_s: float) -> None:
        self.service = service
        self.handled = 0
        self._started = now_ns
        self._number = 0
        self._every = int(every_s * SECOND)
        self._last = now_ns - self._every
        self._handled_before = 0
        self._samples: deque[int] = deque(maxlen=SAMPLES)

    def took(self, duration_ns: int) -> None:
        """One part handled, in so many nanoseconds."""
        self.handled += 1
        self._samples.append(duration_ns)

    def due(self, now_ns: int) -> bool:
        return now_ns - self._last >= self._every

    def beat(self, now_ns: int, state: str, queue: int = 0, note: str = "") -> Heartbeat:
        """The heartbeat of now; starts the next interval."""
        elapsed = max(1, now_ns - self._last) / SECOND
        p50, p99 = _percentiles(sorted(self._samples))
        message = Heartbeat(
            service=self.service,
            pid=os.getpid(),
            number=self._number,
            sent_ns=now_ns,
            started_ns=self._started,
            state=state,
            handled=self.handled,
            per_s=(self.handled - self._handled_before) / elapsed,
            queue=queue,
            p50_ms=p50,
            p99_ms=p99,
            note=note,
        )
        self._number += 1
        self._last, self._handled_before = now_ns, self.handled
        self._samples.clear()
        return message


def _percentiles(samples: list[int]) -> tuple[float, float]:
    """p50 and p99 in milliseconds; 0 where there are no samples."""
    if not samples:
        return 0.0, 0.0
    last = len(samples) - 1
    return samples[round(last * 0.5)] / MS, samples[round(last * 0.99)] / MS
