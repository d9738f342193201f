"""Retention: the ledger lets go what is old or too much, in small steps between two commits.

Promises: a step takes some milliseconds, so that no commit waits for it; what has to stay although
it is too much is told of, and that it goes on.
Never: decides what is old; that is `domain.retention`.
"""

import sqlite3
from collections.abc import Callable

from inspector.core.clock import MS, SECOND, Clock
from inspector.core.config import StationConfig
from inspector.core.terms import Severity
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.devices.ledger.thinning import (
    Thinned,
    thin_departures,
    thin_events,
    thin_parts,
    thin_windows,
)
from inspector.domain.retention import Cutoffs, Pace, Quota, beyond_quota, cutoffs
from inspector.services.record.events import Events

BUSY_NS = 100 * MS  # between two steps while there is something to do
IDLE_NS = 10 * SECOND  # and while there is nothing


class Retaining:
    """Of one ledger at a time."""

    def __init__(
        self, config: StationConfig, events: Events, clock: Clock, sure_ns: Callable[[], int]
    ) -> None:
        """`sure_ns`: the wall clock's time by which things are old; a clock that is wrong for a
        while must not let go what is young."""
        self._settings, self._events = config.retention, events
        self._clock, self._sure_ns = clock, sure_ns
        # Where nothing leaves the station, no totals wait to be delivered.
        self._hold_pending = config.publish is not None
        self._quota, self._pace = Quota(config.retention.ledger_mb), Pace()
        self._next_ns = 0
        self._from_s = 0

    def turn(self, ledger: Ledger) -> None:
        """A step, if it is time for one. Raises Damaged."""
        now = self._clock.monotonic_ns()
        if now < self._next_ns:
            return
        try:
            deleted = self._step(ledger)
        except CannotWrite:  # which the commits tell of
            self._next_ns = now + IDLE_NS
            return
        self._pace.took(self._clock.monotonic_ns() - now, deleted)
        self._next_ns = now + (BUSY_NS if deleted or self._from_s else IDLE_NS)

    def _step(self, ledger: Ledger) -> int:
        """How many rows have gone."""
        wall, passed = self._sure_ns(), self._quota.look(ledger.size())
        old, limits = cutoffs(self._settings, wall), beyond_quota(wall)
        done = self._thin(ledger, limits if passed else old)
        if not done and passed and not self._from_s:
            done = self._thin_rest(ledger, limits)
        self._tell(passed and not done and not self._from_s)
        return done or self._thin_rest(ledger, old)

    def _thin(self, ledger: Ledger, limits: Cutoffs) -> int:
        most, place = self._pace.most, self._from_s

        def work(db: sqlite3.Connection) -> Thinned:
            return thin_parts(db, limits.parts_s, place, most, self._hold_pending)

        done = ledger.thin(work)
        self._from_s = done.next_s or 0
        return done.deleted

    def _thin_rest(self, ledger: Ledger, limits: Cutoffs) -> int:
        most = self._pace.most

        def work(db: sqlite3.Connection) -> int:
            return (
                thin_departures(db, limits.departures_ns, most)
                or thin_events(db, limits.events_ns, most)
                or thin_windows(db, limits.totals_s, most)
            )

        return ledger.write(work)

    def _tell(self, waits: bool) -> None:
        if waits:
            text = (
                f"the ledger is beyond retention.ledger_mb = {self._settings.ledger_mb}, and what "
                "is left has to stay: totals that are not delivered, or the last hour"
            )
            self._events.once(Severity.WARNING, "retention_waits", text)
        elif not self._quota.passed:
            text = "the ledger is within retention.ledger_mb again"
            self._events.over("retention_waits", "retention_goes_on", text)
