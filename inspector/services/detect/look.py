"""One part on its way through the model, and what the gate is told of it.

Promises: a decision names the model and the recipe that made it, and how long each step took.
Never: holds pixels longer than the ring does.
"""

from dataclasses import dataclass

from inspector.core.messages import Decision, FrameTicket
from inspector.core.terms import FrameRef, Kind, Timing
from inspector.devices.engine import Image
from inspector.domain.defects import Rectangle
from inspector.procedures.judge import Judge, Unseen
from inspector.procedures.opinion import Opinion


@dataclass
class Look:
    """One part on its way through the model. Times are monotonic nanoseconds."""

    ticket: FrameTicket
    ref: FrameRef
    judge: Judge
    region: Rectangle
    small: Image  # what the model sees
    focus: float | None
    begun_ns: int
    started_ns: int = 0
    problem: str | None = None  # what the frame check says of it
    held_up: bool = False  # by a second look at the part before: tells nothing of its own pace


def decision(look: Look, opinion: Opinion, done_ns: int, second_ns: int) -> Decision:
    """A verdict. `done_ns`: when the first look was over; `second_ns`: what the second took."""
    return Decision(
        stream=look.ticket.stream,
        seq=look.ticket.seq,
        verdict=opinion.kind,
        reason=opinion.reason,
        score=opinion.score,
        boxes=opinion.boxes,
        heatmap=opinion.heatmap,
        model=look.judge.model_id,
        recipe=look.judge.recipe.name,
        timing=Timing(
            queue_us=max(0, look.begun_ns - look.ticket.trigger_ns) // 1000,
            check_us=(look.started_ns - look.begun_ns) // 1000,
            inference_us=(done_ns - look.started_ns) // 1000,
            second_us=second_ns // 1000,
        ),
        frame=look.ref,
    )


def fault(
    ticket: FrameTicket, unseen: Unseen, model: str, recipe: str, ref: FrameRef | None
) -> Decision:
    """There is no verdict on this part. `model`: empty where none is loaded."""
    ref = ref or ticket.frame
    return Decision(
        stream=ticket.stream,
        seq=ticket.seq,
        verdict=Kind.FAULT,
        cause=unseen.cause,
        reason=unseen.reason,
        model=model,
        recipe=recipe,
        timing=Timing(),
        frame=ref if ref.slot >= 0 else None,
    )
