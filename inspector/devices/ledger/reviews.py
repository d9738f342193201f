"""What people find, and the queue of parts that they have yet to look at.

Promises: a finding is one more revision and overwrites nothing; taking it back is one more as
well, and then counts as if the finding had never been; in the queue stand exactly the parts that
the line did not pass, that had a verdict and have no finding. Golden parts never enter it.
Never: changes an outcome.
"""

import sqlite3
from collections.abc import Iterable

from inspector.core.errors import OperatorError
from inspector.core.messages import Outcome
from inspector.core.orders import ReviewPart
from inspector.core.terms import Kind
from inspector.devices.ledger import sql
from inspector.devices.ledger.auditing import add_audit
from inspector.devices.ledger.sums import Sums
from inspector.domain.challenge import LOT

LOOKED_AT = frozenset({Kind.FAIL, Kind.REVIEW})  # kinds that a person is to look at
WITHDRAWN = "withdrawn"


def enqueue(db: sqlite3.Connection, fresh: Iterable[tuple[int, Outcome]]) -> Sums:
    """Put newly recorded outcomes, each with its id, into the queue where they belong."""
    ids = [(id,) for id, outcome in fresh if _waits(outcome.kind, outcome.lot)]
    db.executemany(sql.ENQUEUE, ids)
    return Sums(to_review=len(ids))


def add_review(
    db: sqlite3.Connection, review: ReviewPart, who: str, reason: str, wall_ns: int
) -> tuple[int, Sums]:
    """The finding's revision, from 1, and by how much the queue has grown.

    Raises OperatorError when there is no such part, or nothing to be taken back.
    """
    found = db.execute(sql.FIND_PART, (review.stream, review.seq)).fetchone()
    if found is None:
        raise OperatorError(
            f"part {review.seq} of stream {review.stream}: is not recorded; check its number"
        )
    outcome_id, span, kind, lot, last, standing, thinned = found
    if thinned:
        raise OperatorError(
            f"part {review.seq} of stream {review.stream}: its window is too old to be counted "
            "again; see [retention] parts_days"
        )
    withdrawn = review.verdict == WITHDRAWN
    if withdrawn and standing in (None, WITHDRAWN):
        raise OperatorError(
            f"part {review.seq} of stream {review.stream}: has no finding to take back"
        )
    revision = last + 1
    defect_class = review.defect_class if review.verdict == "fail" else ""
    values = (outcome_id, revision, wall_ns, review.verdict, defect_class, who, reason)
    db.execute(sql.ADD_REVIEW, values)
    db.execute(sql.TOUCH_WINDOW, (span, wall_ns))
    detail = {
        "stream": review.stream,
        "seq": str(review.seq),
        "revision": str(revision),
        "verdict": review.verdict,
        "verdict_before": kind if standing in (None, WITHDRAWN) else standing,
        "defect_class": defect_class,
        "reason": reason,
    }
    add_audit(db, who, "review", detail, wall_ns)
    if not withdrawn:
        return revision, Sums(to_review=-_changed(db, sql.DEQUEUE, outcome_id))
    back = _waits(Kind(kind), lot)
    return revision, Sums(to_review=_changed(db, sql.ENQUEUE, outcome_id) if back else 0)


def _waits(kind: Kind, lot: str) -> bool:
    """True when a part without a finding belongs into the queue."""
    return kind in LOOKED_AT and lot != LOT


def _changed(db: sqlite3.Connection, statement: str, outcome_id: int) -> int:
    return db.execute(statement, (outcome_id,)).rowcount
