"""detect: owns the model. Takes each ticket, looks at the frame in place, says the verdict.

Promises: every ticket is answered with one decision; a frame that cannot be seen whole, checked,
inferred or decided in time is answered with a fault and its cause; another recipe or model takes
effect between two parts, and only once it is loaded and proven on this box.
Never: decides with a model that has not been proven (where there is none, every part is a fault),
or stops for a load.
"""

from collections import deque
from contextlib import ExitStack

from msgspec import structs

from inspector.core.clock import MS, SECOND, Clock, SystemClock
from inspector.core.config import RemoteCamera, StationConfig
from inspector.core.current import read_current, recipes_to_try
from inspector.core.errors import EngineerError, InspectorError
from inspector.core.journal import LEVELS, about_event
from inspector.core.messages import Event, FrameTicket, Ready, StreamBeat, SwitchRecipe
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.terms import Cause, FrameRef, Kind, Severity
from inspector.core.topology import HEARTBEAT_S, LINE, MESSAGES, TICKETS, capture
from inspector.devices.bus import Bus, Inbox, Outlet
from inspector.devices.engine import Engine, Image, Inference
from inspector.devices.host import log_to_stderr, options, serve
from inspector.domain.defects import Rectangle
from inspector.domain.framecheck import complaint, focus_of, measure
from inspector.domain.pace import Pace
from inspector.procedures.judge import Judge, Unseen
from inspector.procedures.loading import Loader, ModelRefused
from inspector.services.detect.again import SecondLook
from inspector.services.detect.frames import Frames
from inspector.services.detect.loading import Loading
from inspector.services.detect.look import Look, decision, fault

LAST_S = 1.0  # for the parts that wait when detect is to end


class Detect:
    """The process: tickets in, decisions out."""

    def __init__(self, config: StationConfig, paths: Paths, bus: Bus, clock: Clock) -> None:
        """Loads the current recipe, or the next best. Raises MaintainerError when the configured
        device is not there."""
        self._log = log_to_stderr("detect")
        self._paths, self._clock, self._bus = paths, clock, bus
        self._loader = Loader(paths, Engine(config.detect, paths.cache))
        self._unsaid: deque[Event] = deque(maxlen=100)  # events that record has yet to hear
        self._recipe = ""  # in force, or the one that ought to be
        self._unproven = ""  # why there is no judge
        self._judge = self._first_judge(config)
        self._frames = Frames(paths, config.ring.budget_mb)
        self._inbox = bus.inbox(paths.socket("detect"), depth=TICKETS)
        self._far = bus.inbox(config.listen.detect, depth=TICKETS) if config.listen else None
        self._far_cameras = {
            camera.name for camera in config.cameras if isinstance(camera, RemoteCamera)
        }
        self._gate = bus.outlet(paths.socket("gate"), MESSAGES)
        self._record = bus.outlet(paths.socket(LINE), MESSAGES)
        self._captures: dict[str, Outlet] = {}
        self._waiting: deque[tuple[FrameTicket, memoryview | None]] = deque()
        self._loading: Loading | None = None
        self._working: Look | None = None  # in the model now
        self._fingerprints: dict[str, int] = {}  # of each camera's last frame
        self._pace = Pace()
        self._deadline = int(config.line.deadline_ms * MS)
        self._second = SecondLook(self._frames, clock, self._deadline)
        self._pulse = Pulse("detect", clock.monotonic_ns(), HEARTBEAT_S)

    def _first_judge(self, config: StationConfig) -> Judge | None:
        """The recipe in force, or the next best that can be loaded: a damaged model must not keep
        the line down while another is there. None when no proven model is there at all."""
        refused: list[InspectorError] = []
        names = recipes_to_try(read_current(self._paths.current, config.line), config.line)
        for name in names:
            try:
                found = self._loader.best(name)
            except InspectorError as error:
                refused.append(error)
                continue
            self._tell_in_force(found)  # before what is wrong: it ends what was wrong before
            if refused:
                self._event(Severity.ALARM, "recipe_unusable", f"the one in force: {refused[0]}")
            self._take_up(found)
            return found
        self._recipe, self._unproven = names[0], f"no proven model is loaded: {refused[0]}"
        text = f"every part is rejected, {self._unproven}"
        self._event(Severity.ALARM, "model_refused", text)
        return None

    def _take_up(self, judge_: Judge) -> None:
        self._recipe, self._unproven = judge_.recipe.name, ""
        if judge_.instead_of:
            text = f"{judge_.instead_of}; {judge_.model_id}, in use before, decides instead"
            self._event(Severity.ALARM, "model_refused", text)

    def turn(self) -> bool:
        """One round of the loop: while the model works on a part, the next one is prepared."""
        if not (self._waiting or self._working):
            self._inbox.wait(20 if self._loading else 5 if self._far else 100)
        self._listen()
        self._switch()
        look = self._begin(*self._waiting.popleft()) if self._waiting else None
        done, self._working = self._working, None
        inference = self._finish(done) if done else None
        if look:
            look.started_ns = self._clock.monotonic_ns()
            look.judge.model.start()
            self._working = look
        if done and inference:
            self._conclude(done, inference)
        if look:
            look.problem = self._check(look)
        self._speak()
        return True

    def stop(self) -> None:
        """Decide on what came before the end; what is left then becomes a fault at its deadline."""
        until = self._clock.monotonic_ns() + int(LAST_S * SECOND)
        while self._clock.monotonic_ns() < until:
            if not (self._waiting or self._working or self._inbox.wait(0)):
                return
            self.turn()

    def _listen(self) -> None:
        for message, payload in self._inbox.drain():
            self._hear(message, payload)
        if self._far:
            self._hear_far(self._far)

    def _hear(self, message: object, payload: memoryview | None) -> None:
        if isinstance(message, FrameTicket):
            ticket = message if payload is None else self._arrived(message)
            self._second.heard(ticket)
            self._waiting.append((ticket, payload))
        elif isinstance(message, StreamBeat):
            self._answer(message)
        elif isinstance(message, SwitchRecipe):
            # Where nothing decides, the model that was in use before is better than none.
            load = self._loader.chosen if self._judge else self._loader.best
            self._loading = Loading(message.recipe, load)

    def _hear_far(self, inbox: Inbox) -> None:
        """The network may bring frames and beats of the configured cameras, and nothing else."""
        for message, payload in inbox.drain(TICKETS):
            if isinstance(message, StreamBeat) and message.camera in self._far_cameras:
                self._answer(message)
            elif isinstance(message, FrameTicket) and message.camera in self._far_cameras:
                self._hear(message, memoryview(b"") if payload is None else payload)
            else:
                inbox.refused += 1

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
            self._judge = loading.judge
            self._tell_in_force(loading.judge)
            self._take_up(loading.judge)
            return
        goes_on = "the last one goes on" if self._judge else "every part is rejected"
        text = f"recipe {loading.name} not loaded, {goes_on}: {loading.error}"
        self._event(Severity.WARNING, "recipe_refused", text)
        if isinstance(loading.error, ModelRefused):
            self._event(Severity.ALARM, "model_refused", f"{loading.error}; {goes_on}")

    def _begin(self, ticket: FrameTicket, payload: memoryview | None) -> Look | None:
        """Look at a part's frame, or decide at once why that cannot be."""
        now, judge_ = self._clock.monotonic_ns(), self._judge
        try:
            if judge_ is None:
                raise Unseen(Cause.MODEL, self._unproven)
            if not self._pace.fits(now, ticket.deadline_ns):
                raise Unseen(Cause.OVERLOAD, "no time left before the deadline")
            ref = ticket.frame if payload is None else self._frames.take_in(ticket, payload)
            region = judge_.region(ref)
            small, focus = self._reduce(judge_, ticket.camera, ref, region)
        except Unseen as unseen:
            self._fault(ticket, judge_, unseen)
        except InspectorError as error:  # no room for a far camera's ring, pixels that do not fit
            self._fault(ticket, judge_, Unseen(Cause.ENGINE, str(error)))
        else:
            return Look(ticket, ref, judge_, region, small, focus, now)
        return None

    def _reduce(
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

    def _check(self, look: Look) -> str | None:
        """What the frame check says, compared with the same camera's frame before."""
        facts = measure(look.small, look.focus)
        before = self._fingerprints.get(look.ticket.camera)
        self._fingerprints[look.ticket.camera] = facts.fingerprint
        return complaint(facts, before, look.judge.recipe.frame)

    def _finish(self, look: Look) -> Inference | None:
        try:
            return look.judge.model.finish()
        except EngineerError as error:
            self._fault(look.ticket, look.judge, Unseen(Cause.ENGINE, str(error)), look.ref)
        return None

    def _conclude(self, look: Look, inference: Inference) -> None:
        """The verdict on a part whose inference is there."""
        done, second_ns = self._clock.monotonic_ns(), 0
        opinion = look.judge.first_opinion(inference, look.region)
        if look.problem:
            self._fault(look.ticket, look.judge, Unseen(Cause.FRAME, look.problem), look.ref)
        elif opinion.kind is Kind.FAULT:
            self._fault(look.ticket, look.judge, Unseen(Cause.ENGINE, opinion.reason), look.ref)
        else:
            if self._second.wanted(look, opinion):
                self._listen()  # who else is waiting by now?
                usual = self._pace.usual_ns
                opinion, second_ns = self._second.take(look, opinion, self._others(), usual)
            self._gate.send(decision(look, opinion, done, second_ns))
        if self._working and second_ns:
            self._working.held_up = True
        if not look.held_up:
            self._pace.took(done - look.begun_ns)
        self._pulse.took(done - look.begun_ns + second_ns)

    def _others(self) -> list[int]:
        """The deadlines of the parts in the model and before it."""
        working = [self._working.ticket.deadline_ns] if self._working else []
        return working + [ticket.deadline_ns for ticket, _ in self._waiting]

    def _fault(
        self, ticket: FrameTicket, judge_: Judge | None, unseen: Unseen, ref: FrameRef | None = None
    ) -> None:
        """Tell the gate that there is no verdict; if it cannot be sent, the gate's timer speaks."""
        model, recipe = (judge_.model_id, judge_.recipe.name) if judge_ else ("", self._recipe)
        self._gate.send(fault(ticket, unseen, model, recipe, ref))

    def _speak(self) -> None:
        while self._unsaid and self._record.send(self._unsaid[0]):
            self._unsaid.popleft()
        now = self._clock.monotonic_ns()
        if self._pulse.due(now):
            judge_ = self._judge
            state = "running" if judge_ else "degraded"
            note = f"{judge_.recipe.name} {judge_.model_id}" if judge_ else self._unproven
            self._record.send(self._pulse.beat(now, state, len(self._waiting), note))

    def _tell_in_force(self, judge_: Judge) -> None:
        text = f"recipe {judge_.recipe.name} decides with {judge_.model_id}"
        self._event(Severity.INFO, "recipe_changed", text)

    def _event(self, severity: Severity, code: str, text: str) -> None:
        wall = self._clock.wall_ns()
        event = Event(service="detect", severity=severity, code=code, text=text, wall_ns=wall)
        self._log.log(LEVELS[severity], text, extra=about_event(event))
        self._unsaid.append(event)


def main(argv: list[str] | None = None) -> int:
    """Run the process until a signal. Returns the exit code."""

    def build(config: StationConfig, paths: Paths, stack: ExitStack) -> Detect:
        return Detect(config, paths, stack.enter_context(Bus()), SystemClock())

    return serve("detect", options("detect", __doc__).parse_args(argv).root, build)
