"""The words and numbers that may leave: each bounded, none of them free.

Promises: a word leaves as it is only if it matches its pattern; any other leaves as `sha256-` and
16 digits of its hash, so that its parts are still counted and whoever knows the word can find it.
Never: lets bytes or a free text through.

The only word that somebody types while the line runs is the lot. It leaves as it is only in at
most LOT_CHARS letters, digits, dots, underscores and dashes (GS1 allows a batch number 20
characters).
"""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from inspector.core.config import Station

LOT_CHARS = 32
HASHED = "sha256-[0-9a-f]{16}"

# `\Z` and not `$`, which would let a line feed through at the end.
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")]
NameOrNone = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,63})?\Z")]
DeviceId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){4}\Z")
]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # whole in every JSON reader
Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Instant = Annotated[str, Meta(pattern=r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z\Z")]
RecipeName = Annotated[str, Meta(pattern=rf"^([A-Za-z0-9][A-Za-z0-9_-]{{0,63}}|{HASHED})?\Z")]
Lot = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9._-]{{0,{LOT_CHARS}}}\Z")]
ModelId = Annotated[str, Meta(pattern=rf"^([a-z0-9][a-z0-9_-]{{0,63}}@[0-9a-f]{{12}}|{HASHED})?\Z")]
Version = Annotated[str, Meta(pattern=r"^[0-9]{1,4}(\.[0-9A-Za-z]{1,12}){1,5}\Z")]
Milliseconds = Annotated[float, Meta(ge=0, le=86_400_000)]

# Who may tell of something: the station's processes, and captures by their camera's name.
SERVICES = (
    *("capture", "detect", "gate", "publish", "record", "run", "selftest", "ui", "update"),
    *("upgrade", "workshop"),
)
OTHER = "other"  # any code, service or class that is not on the list it should be on


class Closed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of what may leave."""


class Sparse(Closed, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the parts of a message whose zeros are left out."""


class Online(StrEnum):
    """Why the state says what it says."""

    ONLINE = "online"
    STOPPED = "stopped"  # orderly
    LOST = "lost"  # the broker tells it, as the station's will


def device_id(station: Station) -> str:
    """The station's name by the levels of ISA-95, as it leaves: a DeviceId."""
    return "/".join((station.enterprise, station.site, station.area, station.line, station.cell))


def rfc3339(second: int) -> str:
    """A second since 1970-01-01 as a date and time in UTC."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def safe_lot(lot: str) -> str:
    """The lot as it may leave: itself, or `sha256-` and the first 16 digits of its hash."""
    return safe(lot, Lot)


def safe_recipe(name: str) -> str:
    return safe(name, RecipeName)


def safe_model(model: str) -> str:
    return safe(model, ModelId)


def safe_service(name: str, captures: Collection[str] = ()) -> str:
    """The service's name where it is one of the station's own processes, else OTHER. `captures`:
    the names of those that there are; without them, what is spelled as one may be any."""
    own = name in captures if captures else name.partition("-")[0] in SERVICES
    return name if (own or name in SERVICES) and safe(name, Name) == name else OTHER


def safe(word: str, kind: Any) -> str:
    """The word, or its hash where it is no `kind`."""
    try:
        return str(msgspec.convert(word, kind, strict=True))
    except msgspec.ValidationError:
        digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()
        return f"sha256-{digest[:16]}"
