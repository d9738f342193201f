"""What the log is told of parts: the first fault of its kind, and once a minute how many of which.

Promises: a part that was inspected in time leaves no line of its own; of the parts that were not,
each cause has one line a minute at most, with the part and all it is about as fields; the summary
counts every part, and says nothing where none came.
Never: reads a clock, or sends anything.
"""

import logging
from collections import Counter
from collections.abc import Iterable

from inspector.core.clock import SECOND
from inspector.core.journal import Sparing, about, about_part, part_name
from inspector.core.messages import Outcome
from inspector.core.terms import Cause, Kind

SUMMARY_NS = 60 * SECOND


class Telling:
    """Over the parts of one run of record, as they are recorded."""

    def __init__(self, log: logging.Logger, now_ns: int) -> None:
        self._log = log
        self._sparing = Sparing()
        self._kinds: Counter[Kind] = Counter()
        self._causes: Counter[Cause] = Counter()
        self._since = now_ns

    def hear(self, recorded: Iterable[Outcome], now_ns: int) -> None:
        """Newly recorded outcomes; to be called as well when there are none."""
        for outcome in recorded:
            self._kinds[outcome.kind] += 1
            if outcome.cause:
                self._causes[outcome.cause] += 1
                self._fault(outcome, outcome.cause, now_ns)
        if now_ns - self._since >= SUMMARY_NS:
            self._summary()
            self._since = now_ns

    def _fault(self, outcome: Outcome, cause: Cause, now_ns: int) -> None:
        """The first of its cause for some time. A person who pauses knows of it."""
        if cause is Cause.PAUSED or not self._sparing.due(cause, now_ns):
            return
        part = part_name(outcome.camera, outcome.seq)
        text = f"part {part}: fault ({cause.value}), {outcome.reason}"
        self._log.warning(text, extra=about_part(outcome, "fault"))

    def _summary(self) -> None:
        if not self._kinds:
            return
        kinds = ", ".join(f"{kind.value} {self._kinds[kind]}" for kind in Kind)
        causes = ", ".join(f"{cause.value} {count}" for cause, count in self._causes.items())
        text = f"{self._kinds.total()} parts: {kinds}" + (f" ({causes})" if causes else "")
        self._log.info(text, extra=about({"EVENT": "parts", "SERVICE": "record"}))
        self._kinds.clear()
        self._causes.clear()
