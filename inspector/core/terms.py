"""The values that messages are made of, and the base of all messages.

Promises: one definition of each of the field's terms (kind, cause, lane, frame, heatmap), strict:
an unknown field, a missing field or a value out of range is refused.
Never: a message itself; those are in `messages`, `orders` and `live`.
"""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

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
    PAUSED = "paused"  # a person has paused the inspection


class Lane(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"


class Mode(StrEnum):
    """What the line does with its parts, as a person has ordered."""

    INSPECT = "inspect"
    PAUSED = "paused"  # every part is a fault and rejected
    CHALLENGE = "challenge"  # golden parts are shown: judged as ever, and all rejected


class Pixel(StrEnum):
    MONO8 = "mono8"
    BGR8 = "bgr8"

    @property
    def channels(self) -> int:
        return 1 if self is Pixel.MONO8 else 3


GOLDEN_LOT = "challenge"  # of all parts of a challenge, so that no other lot counts them


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
