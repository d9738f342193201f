"""The messages between the station's processes, defined once.

Promises: messages are msgpack, tagged with their type, strict (an unknown field, a missing field
or a value out of range is refused) and carry the schema version. A part is `(stream, seq)`.
Never: a pickle, an untyped tuple or a free-form dictionary.
"""

from typing import Annotated, Literal

from msgspec import Meta

from inspector.core.terms import (
    Box,
    Cause,
    Count,
    FrameFormat,
    FrameRef,
    Heatmap,
    Identifier,
    Kind,
    Lane,
    Message,
    Mode,
    Severity,
    Timing,
    WallTime,
)


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
    """record -> detect, gate: make another product, or start another lot."""

    recipe: Identifier
    lot: Identifier
    who: Identifier


class SetMode(Message, tag="set_mode", frozen=True, kw_only=True):
    """record -> gate: inspect, pause, or take the parts that come for golden ones."""

    mode: Mode


class Delivered(Message, tag="delivered", frozen=True, kw_only=True):
    """publish -> record: what became of these rows. `sent`: the broker has them, and the receiver's
    own word is awaited; `quarantined`: set aside as undeliverable."""

    ledger: Identifier  # the rows of another ledger are other rows
    lane: Literal["totals", "events"]
    rows: Annotated[tuple[Count, ...], Meta(max_length=1000)]
    status: Literal["sent", "delivered", "quarantined"]
    through: Annotated[int, Meta(ge=-1)] = -1  # and every row up to this one that was ever sent
    detail: str = ""


class LaneAt(Message, tag="lane_at", frozen=True, kw_only=True):
    """publish -> record: a lane without acknowledgements has got so far. `sparkplug_session`: how
    many connections it has had."""

    ledger: Identifier
    lane: Literal["sparkplug", "sparkplug_session"]
    through: Count


class Departed(Message, tag="departed", frozen=True, kw_only=True):
    """publish -> record, before it goes: this is about to leave the station, word for word."""

    wall_ns: WallTime
    topic: Annotated[str, Meta(max_length=1024)]
    payload: Annotated[str, Meta(max_length=16_384)]  # as text, where the bytes are none
    bytes: Annotated[int, Meta(ge=0, le=4096)]  # of the payload as it leaves
