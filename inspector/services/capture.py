"""capture: one camera. Numbers every trigger, puts the frame into the ring, sends the tickets.

Promises: a trigger is counted before anything else can fail, and the gate hears of it at once;
a part without a frame is announced with its cause; how far an earlier run had counted is told
again and again until the gate has settled all of it; nothing here waits for another process.
Never: judges a frame, or lets a number go unused.
"""

import sys
import uuid
from contextlib import ExitStack

from msgspec import structs

from inspector.core.clock import MS, SECOND, Clock, SystemClock
from inspector.core.config import LocalCamera, RemoteCamera, StationConfig
from inspector.core.errors import MaintainerError
from inspector.core.messages import FrameTicket, Ready, Settled, StreamBeat, Trigger
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.terms import Cause, FrameRef
from inspector.core.topology import BEAT_S, HEARTBEAT_S, LINE, MESSAGES, TICKETS, capture
from inspector.devices.bus import Bus
from inspector.devices.cameras import Camera, FrameMissing, open_camera
from inspector.devices.host import options, serve
from inspector.devices.ring import Frame, RingWriter, last_count, slots_for
from inspector.devices.unfinished import EndedRun, Unfinished

# A peer that has not answered a beat for so long is taken for dead.
SILENT_S = 1.0
# Ended runs the gate is told of. All cameras' together it must be able to remember; the gate of
# another host cannot answer, there the last few are told for as long as this process runs.
MOST_ENDED, MOST_ENDED_FAR = 32, 8
TELL_ENDED_NS = SECOND


class Line:
    """What capture knows of the processes behind it, from their answers to its beats."""

    def __init__(self, stream: str, in_flight: int | None, patience_ns: int) -> None:
        """`in_flight`: the most parts on their way at once, None for no limit; a part whose end
        is not heard of within `patience_ns` no longer counts."""
        self._stream = stream
        self._limit = in_flight
        self._patience = patience_ns
        self._heard: dict[str, int] = {}
        self._held = False  # the gate wants no part now
        self._on_the_way: dict[int, int] = {}

    def hear(self, message: Ready | Settled, now: int) -> None:
        if message.stream != self._stream:
            return
        if isinstance(message, Settled):
            self._on_the_way.pop(message.seq, None)
        else:
            if message.service == "gate":
                self._held = not message.ready
            if message.ready:
                self._heard[message.service] = now

    def sent(self, seq: int, now: int) -> None:
        if self._limit is not None:
            self._on_the_way[seq] = now

    def has_room(self, now: int) -> bool:
        """True when the next part may come."""
        if self._limit is None:
            return True
        if self._held:
            return False
        overdue = [seq for seq, at in self._on_the_way.items() if now - at > self._patience]
        for seq in overdue:
            del self._on_the_way[seq]
        return len(self._on_the_way) < self._limit

    def alive(self, service: str, now: int) -> bool:
        return now - self._heard.get(service, -(10**18)) < SILENT_S * SECOND

    @property
    def ready(self) -> bool:
        return {"gate", "detect"} <= self._heard.keys()


class Capture:
    """The process: a camera, its ring and the outlets."""

    def __init__(
        self, config: StationConfig, camera: LocalCamera, paths: Paths, bus: Bus, clock: Clock
    ) -> None:
        self.name = capture(camera.name)
        self._camera_name = camera.name
        self._clock = clock
        self._camera: Camera = open_camera(camera)
        self._drain = camera.takt_ms == 0
        self._deadline = int(config.line.deadline_ms * MS)
        self._remote = camera.send_to
        self.stream = uuid.uuid4().hex
        self._ended = self._earlier_runs(paths)
        self._told: dict[str, int] = {}  # when the gate was told of each
        slots = config.ring.slots or slots_for(self._camera.format, config.ring.budget_mb)
        self._ring = RingWriter(paths.ring(camera.name), self._camera.format, slots, self.stream)
        self._inbox = bus.inbox(paths.socket(self.name), depth=MESSAGES)
        far = self._remote
        self._gate = bus.outlet(far.gate if far else paths.socket("gate"), MESSAGES)
        # Fewer tickets under way than slots, or detect would find its frames overwritten.
        self._detect = bus.outlet(
            far.detect if far else paths.socket("detect"), min(TICKETS, slots - 2)
        )
        self._record = bus.outlet(paths.socket(LINE), MESSAGES)
        limit = config.line.in_flight if self._drain else None
        self._line = Line(self.stream, limit, 2 * self._deadline + SECOND)
        self._pulse = Pulse(self.name, clock.monotonic_ns(), HEARTBEAT_S)
        self._beaten = 0

    def _earlier_runs(self, paths: Paths) -> Unfinished:
        """The runs whose parts may be open, with the last one's count, which stands in the ring
        until that is replaced."""
        ring = paths.ring(self._camera_name)
        most = MOST_ENDED_FAR if self._remote else MOST_ENDED
        runs = Unfinished(ring.with_name(ring.name + ".ended"), most)
        before = last_count(ring)
        if before and before.triggers:
            runs.add(EndedRun(before.stream, before.triggers - 1, self._clock.wall_ns()))
        return runs

    def turn(self) -> bool:
        """One round of the loop: hear, beat, and take one part if one is there."""
        now = self._clock.monotonic_ns()
        for message, _ in self._inbox.drain():
            if isinstance(message, Ready | Settled):
                self._line.hear(message, now)
            if isinstance(message, Ready) and message.ready and message.service == "gate":
                self._ended.remove(message.stream)
        self._beat(now)
        if not (self._line.ready or self._remote):
            self._inbox.wait(10)
        elif not self._line.has_room(now):
            self._inbox.wait(5)
        elif (source := self._camera.wait(BEAT_S / 4)) is not None:
            self._part(source)
        return True

    def stop(self) -> None:
        """Tell how far this stream has come, so that not one of its parts is forgotten; should
        that not arrive, the count stays in the ring for the next run to tell."""
        self._gate.send(self._stream_beat(ended=True))
        self._camera.close()

    def _part(self, source: str) -> None:
        seq = self._ring.count_trigger()
        now, wall = self._clock.monotonic_ns(), self._clock.wall_ns()
        trigger = Trigger(
            camera=self._camera_name,
            stream=self.stream,
            seq=seq,
            trigger_ns=now,
            wall_ns=wall,
            source=source,
        )
        self._gate.send(trigger)  # if it cannot be sent, the next beat tells of it
        self._line.sent(seq, now)
        try:
            with self._ring.write() as (pixels, ref):
                self._camera.read(pixels)
        except FrameMissing as missing:
            self._without_frame(trigger, missing.cause, missing.reason)
            return
        self._send_ticket(trigger, ref, pixels)
        self._pulse.took(self._clock.monotonic_ns() - now)

    def _send_ticket(self, trigger: Trigger, ref: FrameRef, pixels: Frame) -> None:
        inline = self._remote is not None
        ticket = FrameTicket(
            camera=trigger.camera,
            stream=trigger.stream,
            seq=trigger.seq,
            trigger_ns=trigger.trigger_ns,
            deadline_ns=trigger.trigger_ns + self._deadline,
            frame=FrameRef(slot=-1, generation=ref.generation, format=ref.format)
            if inline
            else ref,
        )
        if self._detect.send(ticket, pixels.tobytes() if inline else None):
            return
        if inline or self._line.alive("detect", self._clock.monotonic_ns()):
            self._without_frame(trigger, Cause.OVERLOAD, "detect has too many frames waiting")
        else:
            self._without_frame(trigger, Cause.ENGINE, "detect does not answer")

    def _without_frame(self, trigger: Trigger, cause: Cause, reason: str) -> None:
        """The same trigger again, now with the cause: the gate need not wait for the deadline."""
        self._gate.send(structs.replace(trigger, cause=cause, reason=reason))
        self._pulse.took(0)

    def _beat(self, now: int) -> None:
        if now - self._beaten >= BEAT_S * SECOND:
            self._beaten = now
            self._tell_ended(now)
            beat = self._stream_beat(ended=False)
            self._gate.send(beat)
            self._detect.send(beat)
        if self._pulse.due(now):
            state = "running" if self._line.ready else "starting"
            state = "ended" if self._camera.ended else state
            self._record.send(self._pulse.beat(now, state, note=str(self._camera.format)))

    def _tell_ended(self, now: int) -> None:
        for run in self._ended:
            if now - self._told.get(run.stream, -TELL_ENDED_NS) < TELL_ENDED_NS:
                continue
            beat = StreamBeat(
                camera=self._camera_name,
                stream=run.stream,
                last_seq=run.last_seq,
                format=self._camera.format,
                wall_ns=run.wall_ns,
                ended=True,
            )
            if self._gate.send(beat):
                self._told[run.stream] = now

    def _stream_beat(self, ended: bool) -> StreamBeat:
        return StreamBeat(
            camera=self._camera_name,
            stream=self.stream,
            last_seq=self._ring.last_seq,
            format=self._camera.format,
            wall_ns=self._clock.wall_ns(),
            drain=self._drain,
            ended=ended,
        )


def main(argv: list[str] | None = None) -> int:
    """Run one camera until a signal. Returns the exit code."""
    parser = options("capture", __doc__)
    parser.add_argument("--camera", required=True, help="its name in station.toml")
    arguments = parser.parse_args(argv)

    def build(config: StationConfig, paths: Paths, stack: ExitStack) -> Capture:
        camera = _camera(config, arguments.camera, paths)
        return Capture(config, camera, paths, stack.enter_context(Bus()), SystemClock())

    return serve(capture(arguments.camera), arguments.root, build)


def _camera(config: StationConfig, name: str, paths: Paths) -> LocalCamera:
    for camera in config.cameras:
        if camera.name == name and not isinstance(camera, RemoteCamera):
            return camera
    raise MaintainerError(f"{paths.station_file}: has no camera of its own named {name!r}")


if __name__ == "__main__":
    sys.exit(main())
