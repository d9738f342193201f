"""The one way something that may leave becomes bytes.

Promises: only the closed types leave, each rebuilt by the strict decoder, at most MAX_BYTES a
message; in the long run MESSAGES_PER_S, with credit for what a network that was away has held up.
Never: lets bytes, a free text or an unknown field through.
"""

from dataclasses import dataclass
from typing import Any, Literal, NewType, TypeVar, get_args

import msgspec

from inspector.core.clock import SECOND
from inspector.core.errors import EngineerError
from inspector.domain.egress.event import Event
from inspector.domain.egress.reply import CommandReply
from inspector.domain.egress.state import State
from inspector.domain.egress.totals import Totals, VoidTotals, check_sums
from inspector.domain.egress.words import Closed
from inspector.domain.rate_limit import RateLimit

MAX_BYTES = 4096
MESSAGES_PER_S = 20.0
# What a station may hold up while it is offline, at one message every 10 s for eight weeks; it is
# spent when the network is back.
CREDIT = 500_000
LONGEST_CORRELATION = 64  # what a command's sender wants to see again

Payload = NewType("Payload", bytes)  # bytes that may leave; made in this package alone
Leaving = Totals | VoidTotals | State | Event | CommandReply

C = TypeVar("C", bound=Closed)


@dataclass(frozen=True)
class Letter:
    """One message as it is handed to a broker. `text`: the same for a person, word for word; what
    the log of departures shows."""

    topic: str
    payload: Payload
    text: str
    qos: Literal[0, 1] = 1
    retain: bool = False
    expiry_s: int | None = None  # None: the broker keeps it for ever
    content_type: str = "application/json"
    correlation: bytes = b""  # of the command that this answers, at most 64 bytes

    @property
    def bytes(self) -> int:
        return len(self.payload)


def letter(
    message: Leaving,
    topic: str,
    *,
    retain: bool = False,
    expiry_s: int | None = None,
    correlation: bytes = b"",
) -> Letter:
    """The message as JSON. Raises EngineerError when it may not leave."""
    checked: Leaving = strict(message)
    if isinstance(checked, Totals):
        check_sums(checked)
    if len(correlation) > (LONGEST_CORRELATION if isinstance(checked, CommandReply) else 0):
        raise EngineerError(
            f"{type(checked).__name__}: correlation data of {len(correlation)} bytes"
        )
    payload = capped(msgspec.json.encode(checked), type(checked).__name__)
    return Letter(
        topic, payload, payload.decode(), retain=retain, expiry_s=expiry_s, correlation=correlation
    )


def empty(topic: str) -> Letter:
    """Nothing at all, to ask a broker who may write where; receivers pass it over."""
    return Letter(topic, Payload(b""), "", content_type="")


def strict(message: C) -> C:
    """A copy built by the strict decoder: constructors check nothing, and a subclass might carry
    more. Bytes stay bytes on the way, so they are refused instead of spelled as text."""
    kind: Any = next((known for known in get_args(Leaving) if isinstance(message, known)), None)
    if kind is None:
        raise EngineerError(f"{type(message).__name__}: is none of the messages that may leave")
    # mypy cannot know that the kind found is the message's own.
    return rebuilt(message, kind)  # type: ignore[no-any-return]


def rebuilt(message: Closed, kind: type[C]) -> C:
    """The message as a `kind`, by the strict decoder. Raises EngineerError when it is none."""
    try:
        plain = msgspec.to_builtins(message, builtin_types=(bytes, bytearray, memoryview))
        return msgspec.convert(plain, kind, strict=True)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise EngineerError(f"{kind.__name__} that may not leave: {error}") from None


def capped(data: bytes, what: str) -> Payload:
    """Raises EngineerError when there is too much."""
    if len(data) > MAX_BYTES:
        raise EngineerError(f"{what}: {len(data)} bytes, {MAX_BYTES} may leave; it does not")
    return Payload(data)


def allowance(now_ns: int) -> RateLimit:
    """How often something may leave: MESSAGES_PER_S in the long run, CREDIT at once."""
    return RateLimit(CREDIT, int(SECOND / MESSAGES_PER_S), now_ns)
