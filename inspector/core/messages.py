"""Every message that crosses a process border, defined once.

Promises: messages are msgpack, tagged with their type, strict (an unknown field, a missing field
or a value out of range is refused) and carry the schema version. A part is `(stream, seq)`.
Never: a pickle, an untyped tuple or a free-form dictionary.
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from inspector.core.errors import EngineerError

SCHEMA: Literal[1] = 1

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # what a database column holds
WallTime = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # nanoseconds since 1970 UTC
Identifier = Annotated[str, Meta(max_length=64)]


class Kind(StrEnum):
    """What happened to a part: the model's verdict in time, or a fault."""

    PASS = "pass"
    FAIL = "fail"
    REVIEW = "review"
    FAULT = "fault"


class Cause(StrEnum):
    """Why a part has no verdict. Every one of these sends the part to the reject lane."""

    LATE = "late"  # no decision before the deadline
    LOST = "lost"  # the trigger or its ticket never arrived
    CAMERA = "camera"  # no frame, or an unreadable one
    FRAME = "frame"  # a frame that must not be judged: black, blurred, stale, another size
    OVERRUN = "overrun"  # the ring was overwritten while the frame was read
    OVERLOAD = "overload"  # the queue was full, or the deadline could not be met any more
    ENGINE = "engine"  # the inference failed or gave no finite score
    MODEL = "model"  # no proven model is loaded
    RECORD = "record"  # outcomes can no longer be recorded


class Lane(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"


class Pixel(StrEnum):
    MONO8 = "mono8"
    BGR8 = "bgr8"

    @property
    def channels(self) -> int:
        return 1 if self is Pixel.MONO8 else 3


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


class Frozen(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the values inside messages."""


class FrameFormat(Frozen, frozen=True, kw_only=True):
    """Size and pixel layout of a frame: rows of `width * channels` bytes, no padding."""

    width: Annotated[int, Meta(ge=1, le=16384)]
    height: Annotated[int, Meta(ge=1, le=16384)]
    pixel: Pixel

    @property
    def nbytes(self) -> int:
        return self.width * self.height * self.pixel.channels

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels), uint8."""
        return self.height, self.width, self.pixel.channels

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.pixel.value}"


class FrameRef(Frozen, frozen=True, kw_only=True):
    """Where a frame lies in its camera's ring. Valid while the slot bears this generation."""

    slot: Annotated[int, Meta(ge=-1)]  # -1: the pixels travel with the message
    generation: Count
    format: FrameFormat


class Box(Frozen, frozen=True, kw_only=True):
    """A suspicious area, in pixels of the whole frame, with its peak score.

    `label` is the class that the model names; an anomaly has none.
    """

    x: Count
    y: Count
    width: Count
    height: Count
    peak: float
    label: Identifier = ""


class Heatmap(Frozen, frozen=True, kw_only=True):
    """Scores by place over `region` (x, y, width, height of the frame): rows of uint8, where
    255 is `scale`."""

    width: Count
    height: Count
    scale: float
    region: tuple[int, int, int, int]
    data: bytes


class Timing(Frozen, frozen=True, kw_only=True):
    """Microseconds spent on a part."""

    queue_us: Count = 0  # from the trigger until detect took it up
    check_us: Count = 0
    inference_us: Count = 0
    second_us: Count = 0  # the second look, where one was taken


class Message(Frozen, tag_field="type", frozen=True, kw_only=True):
    """Base of all messages."""

    schema: Literal[1] = SCHEMA


class Trigger(Message, tag="trigger", frozen=True, kw_only=True):
    """capture -> gate: a part is here. With `cause`, there will be no frame to decide on."""

    camera: Identifier
    stream: Identifier
    seq: Count
    trigger_ns: int  # monotonic
    wall_ns: WallTime
    source: str = ""  # the file a simulated camera took the frame from
    cause: Cause | None = None
    reason: str = ""


class StreamBeat(Message, tag="stream_beat", frozen=True, kw_only=True):
    """capture -> gate, detect, several times a second: how far this run of a camera has counted.

    Every `seq` up to `last_seq` has been triggered, whether or not its trigger arrived.
    """

    camera: Identifier
    stream: Identifier
    last_seq: Annotated[int, Meta(ge=-1)]
    format: FrameFormat
    wall_ns: WallTime
    drain: bool = False  # capture wants a Settled for every part
    ended: bool = False


class Ready(Message, tag="ready", frozen=True, kw_only=True):
    """detect, gate -> capture, in answer to a beat: this stream can be served."""

    service: Identifier
    stream: Identifier
    ready: bool


class FrameTicket(Message, tag="ticket", frozen=True, kw_only=True):
    """capture -> detect: a frame to judge. Inline pixels follow as the second ZeroMQ frame."""

    camera: Identifier
    stream: Identifier
    seq: Count
    trigger_ns: int
    deadline_ns: int
    frame: FrameRef


class Decision(Message, tag="decision", frozen=True, kw_only=True):
    """detect -> gate: the verdict of model and recipe, or why there is none."""

    stream: Identifier
    seq: Count
    verdict: Kind  # FAULT with `cause` when the frame could not be judged
    cause: Cause | None = None
    reason: str
    score: float | None = None
    boxes: tuple[Box, ...] = ()
    heatmap: Heatmap | None = None
    model: str
    recipe: Identifier
    timing: Timing
    frame: FrameRef | None = None


class Outcome(Message, tag="outcome", frozen=True, kw_only=True):
    """gate -> record: what happened to one part. `number` counts the gate's outcomes."""

    number: Count
    camera: Identifier
    stream: Identifier
    seq: Count
    trigger_wall_ns: WallTime
    kind: Kind
    cause: Cause | None
    reason: str
    lane: Lane
    score: float | None
    boxes: tuple[Box, ...]
    heatmap: Heatmap | None
    model: str
    recipe: Identifier
    lot: Identifier
    latency_us: Count  # trigger to settlement; the lane follows in the order of the triggers
    timing: Timing
    frame: FrameRef | None
    source: str


class Recorded(Message, tag="recorded", frozen=True, kw_only=True):
    """record -> gate: every outcome up to this number is committed. `session` is new with every
    start of record and whenever it left outcomes out (a full disk), and asks the gate to send
    again what is not yet acknowledged."""

    session: Identifier
    through: Annotated[int, Meta(ge=-1)]


class Settled(Message, tag="settled", frozen=True, kw_only=True):
    """gate -> capture: this part has its outcome, the next may come."""

    stream: Identifier
    seq: Count


class Heartbeat(Message, tag="heartbeat", frozen=True, kw_only=True):
    """every service -> record, once a second."""

    service: Identifier
    pid: int
    number: Count
    sent_ns: int  # monotonic
    started_ns: int  # monotonic
    state: Identifier  # starting, running, degraded, stopping
    handled: Count  # parts (or messages) since the start
    per_s: float
    queue: Count
    p50_ms: float
    p99_ms: float
    note: str = ""


class Event(Message, tag="event", frozen=True, kw_only=True):
    """any service -> record: something a person may want to know later."""

    service: Identifier
    severity: Severity
    code: Identifier
    text: str
    wall_ns: WallTime


class SwitchRecipe(Message, tag="switch_recipe", frozen=True, kw_only=True):
    """cli, ui -> record -> detect, gate: make another product, or start another lot."""

    recipe: Identifier
    lot: Identifier
    who: Identifier


class Review(Message, tag="review", frozen=True, kw_only=True):
    """cli, ui -> record: a person's finding on one part. The outcome is revised, never replaced."""

    stream: Identifier
    seq: Count
    verdict: Literal["pass", "fail"]
    defect_class: Identifier
    who: Identifier
    reason: str


class Delivered(Message, tag="delivered", frozen=True, kw_only=True):
    """publish -> record: this totals row was acknowledged, or set aside as undeliverable."""

    ledger: Identifier  # the rows of another ledger are other rows
    row: Count
    status: Literal["delivered", "quarantined"]
    detail: str = ""


class Reply(Message, tag="reply", frozen=True, kw_only=True):
    """record -> cli, ui: what became of a command."""

    ok: bool
    text: str


class ServiceHealth(Frozen, frozen=True, kw_only=True):
    """A service as the screen shows it."""

    heartbeat: Heartbeat
    age_ms: Count


class Live(Message, tag="live", frozen=True, kw_only=True):
    """record -> any screen: the state of the line, several times a second. Newest wins."""

    sent_ns: int
    wall_ns: WallTime
    recipe: Identifier
    lot: Identifier
    counts: dict[Kind, int]  # of this run of record
    committed: Count
    services: tuple[ServiceHealth, ...]
    last: Outcome | None
    alarms: tuple[Event, ...]


AnyMessage = (
    Trigger
    | StreamBeat
    | Ready
    | FrameTicket
    | Decision
    | Outcome
    | Recorded
    | Settled
    | Heartbeat
    | Event
    | SwitchRecipe
    | Review
    | Delivered
    | Reply
    | Live
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage)


def encode(message: AnyMessage) -> bytes:
    """One message as msgpack bytes."""
    return _encoder.encode(message)


def decode(data: bytes) -> AnyMessage:
    """The message in `data`. Raises EngineerError when it is none of ours."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise EngineerError(f"a message that cannot be read: {error}") from None
