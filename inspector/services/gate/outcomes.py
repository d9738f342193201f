"""From a settled part to the outcome that is recorded.

Promises: an outcome carries no score that is not a finite number; what cannot be kept any more is
a small fault; a part whose turn came after its deadline is a fault; a golden part is of the
challenge's lot.
Never: changes what became of a part otherwise.
"""

import math

from msgspec import structs

from inspector.core.current import Current
from inspector.core.messages import Outcome
from inspector.core.terms import Cause, Kind, Lane, Mode, Timing
from inspector.domain.challenge import LOT
from inspector.domain.settlement import Settlement


def outcome_of(part: Settlement, made: Current, model: str) -> Outcome:
    """The outcome, not yet numbered. `made`: the part's recipe and lot; `model`: the one that
    decides at present, for a part without a decision."""
    decision = part.decision
    score = decision.score if decision else None
    return Outcome(
        number=0,
        camera=part.camera,
        stream=part.stream,
        seq=part.seq,
        trigger_wall_ns=part.trigger_wall_ns,
        kind=part.kind,
        cause=part.cause,
        reason=part.reason,
        lane=part.lane,
        score=score if score is not None and math.isfinite(score) else None,
        boxes=decision.boxes if decision else (),
        heatmap=decision.heatmap if decision else None,
        model=(decision.model if decision else "") or model,
        recipe=made.recipe,
        lot=LOT if part.mode is Mode.CHALLENGE else made.lot,
        latency_us=part.latency_us,
        timing=decision.timing if decision else Timing(),
        frame=decision.frame if decision else None,
        source=part.source,
    )


def overdue(outcome: Outcome) -> Outcome:
    """The fault that an accept becomes when the parts before it held it beyond its deadline."""
    return _fault(outcome, Cause.LATE, "decided in time, its turn at the output came too late")


def unrecordable(outcome: Outcome) -> Outcome:
    """The fault, small, that a part becomes when outcomes can no longer be kept."""
    if outcome.kind is not Kind.FAULT:
        outcome = _fault(outcome, Cause.RECORD, "outcomes can no longer be recorded")
    return structs.replace(outcome, boxes=(), heatmap=None)


def _fault(outcome: Outcome, cause: Cause, reason: str) -> Outcome:
    return structs.replace(outcome, kind=Kind.FAULT, cause=cause, reason=reason, lane=Lane.REJECT)
