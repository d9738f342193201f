"""A rate limit: some at once, then one every so often, and a count of what was left out.

Promises: over any time, no more than the burst and one for each interval.
Never: reads a clock.
"""


class RateLimit:
    """Of one kind of thing. Times are monotonic, in nanoseconds."""

    def __init__(self, burst: int, every_ns: int, now: int) -> None:
        self.left_out = 0
        self._most = burst * every_ns
        self._every = every_ns
        self._saved = self._most
        self._at = now

    def ready(self, now: int) -> bool:
        """True when there is one to be had."""
        self._saved = min(self._most, self._saved + max(0, now - self._at))
        self._at = max(now, self._at)
        return self._saved >= self._every

    def take(self, now: int) -> bool:
        """True when there was one to be had; otherwise it is counted as left out."""
        if not self.ready(now):
            self.left_out += 1
            return False
        self._saved -= self._every
        return True
