"""Statistics of the parts: what shift and lot come to, how scores drift, what the parts call for.

Promises: counted anew from the ledger at the start, with every new shift or lot and after a
review, and in step with every commit in between.
Never: holds up a commit: what cannot be read now is read a second later.
"""

from collections.abc import Iterator
from datetime import tzinfo

from inspector.core.clock import Clock
from inspector.core.config import StationConfig
from inspector.core.live import Tally
from inspector.core.messages import Outcome
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.devices.ledger.counts import counts_since, lot_begin, nothing_since
from inspector.devices.ledger.scores import scores_of
from inspector.domain.drift import CALM, Drift, counts_for_drift
from inspector.domain.part_alarms import PartAlarms, Word
from inspector.domain.shift import shift_start


class Statistics:
    """What is counted of the parts, and what follows from it."""

    def __init__(self, config: StationConfig, clock: Clock, zone: tzinfo) -> None:
        self.part_alarms = PartAlarms(config.alarms)
        self._alarms, self._line = config.alarms, config.line
        self._clock, self._zone = clock, zone
        self._stale = True
        self._shift = nothing_since(self._shift_start())
        self._lot = nothing_since(clock.wall_ns(), "")
        self._drift = Drift("", config.alarms.drift_parts)
        self._drifts: bool | None = None  # as told; None: not told in this run

    @property
    def shift(self) -> Tally:
        return self._shift.tally()

    @property
    def lot(self) -> Tally:
        return self._lot.tally()

    @property
    def drift(self) -> float | None:
        return self._drift.index

    def count(self, recorded: list[Outcome], ledger: Ledger) -> Iterator[Word]:
        """Newly recorded outcomes; what begins or is over with them. Raises Damaged."""
        self._shift.add(recorded)
        self._lot.add(recorded)
        for outcome in recorded:
            yield from self.part_alarms.hear(outcome)
        judged = [one for one in recorded if counts_for_drift(one)]
        if judged and judged[-1].model != self._drift.model:
            self._drift = self._drift_of(judged[-1].model, ledger)
            return
        for one in judged:
            if one.model == self._drift.model and one.score is not None:
                self._drift.take(one.score)

    def recount(self) -> None:
        """Something recorded has changed: a review, or another ledger."""
        self._stale = True

    def turn(self, lot: str, ledger: Ledger) -> Iterator[Word]:
        """Once a second: another shift, another lot, drift. Raises Damaged."""
        begin = self._shift_start()
        if self._stale or begin != self._shift.since_ns or lot != self._lot.lot:
            self._stale = not self._read(begin, lot, ledger)
        yield from self._look_for_drift()

    def _read(self, begin: int, lot: str, ledger: Ledger) -> bool:
        """Count from the ledger. False when it cannot be read now."""
        accepted, wall = self._line.review_lane == "accept", self._clock.wall_ns()
        try:
            self._shift, self._lot = ledger.write(
                lambda db: (
                    counts_since(db, begin, None, accepted),
                    counts_since(db, lot_begin(db, lot, wall), lot, accepted),
                )
            )
        except CannotWrite:
            return False
        return True

    def _drift_of(self, model: str, ledger: Ledger) -> Drift:
        """The scores of a model that decides from now on, those just recorded among them."""
        parts = self._alarms.drift_parts
        try:
            first, newest = ledger.write(lambda db: scores_of(db, model, parts))
        except CannotWrite:
            return Drift(model, parts)
        return Drift(model, parts, first, newest)

    def _look_for_drift(self) -> Iterator[Word]:
        index, limit = self._drift.index, self._alarms.drift
        if index is None:
            calm, drifts = self._drifts is True, False  # another model
        else:
            drifts = bool(limit) and index >= limit
            calm = not limit or index < CALM * limit
        if drifts and not self._drifts:
            text = f"index {index:.2f}, from {limit:g} on there is drift"
            yield Word("drift", "record", text)
            self._drifts = True
        elif calm and self._drifts is not False:
            yield Word("drift", "record")
            self._drifts = False

    def _shift_start(self) -> int:
        return shift_start(self._clock.wall_ns(), self._line.shifts, self._zone)
