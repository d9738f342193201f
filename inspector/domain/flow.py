"""How much may be handed over at once, by what has been answered lately.

Promises: what is on its way is about what is answered within a second, and at least what the
broker takes at once; so whatever is handed over next waits about a second, however slow the way.
Never: reads a clock.
"""

from collections import deque

from inspector.core.clock import SECOND

MOST = 1500


class Flow:
    """Answers of the last second. Times are monotonic nanoseconds."""

    def __init__(self) -> None:
        self._answers: deque[int] = deque()

    def answered(self, now: int) -> None:
        self._answers.append(now)

    def width(self, least: int, now: int) -> int:
        """How much may be on its way now."""
        while self._answers and self._answers[0] <= now - SECOND:
            self._answers.popleft()
        return max(least, min(len(self._answers), MOST))
