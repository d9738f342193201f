"""Protobuf and back.

Promises: births and the death name their metrics, data has the alias alone
(tck-id-payloads-alias-birth-requirement, tck-id-payloads-alias-data-cmd-requirement); every metric
but that of a death has its time (tck-id-payloads-name-birth-data-requirement); a value that is not
known is null (tck-id-operational-behavior-data-publish-dbirth-values). What comes in is read up to
MAX_BYTES and MOST_METRICS; what cannot be read is None.
Never: raises on any bytes, or reads a template, a data set or a file.

The type of a value stands in data too, which the specification would rather not have
(tck-id-payloads-metric-datatype-not-req, a SHOULD NOT): the decoder that most hosts in JavaScript
use reads no value without it.
"""

from google.protobuf.message import DecodeError

from inspector.devices.sparkplug.payload_pb2 import Metric as Wire
from inspector.devices.sparkplug.payload_pb2 import Payload
from inspector.domain.egress.sparkplug import BIRTHS, Group, SparkplugMessage, Value, Verb
from inspector.domain.egress.sparkplug_metrics import METRICS, Datatype, Metric
from inspector.domain.sparkplug.command import Asked

MAX_BYTES = 4096
MOST_METRICS = 64
LONGEST_NAME = 128


def encode(message: SparkplugMessage) -> bytes:
    """The message's bytes; it is one that `sparkplug_letter` has checked."""
    payload = Payload()
    if message.timestamp is not None:
        payload.timestamp = message.timestamp
    if message.seq is not None:
        payload.seq = message.seq
    for group in message.groups:
        for name, value in group.values.items():
            _write(payload.metrics.add(), METRICS[name], value, group, message.verb)
    return payload.SerializeToString()


def decode_command(data: bytes) -> tuple[Asked, ...] | None:
    """What these bytes ask for, or None when they are no command."""
    if len(data) > MAX_BYTES:
        return None
    payload = Payload()
    try:
        payload.ParseFromString(data)
        if len(payload.metrics) > MOST_METRICS:
            return None
        return tuple(_asked(wire) for wire in payload.metrics)
    except (DecodeError, UnicodeDecodeError):
        return None


def _write(wire: Wire, metric: Metric, value: Value, group: Group, verb: Verb) -> None:
    dead = verb is Verb.NDEATH
    wire.datatype = int(metric.datatype)
    if verb in BIRTHS or dead:
        wire.name = metric.name
    if metric.alias and not dead:
        wire.alias = metric.alias
    if group.at is not None:
        wire.timestamp = group.at
    if group.historical:
        wire.is_historical = True
    if value is None:
        wire.is_null = True
    else:
        _set(wire, metric.datatype, value)


def _set(wire: Wire, datatype: Datatype, value: bool | int | float | str) -> None:
    match datatype:
        case Datatype.INT64 | Datatype.DATETIME:
            wire.long_value = int(value)
        case Datatype.DOUBLE:
            wire.double_value = float(value)
        case Datatype.BOOLEAN:
            wire.boolean_value = bool(value)
        case Datatype.STRING:
            wire.string_value = str(value)


def _asked(wire: Wire) -> Asked:
    which = wire.WhichOneof("value")
    value = getattr(wire, which) if which and not wire.is_null else None
    name = wire.name if isinstance(wire.name, str) else ""  # what is no text comes as bytes
    alias = wire.alias if wire.HasField("alias") else None
    return Asked(name[:LONGEST_NAME], None if isinstance(value, bytes) else value, alias)
