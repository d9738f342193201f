"""The receiving end of totals over MQTT v5: a session that the broker keeps, and messages that are
acknowledged only when the caller says so.

Promises: a message is acknowledged to the broker after `acknowledge` and never before, so that
what a crash has cut off comes again; an acknowledgement never reaches another connection than the
one its message came by; each way to fail is one line that names host, port and remedy.
Never: keeps anything, or belongs to a station: this is what a plant's own system does.
"""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from paho.mqtt import MQTTException
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from inspector.core.errors import MaintainerError
from inspector.devices.receiver.link import Link, explain, password_of, refusal, tls_context

__all__ = ["Away", "Heard", "Link", "Receiver"]

ANSWER_S = 10.0
KEEPALIVE_S = 30
SESSION_S = 30 * 86_400  # the broker keeps our session so long while we are away
RECEIVE_MAXIMUM = 500  # messages on their way to us at once
LARGEST_PACKET = 16_384
REFUSED_FROM = 0x80


class Away(MaintainerError):
    """There is no connection to the broker, or no longer one. Trying again may help."""


@dataclass(frozen=True)
class Heard:
    """One message. `connection` counts ours."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    connection: int


class Receiver:
    """One connection at a time, for one thread."""

    def __init__(self, link: Link, filters: Iterable[str]) -> None:
        """Raises MaintainerError when a file cannot be used."""
        self._link = link
        self._filters = list(filters)
        self._tls = tls_context(link)
        self._password = password_of(link)
        self._client: Client | None = None
        self._connection = 0
        self._heard: deque[Heard] = deque()
        self._answers: deque[tuple[str, ReasonCode]] = deque()
        self.kept = False  # the broker had kept our session since the last time

    def connect(self) -> None:
        """Raises Away when there is no connection to be had, and MaintainerError when we may not
        read."""
        self._drop()
        self._connection += 1
        self._client = client = self._new_client()
        try:
            client.connect(
                self._link.host,
                self._link.port,
                KEEPALIVE_S,
                clean_start=False,
                properties=_session(),
            )
        except (OSError, UnicodeError, MQTTException) as error:
            self._drop()
            raise Away(f"{self.where}: {explain(error)}") from None
        self._answer("connect")
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        client.subscribe([(one, options) for one in self._filters])
        if (reason := self._answer("subscribe")).value >= REFUSED_FROM:
            self._drop()
            topics = ", ".join(self._filters)
            raise MaintainerError(
                f"{self.where}: does not let us read {topics} ({reason}); mend the broker's "
                "access list"
            )

    def gather(self, most: int, timeout_s: float) -> list[Heard]:
        """Messages that came, at most about `most`: waits `timeout_s` for the first and takes with
        it what is there. Raises Away."""
        if not self._heard:
            self._loop(timeout_s)
        before = -1
        while before < len(self._heard) < most:
            before = len(self._heard)
            self._loop(0.0)
        found = list(self._heard)
        self._heard.clear()
        return found

    def acknowledge(self, messages: Iterable[Heard]) -> None:
        """Tell the broker that these are kept for good. What came by an earlier connection is left
        out: the broker sends it again."""
        for message in messages:
            if self._client and message.connection == self._connection:
                self._client.ack(message.mid, message.qos)

    def say(self, topic: str, payload: bytes) -> None:
        """Publish a retained message. A refusal shows in `refusals`."""
        if self._client:
            self._client.publish(topic, payload, qos=1, retain=True)

    def refusals(self) -> list[str]:
        """What the broker has refused to take from us since the last time."""
        found = [str(reason) for what, reason in self._answers if what == "publish"]
        self._answers.clear()
        return [one for one in found if one]

    def close(self) -> None:
        """Say goodbye; the broker keeps the session."""
        self._drop()

    @property
    def where(self) -> str:
        return f"{self._link.host}:{self._link.port}"

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._link.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = ANSWER_S
        if self._tls:
            client.tls_set_context(self._tls)
        if self._link.username is not None:
            client.username_pw_set(self._link.username, self._password)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _drop(self) -> None:
        client, self._client = self._client, None
        self._heard.clear()  # not acknowledged, so it comes again
        self._answers.clear()
        if client:
            client.disconnect()

    def _loop(self, timeout_s: float) -> None:
        if self._client is None:
            raise Away(f"{self.where}: not connected")
        try:
            code = self._client.loop(timeout_s)
        except (OSError, MQTTException) as error:
            self._drop()
            raise Away(f"{self.where}: {explain(error)}") from None
        no = next((reason for what, reason in self._answers if _ends(what, reason)), None)
        if no is not None or code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._drop()
            raise Away(f"{self.where}: {_broke(code) if no is None else refusal(no, self._link)}")

    def _answer(self, wanted: str) -> ReasonCode:
        """The broker's answer to what was asked. Raises Away."""
        until = time.monotonic() + ANSWER_S
        while time.monotonic() < until:
            self._loop(0.1)
            for what, reason in self._answers:
                if what == wanted:
                    self._answers.clear()
                    return reason
        self._drop()
        raise Away(f"{self.where}: answers, but not in MQTT v5; is it an MQTT broker?")

    # Called by paho inside `loop`, so they only queue.
    def _on_connect(self, _c: Client, _u: Any, flags: Any, reason: ReasonCode, _p: Any) -> None:
        self.kept = bool(flags.session_present)
        self._answers.append(("connect", reason))

    def _on_subscribe(
        self, _c: Client, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Any
    ) -> None:
        self._answers.append(("subscribe", max(reasons, key=lambda one: one.value)))

    def _on_disconnect(self, _c: Client, _u: Any, flags: Any, reason: ReasonCode, _p: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._answers.append(("disconnect", reason))

    def _on_publish(self, _c: Client, _u: Any, _mid: int, reason: ReasonCode, _p: Any) -> None:
        if reason.value >= REFUSED_FROM:
            self._answers.append(("publish", reason))

    def _on_message(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._heard.append(
            Heard(topic, bytes(message.payload), message.mid, message.qos, self._connection)
        )


def _session() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
    properties.SessionExpiryInterval = SESSION_S
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = LARGEST_PACKET
    return properties


def _ends(what: str, reason: ReasonCode) -> bool:
    return what == "disconnect" or (what == "connect" and reason.value >= REFUSED_FROM)


def _broke(code: MQTTErrorCode) -> str:
    return f"the connection broke ({code.name.removeprefix('MQTT_ERR_').lower()})"
