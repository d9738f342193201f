"""What happens between the station and its broker, as the caller of `Broker` gets to know it.

Promises: each is a value; a text is one line for a person, a code is for the program.
Never: holds a connection.
"""

from dataclasses import dataclass, field
from typing import Literal

from inspector.devices.broker.limits import Limits

Status = Literal["acked", "refused", "oversize", "timeout", "lost", "broke"]
Code = Literal[
    "away",  # nobody there, or the connection broke
    "silent",  # takes what is sent and answers nothing
    "refused",  # user, password, client certificate or access list
    "certificate",  # the broker's own is not to be trusted
    "clock",  # ... because of the station's clock
    "no_v5",  # something else than MQTT v5
    "identity_taken",  # another station has the same identity
    "quota",  # too much, too often
    "moved",  # to another server
]


@dataclass(frozen=True)
class Subscription:
    """What the broker is asked for on every connection; `topic` may hold wildcards."""

    topic: str
    qos: Literal[0, 1] = 1


@dataclass(frozen=True)
class Result:
    """What became of one letter. Keep it and try later on all but `acked` and `oversize`.

    `acked`: the broker took it over (QoS 0: it is written). `broke`: lost with a connection that
    ended over an answer outside of MQTT v5, which this very letter may have caused. Mosquitto
    answers so above its own message_size_limit.
    """

    token: int
    status: Status
    detail: str = ""


@dataclass(frozen=True)
class Up:
    """The broker has taken us.

    in_flight: so many letters are on their way at once; more may be handed over, and wait.
    largest: bytes of the largest packet that the broker takes, None: any.
    denied: topics of the subscriptions that the broker refused. limits: all that it allows.
    """

    in_flight: int
    largest: int | None = None
    denied: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Down:
    """The connection ended or could not be had."""

    text: str
    code: Code = "away"


@dataclass(frozen=True)
class Heard:
    """Somebody's message on a topic that was subscribed to. Nothing in it is to be trusted."""

    topic: str
    payload: bytes
    retained: bool = False
    response_topic: str = ""
    correlation: bytes = b""
    expires_s: int | None = None  # so long the sender wants it to be valid


Happening = Up | Down | Result | Heard
