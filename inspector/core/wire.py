"""Messages as bytes and back.

Promises: one strict decoder for all that crosses a process border.
Never: guesses: what is none of ours is refused.
"""

import msgspec

from inspector.core.errors import EngineerError
from inspector.core.live import LineStatus, Live, WorkshopState
from inspector.core.messages import (
    Decision,
    Delivered,
    Departed,
    Event,
    FrameTicket,
    Heartbeat,
    LaneAt,
    Outcome,
    Ready,
    Recorded,
    SetMode,
    Settled,
    StreamBeat,
    SwitchRecipe,
    Trigger,
)
from inspector.core.orders import (
    ErrandDone,
    ErrandOrder,
    Login,
    Logout,
    Order,
    PlantOrder,
    Renew,
    Reply,
)

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
    | SetMode
    | Delivered
    | Departed
    | LaneAt
    | Login
    | Logout
    | Renew
    | Order
    | PlantOrder
    | Reply
    | ErrandOrder
    | ErrandDone
    | WorkshopState
    | LineStatus
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
