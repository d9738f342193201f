"""What may come in over the network: two closed types, and how bytes become one of them.

Promises: what is no such message, or longer than MAX_BYTES, is nothing; a word in it is bounded.
Never: raises on any bytes, or trusts a message for having been readable.
"""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from inspector.domain.egress.words import Count, Hex32, Instant, Lot, Name

MAX_BYTES = 4096

T = TypeVar("T")


class Inbound(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of what may come in."""


class Ack(Inbound, frozen=True, kw_only=True):
    """The receiver has every row of this stream up to and with `through_seq`."""

    schema: Literal[1]
    stream: Hex32
    through_seq: Count


class SetRecipe(Inbound, tag_field="order", tag="set_recipe", frozen=True, kw_only=True):
    """Make another product, or start another lot."""

    recipe: Name
    lot: Lot


class RequestState(Inbound, tag_field="order", tag="request_state", frozen=True, kw_only=True):
    """Say once more how the station is."""


class Command(Inbound, frozen=True, kw_only=True):
    """One command. `id` is used once; `issued` by the sender's clock, in UTC."""

    schema: Literal[1]
    id: Name
    issued: Instant
    order: SetRecipe | RequestState
    reason: Annotated[str, Meta(max_length=200)] = ""


_ack = msgspec.json.Decoder(Ack)
_command = msgspec.json.Decoder(Command)


def read_ack(data: bytes) -> Ack | None:
    """The acknowledgement in these bytes, or None."""
    return _read(_ack, data)


def read_command(data: bytes) -> Command | None:
    """The command in these bytes, or None."""
    return _read(_command, data)


def _read(decoder: "msgspec.json.Decoder[T]", data: bytes) -> T | None:
    if len(data) > MAX_BYTES:
        return None
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
