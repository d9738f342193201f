"""detect: owns the model. Takes each ticket, looks at the frame in place, says the verdict.

Promises: every ticket is answered with one decision; a frame that cannot be seen whole, checked,
inferred or decided in time is answered with a fault and its cause; another recipe takes effect
between two parts, and only once its model is loaded.
Never: decides with a model whose files are not those of its bundle, or stops for a load.
"""

from collections import deque
from contextlib import ExitStack

from msgspec import structs

from inspector.core.clock import MS, Clock, SystemClock
from inspector.core.config import StationConfig
from inspector.core.current import read_current
from inspector.core.errors import EngineerError
from inspector.core.messages import (
    Cause,
    Decision,
    Event,
    FrameRef,
    FrameTicket,
    Kind,
    Ready,
    Severity,
    StreamBeat,
    SwitchRecipe,
    Timing,
)
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.topology import HEARTBEAT_S, MESSAGES, TICKETS, capture
from inspector.devices.bus import Bus, Outlet
from inspector.devices.engine import Engine, Image, Inference
from inspector.devices.host import options, serve
from inspector.domain.defects import Rectangle, boxes, packed
from inspector.domain.framecheck import focus_of
from inspector.domain.verdict import judge
from inspector.services.detect.frames import Frames
from inspector.services.detect.judge import Judge, Loading, Unseen, load_judge

# Weight of the newest part in the running estimate of how long one takes.
SMOOTHING = 0.1


class Detect:
    """The process: tickets in, decisions out."""

    def __init__(self, config: StationConfig, paths: Paths, bus: Bus, clock: Clock) -> None:
        """Loads the current recipe. Raises MaintainerError when it cannot decide."""
        self._paths, self._clock, self._bus = paths, clock, bus
        self._engine = Engine(config.detect, paths.cache)
        self._judge = load_judge(
            read_current(paths.current, config.line).recipe, paths, self._engine
        )
        self._frames = Frames(paths, config.ring.budget_mb)
        listen = [config.listen.detect] if config.listen else []
        self._inbox = bus.inbox(paths.socket("detect"), *listen, depth=TICKETS)
        self._gate = bus.outlet(paths.socket("gate"), MESSAGES)
        self._record = bus.outlet(paths.socket("record"), MESSAGES)
        self._captures: dict[str, Outlet] = {}
        self._waiting: deque[tuple[FrameTicket, memoryview | None]] = deque()
        self._loading: Loading | None = None
        self._usual_ns = 0.0
        self._deadline = int(config.line.deadline_ms * MS)
        self._pulse = Pulse("detect", clock.monotonic_ns(), HEARTBEAT_S)

    def turn(self) -> bool:
        """One round of the loop: hear all that is there, judge one part."""
        if not self._waiting:
            self._inbox.wait(20 if self._loading else 100)
        for message, payload in self._inbox.drain():
            self._hear(message, payload)
        self._switch()
        if self._waiting:
            self._part(*self._waiting.popleft())
        now = self._clock.monotonic_ns()
        if self._pulse.due(now):
            note = f"{self._judge.recipe.name} {self._judge.model_id}"
            self._record.send(self._pulse.beat(now, "running", len(self._waiting), note))
        return True

    def stop(self) -> None:
        """Nothing is kept here: a ticket still waiting becomes a fault at its deadline."""

    def _hear(self, message: object, payload: memoryview | None) -> None:
        if isinstance(message, FrameTicket):
            self._waiting.append((message if payload is None else self._arrived(message), payload))
        elif isinstance(message, StreamBeat):
            self._answer(message)
        elif isinstance(message, SwitchRecipe):
            self._loading = Loading(message.recipe, self._paths, self._engine)

    def _arrived(self, ticket: FrameTicket) -> FrameTicket:
        """A ticket of another host: its times are on that host's clock, so it counts from now."""
        now = self._clock.monotonic_ns()
        return structs.replace(ticket, trigger_ns=now, deadline_ns=now + self._deadline)

    def _answer(self, beat: StreamBeat) -> None:
        outlet = self._captures.get(beat.camera)
        if outlet is None:
            outlet = self._bus.outlet(self._paths.socket(capture(beat.camera)), MESSAGES)
            self._captures[beat.camera] = outlet
        outlet.send(Ready(service="detect", stream=beat.stream, ready=True))

    def _switch(self) -> None:
        """Put the recipe that has finished loading in force, or report why it cannot be."""
        if self._loading is None or not self._loading.done:
            return
        loading, self._loading = self._loading, None
        if loading.judge is not None:
            loading.judge.fingerprint = self._judge.fingerprint
            self._judge = loading.judge
            text = f"recipe {loading.name} decides with {loading.judge.model_id}"
            self._event(Severity.INFO, "recipe_changed", text)
        else:
            text = f"recipe {loading.name} not loaded, the last one goes on: {loading.error}"
            self._event(Severity.WARNING, "recipe_refused", text)

    def _part(self, ticket: FrameTicket, payload: memoryview | None) -> None:
        started = self._clock.monotonic_ns()
        try:
            if started + self._usual_ns > ticket.deadline_ns:
                raise Unseen(Cause.OVERLOAD, "no time left before the deadline")
            decision = self._decide(ticket, payload, started)
        except Unseen as unseen:
            decision = self._fault(ticket, unseen.cause, unseen.reason)
        except EngineerError as error:
            decision = self._fault(ticket, Cause.ENGINE, str(error))
        self._gate.send(decision)  # if it cannot be sent, the gate's timer speaks
        if decision.cause is not Cause.OVERLOAD:
            took = self._clock.monotonic_ns() - started
            self._usual_ns += SMOOTHING * (took - self._usual_ns)
            self._pulse.took(took)

    def _decide(self, ticket: FrameTicket, payload: memoryview | None, started: int) -> Decision:
        judge_ = self._judge
        ref = ticket.frame if payload is None else self._frames.take_in(ticket, payload)
        region = judge_.region(ref)
        small, focus = self._look(judge_, ticket.camera, ref, region)
        put = self._clock.monotonic_ns()
        judge_.model.start()
        try:
            judge_.check(small, focus)  # while the model works
        finally:
            inference = judge_.model.finish()
        done = self._clock.monotonic_ns()
        timing = Timing(
            queue_us=max(0, started - ticket.trigger_ns) // 1000,
            check_us=(put - started) // 1000,
            inference_us=(done - put) // 1000,
        )
        return self._verdict(ticket, ref, region, inference, timing)

    def _look(
        self, judge_: Judge, camera: str, ref: FrameRef, region: Rectangle
    ) -> tuple[Image, float | None]:
        """Reduce the frame into the model and measure its focus, all before it may change."""
        ring = self._frames.ring(camera)
        frame = ring.view(ref)
        if frame is None:
            raise Unseen(Cause.OVERRUN, "the frame was overwritten before it could be read")
        x, y, width, height = region
        part = frame[y : y + height, x : x + width]
        small = judge_.model.put(part)
        focus = focus_of(part) if judge_.recipe.frame.min_focus else None
        if not ring.still(ref):
            raise Unseen(Cause.OVERRUN, "the frame was overwritten while it was read")
        return small, focus

    def _verdict(
        self,
        ticket: FrameTicket,
        ref: FrameRef,
        region: Rectangle,
        inference: Inference,
        timing: Timing,
    ) -> Decision:
        recipe = self._judge.recipe
        kind, reason = judge(inference.score, recipe.limits)
        if kind is Kind.FAULT:
            raise Unseen(Cause.ENGINE, reason)
        limit = recipe.limits.review
        suspicious = (
            ()
            if kind is Kind.PASS
            else boxes(inference.heatmap, limit, region, recipe.min_defect_px)
        )
        return Decision(
            stream=ticket.stream,
            seq=ticket.seq,
            verdict=kind,
            reason=reason,
            score=inference.score,
            boxes=suspicious,
            heatmap=packed(inference.heatmap, region, limit),
            model=self._judge.model_id,
            recipe=recipe.name,
            timing=timing,
            frame=ref,
        )

    def _fault(self, ticket: FrameTicket, cause: Cause, reason: str) -> Decision:
        return Decision(
            stream=ticket.stream,
            seq=ticket.seq,
            verdict=Kind.FAULT,
            cause=cause,
            reason=reason,
            model=self._judge.model_id,
            recipe=self._judge.recipe.name,
            timing=Timing(),
            frame=ticket.frame if ticket.frame.slot >= 0 else None,
        )

    def _event(self, severity: Severity, code: str, text: str) -> None:
        wall = self._clock.wall_ns()
        event = Event(service="detect", severity=severity, code=code, text=text, wall_ns=wall)
        self._record.send(event)


def main(argv: list[str] | None = None) -> int:
    """Run the process until a signal. Returns the exit code."""

    def build(config: StationConfig, paths: Paths, stack: ExitStack) -> Detect:
        return Detect(config, paths, stack.enter_context(Bus()), SystemClock())

    return serve("detect", options("detect", __doc__).parse_args(argv).root, build)
