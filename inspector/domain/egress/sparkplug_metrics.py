"""The metrics of Sparkplug B that may leave: a closed list, each with its type and its alias.

Promises: every metric that this station ever sends is in METRICS; an alias belongs to one metric
of the node and its device together (tck-id-payloads-alias-uniqueness); no two names differ in
upper and lower case alone (tck-id-case-sensitivity-metric-names).
Never: a value of another type than the metric's own, or a word without a pattern.

An alias never changes its meaning from one version of this program to the next: new metrics go to
the end of their list.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Annotated, Any

from msgspec import Meta

from inspector.core.live import LineState
from inspector.core.terms import Cause, Mode
from inspector.domain.egress.words import (
    Count,
    DeviceId,
    Hex32,
    Lot,
    Milliseconds,
    ModelId,
    Name,
    RecipeName,
    Version,
)

Instant = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]  # ms since 1970-01-01 UTC, year 9999
BdSeq = Annotated[int, Meta(ge=0, le=255)]

BD_SEQ = "bdSeq"
REBIRTH = "Node Control/Rebirth"


class Datatype(IntEnum):
    """The specification's numbers (6.4.16) of the types that are used here."""

    INT64 = 4
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13


class Owner(StrEnum):
    NODE = "node"
    DEVICE = "device"


@dataclass(frozen=True)
class Metric:
    """One metric. `kind`: the bounds of its value; `alias` 0: none, as the rebirth must have
    (tck-id-operational-behavior-data-commands-rebirth-name-aliases)."""

    name: str
    alias: int
    owner: Owner
    datatype: Datatype
    kind: Any
    about: str


_WORD = Datatype.STRING
_COUNT = Datatype.INT64
_MS = Datatype.DOUBLE
_TIME = Datatype.DATETIME

_NODE: tuple[tuple[str, Datatype, Any, str], ...] = (
    (BD_SEQ, _COUNT, BdSeq, "number of the connection, as in the NDEATH that belongs to it"),
    ("Node/Station", _WORD, DeviceId, "enterprise/site/area/line/cell"),
    ("Node/Software", _WORD, Version, "version of this program"),
    ("Node/Commands Refused", _COUNT, Count, "commands other than a rebirth, since the start"),
)

_DEVICE: tuple[tuple[str, Datatype, Any, str], ...] = (
    ("Line/State", _WORD, LineState, "the line in one word"),
    ("Line/Why", _WORD, Name, "a code of why it is so"),
    ("Line/Mode", _WORD, Mode, "what a person has ordered"),
    ("Line/Recipe", _WORD, RecipeName, "what is being made"),
    ("Line/Lot", _WORD, Lot, "what is being made"),
    ("Line/Model", _WORD, ModelId, "of the last part"),
    ("Line/Alarms", _COUNT, Count, "alarms that stand, at most 10 are counted"),
    ("Totals/Stream", _WORD, Hex32, "identity of the ledger that counts"),
    ("Totals/Parts", _COUNT, Count, "of the whole stream: all parts, golden ones included"),
    ("Totals/Pass", _COUNT, Count, "of the whole stream"),
    ("Totals/Fail", _COUNT, Count, "of the whole stream"),
    ("Totals/Review", _COUNT, Count, "of the whole stream"),
    ("Totals/Fault", _COUNT, Count, "of the whole stream"),
    ("Window/Row", _COUNT, Count, "number of the row, as `seq` of the JSON totals"),
    ("Window/Revision", _COUNT, Count, "a higher one replaces a lower one of the same window"),
    ("Window/Start", _TIME, Instant, "first moment of the window"),
    ("Window/End", _TIME, Instant, "first moment after the window"),
    ("Window/Recipe", _WORD, RecipeName, "what the window counts"),
    ("Window/Lot", _WORD, Lot, "what the window counts"),
    ("Window/Model", _WORD, ModelId, "what the window counts"),
    ("Window/Produced", _COUNT, Count, "ISO 22400 produced quantity: good + scrap + rework"),
    ("Window/Good", _COUNT, Count, "ISO 22400 good quantity: passed"),
    ("Window/Scrap", _COUNT, Count, "ISO 22400 scrap quantity: failed"),
    ("Window/Rework", _COUNT, Count, "ISO 22400 rework quantity: reviews to come, and faults"),
    ("Window/Pass", _COUNT, Count, "parts by kind"),
    ("Window/Fail", _COUNT, Count, "parts by kind"),
    ("Window/Review", _COUNT, Count, "parts by kind"),
    ("Window/Fault", _COUNT, Count, "parts by kind"),
    *((f"Window/Faults/{cause.value}", _COUNT, Count, "faults by cause") for cause in Cause),
    ("Window/First Pass", _COUNT, Count, "passed by the model, and by nobody found bad"),
    ("Window/Reviewed", _COUNT, Count, "parts that a person looked at"),
    ("Window/Overkill", _COUNT, Count, "failed by the model, found good"),
    ("Window/Escape", _COUNT, Count, "passed by the model, found bad"),
    ("Window/Cycle/Median ms", _MS, Milliseconds, "from one trigger of a camera to its next"),
    ("Window/Cycle/Longest ms", _MS, Milliseconds, "from one trigger of a camera to its next"),
    ("Window/Latency/Median ms", _MS, Milliseconds, "trigger to output"),
    ("Window/Latency/P95 ms", _MS, Milliseconds, "trigger to output"),
    ("Window/Latency/Longest ms", _MS, Milliseconds, "trigger to output"),
)

_DEVICE_FROM = 16  # aliases below are the node's; those up to 127 take one byte


def _table() -> dict[str, Metric]:
    rebirth = Metric(REBIRTH, 0, Owner.NODE, Datatype.BOOLEAN, bool, "true asks for all births")
    node = [Metric(n, 1 + i, Owner.NODE, t, k, a) for i, (n, t, k, a) in enumerate(_NODE)]
    device = [
        Metric(n, _DEVICE_FROM + i, Owner.DEVICE, t, k, a) for i, (n, t, k, a) in enumerate(_DEVICE)
    ]
    return {metric.name: metric for metric in (*node, rebirth, *device)}


METRICS = _table()


def names_of(owner: Owner) -> tuple[str, ...]:
    """All that a birth of this owner must name."""
    return tuple(metric.name for metric in METRICS.values() if metric.owner is owner)
