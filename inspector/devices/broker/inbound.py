"""What others say to the station, on its way to the caller.

Promises: at most MOST wait for the caller; more are dropped, as if the network had.
Never: reads what is in a message; that is done where it is known what it should be.
"""

import threading

from paho.mqtt.client import MQTTMessage

from inspector.devices.broker.happenings import Heard

MOST = 100


class Room:
    """Places for messages that nobody has fetched yet; shared by two threads."""

    def __init__(self, most: int = MOST) -> None:
        self._places = threading.Semaphore(most)

    def enter(self) -> bool:
        """False when it is full."""
        return self._places.acquire(blocking=False)

    def leave(self) -> None:
        self._places.release()


def heard_of(message: MQTTMessage) -> Heard | None:
    """The message as it is passed on; None when its topic is no text."""
    try:
        topic = message.topic
    except UnicodeDecodeError:
        return None
    more = message.properties
    return Heard(
        topic,
        bytes(message.payload),
        retained=bool(message.retain),
        response_topic=str(getattr(more, "ResponseTopic", "")),
        correlation=bytes(getattr(more, "CorrelationData", b"")),
        expires_s=getattr(more, "MessageExpiryInterval", None),
    )
