"""The second look: a slower model on the same frame, for a part in doubt, when there is time.

Promises: whatever goes wrong with it, the part keeps its first opinion, which is for review.
Never: begins when it would keep this part or another from its deadline.
"""

from collections.abc import Sequence

from inspector.core.clock import Clock
from inspector.core.errors import InspectorError
from inspector.core.messages import FrameTicket
from inspector.core.terms import Kind
from inspector.devices.engine import Inference
from inspector.domain.second_look import Rhythm, Waiting, affordable
from inspector.procedures.judge import Second
from inspector.procedures.opinion import Opinion
from inspector.services.detect.frames import Frames
from inspector.services.detect.look import Look


class SecondLook:
    """Takes second looks on the frames in the rings."""

    def __init__(self, frames: Frames, clock: Clock, deadline_ns: int) -> None:
        """`deadline_ns`: from a trigger to its output."""
        self._frames, self._clock, self._deadline = frames, clock, deadline_ns
        self._rhythm = Rhythm()

    def heard(self, ticket: FrameTicket) -> None:
        """A part has come."""
        self._rhythm.heard(ticket.camera, ticket.trigger_ns)

    def wanted(self, look: Look, opinion: Opinion) -> bool:
        return bool(look.judge.second) and not look.problem and opinion.kind is Kind.REVIEW

    def take(
        self, look: Look, first: Opinion, others_ns: Sequence[int], usual_ns: float
    ) -> tuple[Opinion, int]:
        """The opinion after a second look, and the nanoseconds it took; `first` and 0 when there
        is no time. `others_ns`: deadlines of the parts that wait, which usually take `usual_ns`."""
        second, began = look.judge.second, self._clock.monotonic_ns()
        assert second  # `wanted` says so
        needed, deadline = second.cost.needed_ns, look.ticket.deadline_ns
        slots = self._frames.fewest_slots
        waiting = Waiting(others_ns, usual_ns, self._rhythm.takt_ns, slots)
        if not affordable(began, deadline, needed, self._deadline, waiting):
            second.cost.left_out()
            return first, 0
        inference = self._infer(look, second)
        took = self._clock.monotonic_ns() - began
        if inference is None:
            return first, took
        second.cost.took(took)
        return look.judge.second_opinion(first, inference, look.region), took

    def _infer(self, look: Look, second: Second) -> Inference | None:
        """None when the frame is gone already, or the model gives nothing."""
        x, y, width, height = look.region
        try:
            ring = self._frames.ring(look.ticket.camera)
            frame = ring.view(look.ref)
            if frame is None:
                return None
            second.model.put(frame[y : y + height, x : x + width])
            if not ring.still(look.ref):
                return None
            second.model.start()
            return second.model.finish()
        except InspectorError:
            return None
