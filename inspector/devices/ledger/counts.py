"""What a shift and a lot come to so far, from committed rows.

Promises: windows that are counted are taken from their totals, the others from their parts; a
person's finding counts, golden parts do not, and parts that came while the line was paused are
counted apart.
Never: adds up more than MOST_S back: a lot that nobody ever changes is not one of years.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from inspector.core.clock import SECOND
from inspector.core.live import Tally
from inspector.core.messages import Outcome
from inspector.core.terms import Cause, Kind, Lane
from inspector.devices.ledger import rows
from inspector.domain.challenge import LOT

MOST_S = 31 * 86_400

# Counted windows that begin within the time and have not changed since. A pass is always
# accepted, so what the model did not pass was rejected, but for reviews where they are accepted.
COUNTED = """SELECT sum(total.passed), sum(total.failed), sum(total.review), sum(total.fault),
    sum(total.first_pass), sum(total.triggers - total.first_pass - total.escapes),
    sum(CASE WHEN total.fault THEN coalesce(json_extract(total.causes, '$.paused'), 0) ELSE 0 END)
FROM span JOIN window_total AS total ON total.span_id = span.id
WHERE span.start_s >= :since_s AND span.lot <> :golden AND (:lot IS NULL OR span.lot = :lot)
    AND total.revision =
        (SELECT max(revision) FROM window_total WHERE window_total.span_id = span.id)
    AND NOT EXISTS (SELECT 1 FROM dirty_window WHERE dirty_window.span_id = span.id)"""
# The others: changed since they were counted, or begun before the time.
OPEN = """SELECT span.id FROM dirty_window JOIN span ON span.id = dirty_window.span_id
WHERE span.end_s > :begun_s AND span.lot <> :golden AND (:lot IS NULL OR span.lot = :lot)
UNION SELECT span.id FROM span
WHERE span.start_s < :since_s AND span.start_s >= :since_s - 86400 AND span.end_s > :begun_s
    AND span.lot <> :golden AND (:lot IS NULL OR span.lot = :lot)"""
PARTS = """SELECT outcome.kind, outcome.cause, outcome.lane, finding.verdict, count(*)
FROM outcome LEFT JOIN finding ON finding.outcome_id = outcome.id
WHERE outcome.span_id = ? AND outcome.trigger_wall_ns >= ?
GROUP BY 1, 2, 3, 4"""
# CROSS JOIN keeps the order: only the parts of these windows, not all that there ever were.
ACCEPTED_REVIEWS = """SELECT count(*) FROM span CROSS JOIN outcome
    INDEXED BY outcome_by_span ON outcome.span_id = span.id
WHERE span.start_s >= :since_s AND span.lot <> :golden AND (:lot IS NULL OR span.lot = :lot)
    AND outcome.kind = 'review' AND outcome.lane = 'accept'
    AND NOT EXISTS (SELECT 1 FROM dirty_window WHERE dirty_window.span_id = span.id)"""
# Back from the newest window to the last one of another lot.
OTHER_LOT = """SELECT start_s FROM span WHERE lot <> :lot AND lot <> :golden AND start_s >= :back
ORDER BY start_s DESC LIMIT 1"""
LOT_BEGIN = "SELECT min(start_s) FROM span WHERE start_s >= ? AND lot = ?"


@dataclass(slots=True)
class Counts:
    """A tally that grows. `lot` None: of whatever lot."""

    since_ns: int
    lot: str | None
    counts: Counter[Kind]
    first_pass: int = 0
    rejected: int = 0
    paused: int = 0

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Newly recorded outcomes; those that are not of this tally are passed over."""
        for one in outcomes:
            ours = one.lot == self.lot if self.lot is not None else one.lot != LOT
            if ours and one.lot != LOT and one.trigger_wall_ns >= self.since_ns:
                self._add(one.kind, one.cause, one.lane, None, 1)

    def _add(
        self, kind: Kind, cause: Cause | None, lane: Lane, finding: Kind | None, parts: int
    ) -> None:
        final = finding or kind
        if final is Kind.FAULT and cause is Cause.PAUSED:
            self.paused += parts
            return
        self.counts[final] += parts
        self.rejected += parts * (lane is Lane.REJECT)
        self.first_pass += parts * (kind is Kind.PASS and final is Kind.PASS)

    def tally(self) -> Tally:
        """As the screens show it."""
        return Tally(
            since_wall_ns=self.since_ns,
            counts={kind: self.counts[kind] for kind in Kind},
            first_pass=self.first_pass,
            rejected=self.rejected,
            paused=self.paused,
        )


def nothing_since(since_ns: int, lot: str | None = None) -> Counts:
    return Counts(since_ns, lot, Counter())


def counts_since(
    db: sqlite3.Connection, since_ns: int, lot: str | None = None, reviews_accepted: bool = False
) -> Counts:
    """All parts that triggered at `since_ns` or later. `reviews_accepted`: as the line is
    configured."""
    made = nothing_since(since_ns, lot)
    whole_s = -(-since_ns // SECOND)  # a window that begins within a second begins before it
    asked = {"since_s": whole_s, "begun_s": since_ns // SECOND, "lot": lot, "golden": LOT}
    row = [value or 0 for value in db.execute(COUNTED, asked).fetchone()]
    passed, failed, review, fault, first, rejected, paused = row
    in_order = (passed, failed, review, fault - paused)
    made.counts.update(dict(zip(Kind, in_order, strict=True)))
    made.first_pass, made.rejected, made.paused = first, rejected - paused, paused
    if reviews_accepted:
        made.rejected -= db.execute(ACCEPTED_REVIEWS, asked).fetchone()[0]
    for (span,) in db.execute(OPEN, asked).fetchall():
        for kind, cause, lane, finding, parts in db.execute(PARTS, (span, since_ns)):
            made._add(
                rows.KINDS[kind],
                rows.CAUSES[cause] if cause else None,
                Lane(lane),
                rows.KINDS[finding] if finding else None,
                parts,
            )
    return made


def lot_begin(db: sqlite3.Connection, lot: str, wall_ns: int) -> int:
    """When the lot that is made began, wall clock in ns: the begin of its first window since any
    other lot's, not more than MOST_S back; now where it has none yet."""
    back = wall_ns // SECOND - MOST_S
    other = db.execute(OTHER_LOT, {"lot": lot, "golden": LOT, "back": back}).fetchone()
    (begin,) = db.execute(LOT_BEGIN, (other[0] if other else back, lot)).fetchone()
    return int(begin) * SECOND if begin is not None else wall_ns
