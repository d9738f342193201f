"""The gate's loop: triggers, beats and decisions in, lanes and outcomes out.

Promises: every part gets its outcome at the deadline at the latest; an outcome is in the spool
before the output is driven and before `record` hears of it; the parts of a stream are concluded in
the order of their triggers, so that a PLC which counts sees no part in another's place; what
`record` has not acknowledged is sent again, in order and without a gap; when outcomes can no longer
be kept, no part is accepted, and none that comes while a person has paused the inspection.
Never: waits for anything but the next message or deadline, and at an orderly stop for `record`.
"""

import logging
from contextlib import ExitStack, closing

from inspector.core.clock import MS, SECOND, Clock, SystemClock
from inspector.core.config import ModbusOutput as ModbusConfig
from inspector.core.config import RemoteCamera, StationConfig
from inspector.core.current import read_current
from inspector.core.journal import Sparing, about_event
from inspector.core.messages import (
    Decision,
    Event,
    Outcome,
    Ready,
    Recorded,
    SetMode,
    Settled,
    StreamBeat,
    SwitchRecipe,
    Trigger,
)
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.terms import Lane, Mode, Severity
from inspector.core.topology import HEARTBEAT_S, LINE, MESSAGES, capture
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Bus, Outlet
from inspector.devices.host import options, serve
from inspector.devices.modbus import ModbusOutput
from inspector.devices.outputs import Output, VirtualOutput
from inspector.devices.spool import Spool
from inspector.domain.changeover import Changeover
from inspector.domain.gatekeeping import Gatekeeper, Limits
from inspector.domain.release import NO_CAMERA, LaneCommand, Release
from inspector.domain.settlement import Settlement
from inspector.services.gate.courier import Courier
from inspector.services.gate.far import Far
from inspector.services.gate.guard import Guard
from inspector.services.gate.outcomes import outcome_of, overdue, unrecordable

TICK_NS = 10 * MS
FAR_NS = 2 * MS  # how often the endpoint of other hosts is looked at
# Outcomes go to record in small batches: they are safe in the spool, record commits far more
# rarely, and waking it for each part would take time from the next one.
DELIVER_NS = 8 * MS
FAREWELL_NS = 1500 * MS  # at a stop, how long record may take to acknowledge
DRAIN_WINDOW = 64  # the most parts a draining camera has on their way (line.in_flight)
BATCH = 200


class Gate:
    """The process: messages and time in, outcomes out."""

    def __init__(
        self,
        config: StationConfig,
        paths: Paths,
        bus: Bus,
        clock: Clock,
        output: Output,
        guard: Guard | None = None,
    ) -> None:
        self._clock, self._output, self._guard = clock, output, guard
        now = clock.monotonic_ns()
        # Numbers begin with the time, so that an acknowledgement from before a reboot, which
        # empties the spool, never seems to mean the outcomes after it.
        spool = Spool(paths.spool, first_number=clock.wall_ns() // 1000)
        self._limits = Limits(
            deadline_ns=int(config.line.deadline_ms * MS),
            review_lane=Lane(config.line.review_lane),
        )
        remote = {camera.name for camera in config.cameras if isinstance(camera, RemoteCamera)}
        self._keeper = Gatekeeper(self._limits, spool.settled(), remote)
        self._release = Release()
        self._inbox = bus.inbox(paths.socket("gate"), depth=MESSAGES)
        self._far = config.listen and Far(bus.inbox(config.listen.gate, depth=MESSAGES), remote)
        self._record = bus.outlet(paths.socket(LINE), MESSAGES)
        self._courier = Courier(spool, self._record, now)
        self._captures = {
            camera.name: bus.outlet(paths.socket(capture(camera.name)), MESSAGES)
            for camera in config.cameras
            if camera.name not in remote
        }
        self._index = {camera.name: index for index, camera in enumerate(config.cameras)}
        self._draining: dict[str, bool] = {}  # stream: every Settled so far was taken
        current = read_current(paths.current, config.line)
        self._changeover = Changeover(current)
        self._holds = config.line.pause == "hold"
        self._take_mode(current.mode)
        self._model = ""
        self._pulse = Pulse("gate", now, HEARTBEAT_S)
        self._delivered = now
        self._was_full = False
        self._refused = 0  # messages of cameras, as told last
        self._alarmed: set[str] = set()
        self._sparing = Sparing()
        self._stopping = False
        if spool.damaged:
            self._alarm("spool_damaged", f"{paths.spool}: {spool.damaged} files end unreadably")

    def turn(self) -> bool:
        """One round of the loop: hear, settle, deliver, beat. True once a second."""
        if self._inbox.wait(self._patience()):
            for message, _ in self._inbox.drain(BATCH):
                self._hear(message)
        if self._far:
            for word in self._far.drain(BATCH):
                self._hear(word)
        now = self._clock.monotonic_ns()
        self._settle(self._keeper.expire(now))
        if now - self._delivered >= DELIVER_NS:
            self._delivered = now
            self._courier.deliver(now)
        self._output.tick()
        due = self._pulse.due(now)
        if due:
            self._look_round(now)
        return due

    def stop(self) -> None:
        """Settle what is open, let record acknowledge, and leave the output safe."""
        self._stopping = True
        self._keeper.stop_accepting()
        until = self._clock.monotonic_ns() + self._limits.deadline_ns + SECOND
        while not self._keeper.idle and self._clock.monotonic_ns() < until:
            self.turn()
        until = self._clock.monotonic_ns() + FAREWELL_NS
        while not self._courier.settled_all and self._clock.monotonic_ns() < until:
            self.turn()
        self._record.send(self._pulse.beat(self._clock.monotonic_ns(), "stopping"))
        self._courier.spool.close()

    def _patience(self) -> float:
        """Milliseconds until something is due."""
        longest = FAR_NS if self._far else TICK_NS
        due = self._keeper.next_deadline()
        if due is None:
            return longest / MS
        return min(longest, due - self._clock.monotonic_ns()) / MS

    def _hear(self, message: AnyMessage) -> None:
        now = self._clock.monotonic_ns()
        if isinstance(message, Trigger):
            self._settle(self._keeper.on_trigger(message, now))
        elif isinstance(message, Decision):
            self._changeover.decided(message.recipe)
            self._settle(self._keeper.on_decision(message, now))
            self._model = message.model or self._model
        elif isinstance(message, StreamBeat):
            self._hear_beat(message, now)
        elif isinstance(message, Recorded):
            if not self._courier.hear(message, now):
                self._alarm("ack_unknown", f"record acknowledges {message.through}, never sent")
        elif isinstance(message, SwitchRecipe):
            self._changeover.switch(message.recipe, message.lot)
        elif isinstance(message, SetMode):
            self._take_mode(message.mode)

    def _take_mode(self, mode: Mode) -> None:
        """For the parts that come from now on; those on their way are judged as they came."""
        self._keeper.mode = mode
        self._output.hold(self._held)

    @property
    def _held(self) -> bool:
        """The line is to bring no parts."""
        return self._holds and self._keeper.mode is Mode.PAUSED

    def _hear_beat(self, beat: StreamBeat, now: int) -> None:
        self._settle(self._keeper.on_beat(beat, now))
        outlet = self._captures.get(beat.camera)
        if outlet is None:
            return  # a camera on another host: it runs whether or not it is answered
        if beat.ended:
            self._draining.pop(beat.stream, None)
            if not self._keeper.all_settled(beat.stream, beat.last_seq):
                return  # it is told again until this can be answered
        ready = not (self._stopping or self._courier.full or (beat.drain and self._held))
        outlet.send(Ready(service="gate", stream=beat.stream, ready=ready))
        if beat.drain and not (beat.ended or self._draining.get(beat.stream, False)):
            self._draining[beat.stream] = self._tell_again(beat, outlet)

    def _tell_again(self, beat: StreamBeat, outlet: Outlet) -> bool:
        """Settled for the last parts: an earlier gate may have died before it said so."""
        first = max(0, beat.last_seq + 1 - DRAIN_WINDOW)
        return all(
            outlet.send(Settled(stream=beat.stream, seq=seq))
            for seq in range(first, beat.last_seq + 1)
            if self._keeper.is_settled(beat.stream, seq)
        )

    def _settle(self, settlements: list[Settlement]) -> None:
        for settlement in settlements:
            for part in self._release.settle(settlement):
                self._conclude(part)

    def _conclude(self, part: Settlement) -> None:
        """Spool, output, and word to a camera that waits: in this order."""
        outcome = self._outcome(part)
        if self._courier.full or not self._courier.keep(outcome):
            outcome = unrecordable(outcome)
            self._tell_full()
            if not self._courier.keep(outcome):
                self._courier.owe(outcome)
        camera = self._index.get(part.camera, NO_CAMERA)
        self._output.drive(
            LaneCommand(outcome.lane, outcome.kind, camera, part.stream, part.seq, part.deadline_ns)
        )
        if part.stream in self._draining and (outlet := self._captures.get(part.camera)):
            settled = Settled(stream=part.stream, seq=part.seq)
            self._draining[part.stream] &= outlet.send(settled)
        self._pulse.took(part.latency_us * 1000)

    def _outcome(self, part: Settlement) -> Outcome:
        made = self._changeover.stamp(part.decision.recipe if part.decision else "")
        outcome = outcome_of(part, made, self._model)
        too_late = part.deadline_ns <= self._clock.monotonic_ns()
        return overdue(outcome) if outcome.lane is Lane.ACCEPT and too_late else outcome

    def _look_round(self, now: int) -> None:
        """Once a second: check the sums, tell of problems, send the heartbeat."""
        self._alarmed.clear()
        if self._guard:
            self._guard.look()
        if not self._keeper.balanced():
            self._alarm("sums", f"parts and outcomes differ: {self._keeper.counts}")
        if problem := self._output.problem():
            self._alarm("output", problem)
        if problem := self._courier.spool.problem():
            self._alarm("spool", problem)
        refused = self._keeper.refused + (self._far.refused if self._far else 0)
        if refused > self._refused:
            self._tell_refused(refused - self._refused)
            self._refused = refused
        full = self._was_full = self._courier.full
        healthy = self._output.healthy and not full
        state = "stopping" if self._stopping else "running" if healthy else "degraded"
        unread = self._inbox.refused + refused
        note = f"{self._courier.waiting} not yet committed, {unread} messages refused"
        self._record.send(self._pulse.beat(now, state, self._keeper.open, note))

    def _tell_refused(self, count: int) -> None:
        self._alarm(
            "refused",
            f"{count} messages refused: not of a remote camera of station.toml, or a count far "
            "ahead; see who sends to listen.gate, and start that camera's capture again",
        )

    def _tell_full(self) -> None:
        if not self._was_full:
            self._was_full = True
            self._alarm("spool_full", "record does not commit; parts are rejected until it does")

    def _alarm(self, code: str, text: str) -> None:
        """Tell record; of one kind at most once between two heartbeats."""
        if code in self._alarmed:
            return
        self._alarmed.add(code)
        wall = self._clock.wall_ns()
        event = Event(service="gate", severity=Severity.ALARM, code=code, text=text, wall_ns=wall)
        if self._sparing.due(code, self._clock.monotonic_ns()):
            logging.getLogger("gate").error(text, extra=about_event(event))
        self._courier.report(event)


def main(argv: list[str] | None = None) -> int:
    """Run the process until a signal. Returns the exit code."""

    def build(config: StationConfig, paths: Paths, stack: ExitStack) -> Gate:
        clock = SystemClock()
        bus = stack.enter_context(Bus())
        guard = stack.enter_context(closing(Guard(paths.safe_state, config.output)))
        output = stack.enter_context(closing(_output(config, paths, clock)))
        return Gate(config, paths, bus, clock, output, guard)

    return serve("gate", options("gate", __doc__).parse_args(argv).root, build)


def _output(config: StationConfig, paths: Paths, clock: Clock) -> Output:
    if isinstance(config.output, ModbusConfig):
        return ModbusOutput(config.output, clock)
    return VirtualOutput(paths.output_log, clock)
