"""The messages of Sparkplug B as they leave: births, data, the node's death.

Promises: each holds metrics of the closed list alone, each value within its own bounds; a birth
holds all metrics of its owner (tck-id-topics-nbirth-metric-reqs, tck-id-topics-dbirth-metric-reqs),
NBIRTH has sequence number 0, NDEATH none and bdSeq alone (tck-id-payloads-ndeath-seq,
tck-id-payloads-ndeath-bdseq); values that are not historical stand in the order of their times
(tck-id-operational-behavior-data-publish-dbirth-order). NDEATH leaves with QoS 1, all others with
QoS 0, none is retained. The text beside the bytes is the same message as JSON.
Never: lets bytes, a free text, or a metric that is not on the list through.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from inspector.core.errors import EngineerError
from inspector.domain.egress.letter import Letter, capped, rebuilt
from inspector.domain.egress.sparkplug_metrics import BD_SEQ, METRICS, REBIRTH, Instant, Owner
from inspector.domain.egress.sparkplug_metrics import names_of as names_of
from inspector.domain.egress.words import Sparse

CONTENT_TYPE = "application/x-protobuf"

Value = bool | int | float | str | None  # None: the metric has no value yet


class Verb(StrEnum):
    """The messages of an edge node that this station sends."""

    NBIRTH = "NBIRTH"
    NDATA = "NDATA"
    NDEATH = "NDEATH"
    DBIRTH = "DBIRTH"
    DDATA = "DDATA"


BIRTHS = (Verb.NBIRTH, Verb.DBIRTH)


class Group(Sparse, frozen=True, kw_only=True):
    """Metrics of one moment; `at` is None of an NDEATH alone."""

    at: Instant | None = None
    historical: bool = False  # it was so then; what is so now does not follow from it
    values: dict[str, Value]


class SparkplugMessage(Sparse, frozen=True, kw_only=True):
    """One message. `timestamp` and `seq` are None of an NDEATH alone."""

    verb: Verb
    timestamp: Instant | None = None
    seq: Annotated[int, Meta(ge=0, le=255)] | None = None
    groups: Annotated[tuple[Group, ...], Meta(min_length=1, max_length=8)]

    @property
    def owner(self) -> Owner:
        return Owner.DEVICE if self.verb.startswith("D") else Owner.NODE


Encode = Callable[[SparkplugMessage], bytes]


def sparkplug_letter(message: SparkplugMessage, topic: str, encode: Encode) -> Letter:
    """The message as `encode` spells it. Raises EngineerError when it may not leave."""
    checked = rebuilt(message, SparkplugMessage)
    if why := _wrong(checked):
        raise EngineerError(f"Sparkplug {checked.verb} that may not leave: {why}")
    payload = capped(encode(checked), f"Sparkplug {checked.verb}")
    text = msgspec.json.encode(checked).decode()
    if checked.verb is Verb.NDEATH:
        return Letter(topic, payload, text, qos=1, content_type=CONTENT_TYPE)
    return Letter(topic, payload, text, qos=0, content_type=CONTENT_TYPE)


def death(bd_seq: int) -> SparkplugMessage:
    """The NDEATH of the connection with this number: known before it begins, so it has neither a
    time nor a sequence number."""
    return SparkplugMessage(verb=Verb.NDEATH, groups=(Group(values={BD_SEQ: bd_seq}),))


def _wrong(message: SparkplugMessage) -> str:
    """Why this message is none of the specification, or ''."""
    return _wrong_head(message) or _wrong_names(message) or _wrong_values(message)


def _wrong_head(message: SparkplugMessage) -> str:
    dead = message.verb is Verb.NDEATH
    if dead != (message.seq is None) or dead != (message.timestamp is None):
        return "time and sequence number belong to all but NDEATH"
    if message.verb is Verb.NBIRTH and message.seq != 0:
        return f"sequence number {message.seq} instead of 0"
    if any(dead != (group.at is None) for group in message.groups):
        return "every metric but that of NDEATH has its time"
    times = [group.at or 0 for group in message.groups if not group.historical]
    return "" if times == sorted(times) else "its times are out of order"


def _wrong_names(message: SparkplugMessage) -> str:
    named = [name for group in message.groups for name in group.values]
    if strange := next((name for name in named if name not in METRICS), None):
        return f"{strange[:64]!r} is on no list"
    if message.verb is Verb.NDEATH:
        return "" if named == [BD_SEQ] else "it holds more than bdSeq"
    if any(METRICS[name].owner is not message.owner for name in named):
        return "it holds a metric of another owner"
    if message.verb not in BIRTHS:
        return "bdSeq and rebirth belong to NBIRTH" if {BD_SEQ, REBIRTH} & set(named) else ""
    whole = sorted(names_of(message.owner))
    return "" if sorted(named) == whole else "a birth names each metric once"


def _wrong_values(message: SparkplugMessage) -> str:
    for group in message.groups:
        for name, value in group.values.items():
            if value is None and message.verb in BIRTHS:
                continue
            if name == REBIRTH and value is not False:
                return f"{name}: is false in a birth"
            try:
                msgspec.convert(value, METRICS[name].kind, strict=True)
            except msgspec.ValidationError as error:
                return f"{name}: {error}"
    return ""
