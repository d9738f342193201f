"""The answer to a command of the plant, as it leaves.

Promises: names the command by the identifier that it came with, and what became of it by a code.
Never: the text of an error, which may name files or people.
"""

from enum import StrEnum
from typing import Literal

from inspector.domain.egress.words import Closed, DeviceId, Instant, NameOrNone


class Became(StrEnum):
    """What became of a command."""

    DONE = "done"
    ACCEPTED = "accepted"  # in force between two parts, once the model is loaded; an event says so
    REFUSED = "refused"


class Why(StrEnum):
    """Why a command was refused."""

    NONE = ""
    MALFORMED = "malformed"  # no command of this schema
    NOT_ALLOWED = "not_allowed"  # not on the station's own list
    EXPIRED = "expired"
    REPLAYED = "replayed"  # this identifier has been used
    RETAINED = "retained"  # a command must not be kept by the broker
    REASON_WANTED = "reason_wanted"  # this recipe asks for a reason
    REFUSED = "refused"  # the station could not: unknown recipe, challenge test under way
    BUSY = "busy"  # too many, or the station's recorder is away; try again


class CommandReply(Closed, frozen=True, kw_only=True):
    """What became of one command."""

    schema: Literal[1]
    device: DeviceId
    id: NameOrNone  # of the command; empty where none could be read
    at: Instant
    status: Became
    why: Why
