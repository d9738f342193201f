"""What became of a part, and which decisions may be believed.

Promises: a verdict without a finite score, or with a cause beside it, is told apart from a sound
one.
Never: turns a flawed decision into anything but a fault.
"""

import math
from dataclasses import dataclass

from inspector.core.messages import Decision
from inspector.core.terms import Cause, Kind, Lane, Mode


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one part; `decision` is what it rests on, None when nobody decided.

    `latency_us` is trigger to settlement. The lane follows at once, or, where an earlier part of
    the stream is still open, when that one is settled: at its deadline at the latest.
    """

    camera: str
    stream: str
    seq: int
    trigger_wall_ns: int
    kind: Kind
    cause: Cause | None
    reason: str
    lane: Lane
    latency_us: int
    source: str
    decision: Decision | None
    deadline_ns: int  # monotonic; 0 for a part whose trigger never arrived
    floor: int  # every part of the stream with a lower seq is settled
    mode: Mode = Mode.INSPECT  # of the line when the part came


def flaw(decision: Decision) -> str:
    """Why a decision cannot be believed, or nothing. A fault needs no score."""
    if decision.verdict is Kind.FAULT:
        return ""
    if decision.cause is not None:
        return f"a decision {decision.verdict.value} that names a cause ({decision.cause.value})"
    if decision.score is None or not math.isfinite(decision.score):
        return f"a decision {decision.verdict.value} without a finite score"
    return ""
