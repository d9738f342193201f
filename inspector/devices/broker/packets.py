"""The properties of a message in MQTT v5, as bytes, and the true length of its packet.

Promises: bytes as the standard wants them; the length is what goes over the wire, to the byte.
Never: sends.

The bytes are made here because paho builds two tables of names for each message's properties.
"""

import struct
from functools import lru_cache

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from inspector.domain.egress.letter import Letter

JSON = "application/json"
SCHEMA = ("schema", "1")  # user property of every JSON message: the version of its schema

_EXPIRY, _CONTENT_TYPE, _CORRELATION, _ALIAS, _USER = 0x02, 0x03, 0x09, 0x23, 0x26


class Packed(Properties):
    """A PUBLISH packet's properties of which the bytes are known already."""

    def __init__(self, data: bytes) -> None:
        # Not the parent's, which would build its tables; nor its __setattr__, which knows only
        # the names in them.
        object.__setattr__(self, "packed", data)

    def pack(self) -> bytes:
        return bytes(object.__getattribute__(self, "packed"))


def publish_properties(letter: Letter, alias: int | None = None) -> Packed:
    """The properties of a letter; with a topic's alias where it has one."""
    if letter.correlation:
        return _packed(letter.content_type, letter.expiry_s, letter.correlation, alias)
    return _often(letter.content_type, letter.expiry_s, alias)


def packet_bytes(topic: str, letter: Letter, properties: Packed) -> int:
    """Bytes of the whole PUBLISH packet, its fixed header included."""
    identifier = 2 if letter.qos else 0
    rest = 2 + len(topic.encode()) + identifier + len(properties.pack()) + len(letter.payload)
    return 1 + len(_whole(rest)) + rest


def will_properties(letter: Letter, delay_s: int) -> Properties:
    """The properties of a will, which the broker publishes `delay_s` after it has lost us."""
    made = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]  # paho's
    if letter.content_type:
        made.ContentType = letter.content_type
    if letter.content_type == JSON:
        made.UserProperty = SCHEMA
    if letter.expiry_s is not None:
        made.MessageExpiryInterval = letter.expiry_s
    if delay_s:
        made.WillDelayInterval = delay_s
    return made


@lru_cache(maxsize=64)
def _often(content_type: str, expiry_s: int | None, alias: int | None) -> Packed:
    return _packed(content_type, expiry_s, b"", alias)


def _packed(
    content_type: str, expiry_s: int | None, correlation: bytes, alias: int | None
) -> Packed:
    data = b""
    if expiry_s is not None:
        data += struct.pack("!BL", _EXPIRY, expiry_s)
    if content_type:
        data += struct.pack("!B", _CONTENT_TYPE) + _string(content_type.encode())
    if correlation:
        data += struct.pack("!B", _CORRELATION) + _string(correlation)
    if alias is not None:
        data += struct.pack("!BH", _ALIAS, alias)
    if content_type == JSON:
        name, value = SCHEMA
        data += struct.pack("!B", _USER) + _string(name.encode()) + _string(value.encode())
    return Packed(_whole(len(data)) + data)


def _string(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def _whole(number: int) -> bytes:
    """A number in seven bits a byte, the lowest first, as MQTT writes lengths."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)
