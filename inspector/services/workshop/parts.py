"""The parts that the line shows, each once, while it inspects.

Promises: a part that came before the first look, or while the line was paused or challenged, or
in the short while in which a change takes hold, is never among them.
Never: waits.
"""

from inspector.core.live import Live, RecentPart
from inspector.core.messages import Outcome
from inspector.core.terms import Cause, Mode

SETTLES_S = 1.0  # beyond the deadline: until the parts of a challenge are recorded


class NextParts:
    """What is new in each state of the line."""

    def __init__(self, deadline_ms: float) -> None:
        self.looking = False  # whether the line inspects now
        self._settles_s = deadline_ms / 1000 + SETTLES_S
        self._seen: set[tuple[str, int]] | None = None
        self._from_s = 0.0

    def of(self, live: Live, now_s: float) -> list[RecentPart]:
        """The new parts, oldest first."""
        shown = _shown(live)
        before, self._seen = self._seen, {(part.stream, part.seq) for part in shown}
        if live.mode is not Mode.INSPECT:
            self._from_s = now_s + self._settles_s
        self.looking = now_s >= self._from_s
        if before is None or not self.looking:
            return []
        fresh = [part for part in shown if (part.stream, part.seq) not in before]
        return [part for part in reversed(fresh) if part.cause is not Cause.PAUSED]


def _shown(live: Live) -> list[RecentPart]:
    """Newest first; the last part is among the recent ones, or stands alone."""
    found = list(live.recent)
    if live.last and not any(_same(part, live.last) for part in found):
        found.insert(0, RecentPart.of(live.last))
    return found


def _same(part: RecentPart, outcome: Outcome) -> bool:
    return (part.stream, part.seq) == (outcome.stream, outcome.seq)
