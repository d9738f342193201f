"""One connection to the broker, from its beginning to its end.

Promises: every letter taken over is answered once: acknowledged, refused, too large, not answered
in time, or lost with the connection. What the broker allows is kept: how much at once, how large
a packet, how many aliases of topics.
Never: connects a second time; the next connection is a new one with nothing left over.
"""

import queue
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paho.mqtt import MQTTException
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from inspector.core.config_mqtt import Publish
from inspector.devices.broker.aliases import Aliases
from inspector.devices.broker.client import CONNECT_S, ThriftyClient
from inspector.devices.broker.explain import (
    End,
    broken,
    explain,
    hung_up,
    no_beginning,
    other_station,
    refusal,
)
from inspector.devices.broker.flight import Flight
from inspector.devices.broker.handover import Handover
from inspector.devices.broker.happenings import Happening, Heard, Result, Subscription, Up
from inspector.devices.broker.identity import Identity
from inspector.devices.broker.inbound import Room, heard_of
from inspector.devices.broker.limits import Limits, read_limits
from inspector.devices.broker.packets import packet_bytes, publish_properties
from inspector.domain.egress.letter import Letter

TURN_S = 0.5
TURNS = 100  # of reading, before it is looked after what goes out
FAREWELL = 0  # the token of the last letter; nobody waits for its result
STOPPED = End("stopped")


@dataclass(frozen=True)
class Setting:
    """What all connections of one broker have in common."""

    settings: Publish
    subscriptions: tuple[Subscription, ...]
    handover: Handover
    happenings: "queue.SimpleQueue[Happening]"
    room: Room
    identity: Identity
    closing: threading.Event


class Session:
    """One connection: what paho's callbacks queue, and what is on its way."""

    def __init__(self, client: ThriftyClient, around: Setting, number: int, aliases: bool) -> None:
        """number: of this connection, should it come about. aliases: may be used."""
        self.up = self.was_up = False
        self.useful = False  # something was acknowledged: the next try need not be slow
        self._client = client
        self._around = around
        self._number = number
        self._may_alias = aliases
        self._aliases = Aliases()
        self._flight = Flight()
        self._limits = Limits()
        self._parted = False
        self._early: list[Heard] = []  # heard before we are up
        self._deadline = 0.0
        self._poll = select.poll()
        self._heard: deque[Callable[[], End | None]] = deque()
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

    def talk(self) -> End:
        """Connect and go on until the end; why it ended."""
        settings = self._around.settings
        try:
            self._client.reach(settings.host, settings.port, settings.keepalive_s)
        except OSError as error:
            return explain(error, settings)
        except ValueError:  # empty, or of no letters that a name may have
            return End("is no host name; mend publish.host")
        self._deadline = time.monotonic() + 2 * CONNECT_S
        try:
            return self._converse()
        except OSError as error:
            return explain(error, settings)
        except MQTTException:
            text = "answers in something other than MQTT v5; is it an MQTT broker?"
            return End(text, "no_v5", garbled=True)

    def part(self, farewell: Letter | None, patience_s: float, with_will: bool) -> None:
        """Say goodbye in order: no will is told then, unless `with_will`."""
        until = time.monotonic() + patience_s
        waiting = farewell
        while self.up and farewell and not self._parted and time.monotonic() < until:
            if waiting and len(self._flight) < self._limits.in_flight:
                self._send(FAREWELL, waiting)
                waiting = None
            if self._turn():
                return
        if not with_will:
            self._client.say_goodbye()

    def abandon(self, end: End) -> None:
        """Hang up; all that is still on its way is lost to us, the broker tells our will."""
        self.up = False
        self._client.hang_up()
        for _ in () if self.was_up else self._early:
            self._around.room.leave()
        for result in self._flight.crash(end.garbled, end.text):
            self._answer(result)

    def _converse(self) -> End:
        self._poll.register(self._around.handover.fileno(), select.POLLIN)
        while not self._around.closing.is_set():
            self._fill()
            if end := self._turn():
                return end
        return STOPPED

    def _turn(self) -> End | None:
        """Wait for something, send, hear and check times once. Why the connection is over."""
        rc = self._move(self._wait())
        while self._heard:
            if end := self._heard.popleft()():
                return end
        if rc != MQTTErrorCode.MQTT_ERR_SUCCESS or self._client.socket() is None:
            return self._ended(rc)
        return self._overdue()

    def _wait(self) -> bool:
        """Until there is something to read (True), to send, or to look after."""
        socket, bell = self._client.socket(), self._around.handover
        if socket is None:
            return False
        writes = select.POLLOUT if self._client.want_write() else 0
        number = socket.fileno()
        self._poll.register(number, select.POLLIN | writes)
        # A letter of QoS 0 is answered when it is written: there may be something to hear already.
        ready = dict(self._poll.poll(0 if self._heard else TURN_S * 1000))
        if bell.fileno() in ready:
            bell.heard()
        return bool(ready.get(number, 0) & ~select.POLLOUT)

    def _move(self, readable: bool) -> MQTTErrorCode:
        rc = self._client.read(TURNS) if readable else MQTTErrorCode.MQTT_ERR_SUCCESS
        if rc == MQTTErrorCode.MQTT_ERR_SUCCESS and self._client.want_write():
            rc = self._client.loop_write()
        return rc or self._client.loop_misc()

    def _fill(self) -> None:
        """Send what was handed over, as much as may be on its way."""
        while self.up and len(self._flight) < self._limits.in_flight:
            handed = self._around.handover.take()
            if handed is None:
                return
            self._send(*handed)

    def _send(self, token: int, letter: Letter) -> None:
        limits = self._limits
        topic, alias = self._aliases.of(letter.topic)
        properties = publish_properties(letter, alias)
        size = packet_bytes(topic, letter, properties)
        if limits.largest is not None and size > limits.largest:
            text = f"{size} bytes, the broker takes {limits.largest}"
            self._answer(Result(token, "oversize", text))
            return
        retain = letter.retain and limits.retains
        sent = self._client.publish(topic, letter.payload, letter.qos, retain, properties)
        self._aliases.told(letter.topic, alias)
        self._flight.began(sent.mid, token, time.monotonic())

    def _answer(self, result: Result) -> None:
        self.useful |= result.status == "acked"
        if result.token == FAREWELL:
            self._parted = True
        else:
            self._around.happenings.put(result)

    def _overdue(self) -> End | None:
        now, patience = time.monotonic(), self._around.settings.ack_timeout_s
        if not self.up:
            text = "answers the connection, but not in MQTT v5; is it an MQTT broker?"
            return End(text, "no_v5") if now > self._deadline else None
        late = self._flight.overdue(now, patience)
        for result in late:
            self._answer(result)
        return End(f"acknowledges nothing within {patience:g} s", "silent") if late else None

    def _ended(self, rc: MQTTErrorCode) -> End:
        client = self._client
        if not self.up:
            return no_beginning(self._around.settings, client.broke)
        if rc == MQTTErrorCode.MQTT_ERR_PROTOCOL:
            return End("the connection broke: an answer outside of MQTT v5", garbled=True)
        return hung_up() if client.hung_up else broken(client.broke)

    def _connected(self, reason: ReasonCode, properties: Properties | None) -> End | None:
        if reason.is_failure:
            return refusal(reason, properties, self._around.settings)
        self._limits = read_limits(properties)
        if self._limits.qos < 1:
            text = "takes QoS 0 only; the totals need a broker that acknowledges (QoS 1)"
            return End(text, "refused")
        self._aliases = Aliases(self._limits.aliases if self._may_alias else 0)
        if wanted := self._wanted():
            self._client.subscribe(wanted)
        else:
            self._go_up(())
        return None

    def _wanted(self) -> list[tuple[str, SubscribeOptions]]:
        wanted = [(one.topic, SubscribeOptions(one.qos)) for one in self._around.subscriptions]
        own = self._around.identity.topic
        return [*wanted, (own, SubscribeOptions(1, noLocal=True))] if own else wanted

    def _subscribed(self, reasons: list[ReasonCode]) -> None:
        asked = zip(self._around.subscriptions, reasons, strict=False)
        self._go_up(tuple(one.topic for one, reason in asked if reason.is_failure))

    def _go_up(self, denied: tuple[str, ...]) -> None:
        self.up = self.was_up = True
        self._around.handover.open(self._number)
        limits = self._limits
        self._around.happenings.put(Up(limits.in_flight, limits.largest, denied, limits))
        for heard in self._early:
            self._around.happenings.put(heard)

    def _pass_on(self, message: MQTTMessage) -> End | None:
        heard, identity = heard_of(message), self._around.identity
        if heard and heard.topic == identity.topic:
            return other_station(heard.topic) if identity.taken(heard, self._number == 1) else None
        if heard is None or not self._around.room.enter():
            return None
        if self.up:
            self._around.happenings.put(heard)
        else:
            self._early.append(heard)
        return None

    def _landed(self, mid: int, reason: ReasonCode) -> None:
        if result := self._flight.landed(mid, reason):
            self._answer(result)

    # Called by paho while it reads or writes, so they only queue.
    def _on_connect(
        self, _c: Client, _u: Any, _f: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._heard.append(lambda: self._connected(reason, properties))

    def _on_disconnect(
        self, _c: Client, _u: Any, flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._heard.append(lambda: refusal(reason, properties, self._around.settings))

    def _on_subscribe(
        self, _c: Client, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Properties | None
    ) -> None:
        self._heard.append(lambda: self._subscribed(reasons))

    def _on_publish(
        self, _c: Client, _u: Any, mid: int, reason: ReasonCode, _p: Properties | None
    ) -> None:
        self._heard.append(lambda: self._landed(mid, reason))

    def _on_message(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        self._heard.append(lambda: self._pass_on(message))
