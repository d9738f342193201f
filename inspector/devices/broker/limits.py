"""What a broker allows on a connection, as its first answer says.

Promises: what it does not say is what MQTT v5 lays down for that.
Never: allows more than this program wants itself.
"""

from dataclasses import dataclass

from paho.mqtt.properties import Properties

IN_FLIGHT = 20


@dataclass(frozen=True)
class Limits:
    """in_flight: letters at once. largest: bytes of a packet, None: any. aliases: of topics.
    retains: keeps a topic's last message. qos: the highest. keepalive_s: None: as we asked."""

    in_flight: int = IN_FLIGHT
    largest: int | None = None
    aliases: int = 0
    retains: bool = True
    qos: int = 2
    keepalive_s: int | None = None


def read_limits(properties: Properties | None) -> Limits:
    """The limits in the properties of a CONNACK."""
    return Limits(
        in_flight=min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT)),
        largest=getattr(properties, "MaximumPacketSize", None),
        aliases=getattr(properties, "TopicAliasMaximum", 0),
        retains=bool(getattr(properties, "RetainAvailable", 1)),
        qos=getattr(properties, "MaximumQoS", 2),
        keepalive_s=getattr(properties, "ServerKeepAlive", None),
    )
