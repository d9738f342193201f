"""One connection to the broker, from its beginning to its end.

Promises: every payload handed over is answered once: acknowledged, refused, too large, not
answered in time, or lost with the connection.
Never: connects a second time; the next connection is a new session with nothing left over.
"""

import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

from paho.mqtt import MQTTException
from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from inspector.core.config import Publish
from inspector.devices.broker.explain import explain, no_beginning, refusal
from inspector.domain.egress import Payload

IN_FLIGHT = 20
CONNECT_S = 5.0
TURN_S = 0.05
HEADER_BYTES = 64  # of a PUBLISH, besides topic and payload, with room to spare

NO_READER = 0x10
REFUSED_FROM = 0x80
TOO_LARGE = 0x95

Status = Literal["acked", "refused", "oversize", "timeout", "lost", "broke"]
Outgoing = queue.SimpleQueue[tuple[int, Payload]]


@dataclass(frozen=True)
class Result:
    """What became of one payload. Keep the row and try later on all but `acked` and `oversize`.

    `broke`: lost with a connection that ended over an answer outside of MQTT v5, which this very
    payload may have caused. Mosquitto answers so above its own message_size_limit.
    """

    token: int
    status: Status
    detail: str = ""


@dataclass(frozen=True)
class Up:
    """The broker has taken us; so many payloads may be on their way at once."""

    in_flight: int


@dataclass(frozen=True)
class Down:
    """The connection ended or could not be had: one line for a person."""

    text: str


Happening = Up | Down | Result


class Session:
    """One connection: what paho's callbacks queue, and what is on its way."""

    def __init__(
        self,
        client: Client,
        topic: str,
        settings: Publish,
        happenings: "queue.SimpleQueue[Happening]",
    ) -> None:
        self.useful = False  # something was acknowledged: the next try need not be slow
        self._client = client
        self._topic = topic
        self._settings = settings
        self._happenings = happenings
        self._on_the_way: dict[int, tuple[int, float]] = {}  # paho's id -> token, sent at
        self._largest: int | None = None
        self._up = False
        self._garbled = False
        self._deadline = time.monotonic() + 2 * CONNECT_S
        self._heard: deque[tuple[str, int, ReasonCode, Properties | None]] = deque()
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish

    def connect(self) -> None:
        """Raises OSError when there is nobody, or not the one named in the certificate."""
        settings = self._settings
        self._client.connect(settings.host, settings.port, settings.keepalive_s, clean_start=True)

    def talk(self, outgoing: Outgoing, closing: threading.Event) -> str:
        """Connect and go on until the end; why it ended."""
        try:
            self.connect()
            while not closing.is_set():
                if why := self.turn(outgoing):
                    return why
        except OSError as error:
            return explain(error, self._settings)
        except UnicodeError:
            return "is no host name; mend publish.host"
        except MQTTException:
            self._garbled = True
            return "answers in something other than MQTT v5; is it an MQTT broker?"
        return "stopped"

    def turn(self, outgoing: Outgoing) -> str:
        """Send, hear and check times once. Returns why the connection is over, or ''."""
        if self._up:
            while not outgoing.empty():
                self._send(*outgoing.get())
        rc = self._client.loop(TURN_S)
        while self._heard:
            if why := self._take(*self._heard.popleft()):
                return why
        if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return self._ended(rc)
        return self._overdue()

    def abandon(self, why: str) -> None:
        """End the connection; all that is still on its way is lost to us."""
        self._client.disconnect()
        status: Status = "broke" if self._garbled else "lost"
        for token, _ in self._on_the_way.values():
            self._happenings.put(Result(token, status, why))
        self._on_the_way.clear()

    def _send(self, token: int, payload: Payload) -> None:
        size = len(payload) + len(self._topic.encode()) + HEADER_BYTES
        if self._largest is not None and size > self._largest:
            text = f"{size} bytes, the broker takes {self._largest}"
            self._happenings.put(Result(token, "oversize", text))
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
        properties.ContentType = "application/json"
        sent = self._client.publish(self._topic, payload, qos=1, properties=properties)
        self._on_the_way[sent.mid] = (token, time.monotonic())

    def _take(self, what: str, mid: int, reason: ReasonCode, more: Properties | None) -> str:
        if what == "connect":
            return self._connected(reason, more)
        if what == "disconnect":
            return refusal(reason, self._settings)
        token, _ = self._on_the_way.pop(mid)
        result = _result(token, reason)
        self.useful |= result.status == "acked"
        self._happenings.put(result)
        return ""

    def _connected(self, reason: ReasonCode, properties: Properties | None) -> str:
        if reason.is_failure:
            return refusal(reason, self._settings)
        self._largest = getattr(properties, "MaximumPacketSize", None)
        most = getattr(properties, "ReceiveMaximum", IN_FLIGHT)
        self._up = True
        self._happenings.put(Up(min(IN_FLIGHT, most)))
        return ""

    def _overdue(self) -> str:
        now, patience = time.monotonic(), self._settings.ack_timeout_s
        if not self._up and now > self._deadline:
            return "answers the connection, but not in MQTT v5; is it an MQTT broker?"
        late = [mid for mid, (_, sent) in self._on_the_way.items() if now - sent > patience]
        for mid in late:
            token, _ = self._on_the_way.pop(mid)
            self._happenings.put(Result(token, "timeout", f"no answer within {patience:g} s"))
        return f"acknowledges nothing within {patience:g} s" if late else ""

    def _ended(self, rc: MQTTErrorCode) -> str:
        self._garbled = rc == MQTTErrorCode.MQTT_ERR_PROTOCOL
        if self._up:
            return f"the connection broke ({rc.name.removeprefix('MQTT_ERR_').lower()})"
        return no_beginning(self._settings)

    # Called by paho inside `loop`, so they only queue.
    def _on_connect(
        self, _c: Client, _u: Any, _f: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._heard.append(("connect", 0, reason, properties))

    def _on_disconnect(
        self, _c: Client, _u: Any, flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._heard.append(("disconnect", 0, reason, properties))

    def _on_publish(
        self, _c: Client, _u: Any, mid: int, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._heard.append(("publish", mid, reason, properties))


def _result(token: int, reason: ReasonCode) -> Result:
    if reason.value == TOO_LARGE:
        return Result(token, "oversize", str(reason))
    if reason.value >= REFUSED_FROM:
        return Result(token, "refused", f"{reason} (reason code 0x{reason.value:02x})")
    return Result(token, "acked", "nobody reads" if reason.value == NO_READER else "")
