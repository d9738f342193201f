"""Whether there is still time to look at a part before its deadline.

Promises: a part that cannot be decided in time is not begun, so that the next one can be; after
any hold-up, however long, parts are begun again.
Never: reads a clock.
"""

SMOOTHING = 0.1  # weight of the newest part in the running mean
RECOVERY = 0.8  # of the estimate is left after each part that was not begun


class Pace:
    """How long a part usually takes."""

    def __init__(self) -> None:
        self.usual_ns = 0.0

    def fits(self, now: int, deadline_ns: int) -> bool:
        """True when a part begun now is usually decided by its deadline.

        Each refusal lowers the estimate: one slow part must not keep all others out for ever.
        """
        if now + self.usual_ns <= deadline_ns:
            return True
        self.usual_ns *= RECOVERY
        return False

    def took(self, duration_ns: int) -> None:
        """A part was decided in so many nanoseconds."""
        self.usual_ns += SMOOTHING * (duration_ns - self.usual_ns)
