"""What comes in through a subscription: acknowledgements and commands, and what should not."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from support.broker import down, heard, letter, quick, result, settings, up
from support.mosquitto import mosquitto, needs_mosquitto
from support.scripted_broker import CONNECT, Script, scripted, whole

from inspector.devices.broker import Broker, Heard, Result, Subscription, Up
from inspector.devices.broker.client import LARGEST_IN
from inspector.devices.broker.inbound import MOST

COMMAND = "acme/lyon/press/l1/c7/vision/v1/command"
ACK = "acme/lyon/press/l1/c7/vision/v1/ack"
WANTED = (Subscription(COMMAND), Subscription(ACK))


@needs_mosquitto
def test_message_is_heard_with_all_that_an_answer_needs(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as server,
        mes(server.port) as sender,
        quick(settings(server.port), subscriptions=WANTED) as broker,
    ):
        assert up(broker).denied == ()
        sender(COMMAND, b"{}", ResponseTopic="a/reply", CorrelationData=b"\0\1")
        assert heard(broker) == Heard(COMMAND, b"{}", False, "a/reply", b"\0\1", None)
        sender(ACK, b"{}", retain=True, MessageExpiryInterval=60)
        again = heard(broker)
        assert (again.topic, again.retained) == (ACK, False)
        assert again.expires_s is not None
        assert 58 <= again.expires_s <= 60
        sender("acme/lyon/press/l1/c8/vision/v1/command", b"another station's")
        assert broker.poll(0.3) is None


@needs_mosquitto
def test_retained_message_is_heard_as_such_after_every_beginning(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server, mes(server.port) as sender:
        sender(ACK, b"kept", retain=True)
        for _ in range(2):
            with quick(settings(server.port), subscriptions=WANTED) as broker:
                assert up(broker).in_flight == 20  # never heard before this
                assert heard(broker) == Heard(ACK, b"kept", retained=True)


def test_refused_subscription_is_told_and_the_rest_goes_on() -> None:
    with (
        scripted(Script(suback=0x87)) as server,
        quick(settings(server.port), subscriptions=WANTED) as broker,
    ):
        assert up(broker).denied == (COMMAND, ACK)
        assert result(broker, broker.publish(letter())).status == "acked"


@needs_mosquitto
def test_message_that_the_library_cannot_read_does_not_stop_the_others(tmp_path: Path) -> None:
    """A byte order mark is allowed in MQTT, and paho ends the connection over it; retained, it
    would do so at every beginning."""
    with mosquitto(tmp_path) as server, mes(server.port) as sender:
        sender(COMMAND, b"odd", retain=True, UserProperty=("\ufeff", "x"))
        with quick(settings(server.port), subscriptions=WANTED) as broker:
            up(broker)
            sender(COMMAND, b"odd too", ContentType="\ufeff")
            sender(COMMAND, b"plain")
            assert heard(broker).payload == b"plain"
            assert result(broker, broker.publish(letter())).status == "acked"


@needs_mosquitto
def test_message_larger_than_we_take_is_kept_away_by_the_broker(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as server,
        mes(server.port) as sender,
        quick(settings(server.port), subscriptions=WANTED) as broker,
    ):
        up(broker)
        sender(COMMAND, b"x" * (LARGEST_IN + 1))
        sender(COMMAND, b"y")
        assert heard(broker).payload == b"y"


def test_broker_that_sends_too_much_at_once_is_left() -> None:
    head = whole(0x30, b"")[:1] + b"\xff\xff\xff\x7f"  # the longest packet that MQTT knows
    with scripted(Script(then=head)) as server, quick(settings(server.port)) as broker:
        assert "a packet of 268435455 bytes" in down(broker)


@needs_mosquitto
def test_flood_is_dropped_and_what_leaves_goes_on(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as server,
        mes(server.port) as sender,
        quick(settings(server.port), subscriptions=WANTED) as broker,
    ):
        up(broker)
        for number in range(5 * MOST):
            sender(COMMAND, b"%d" % number)
        token = broker.publish(letter())
        happenings = []
        while not happenings or getattr(happenings[-1], "token", None) != token:
            happenings.append(broker.poll(20))
        messages = [one for one in happenings if isinstance(one, Heard)]
        assert MOST <= len(messages) < 5 * MOST
        assert [int(one.payload) for one in messages[:MOST]] == list(range(MOST))
        sender(COMMAND, b"room again")
        assert heard(broker).payload == b"room again"


@examples(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_whatever_a_broker_sends_ends_the_connection_at_worst(parts: list[bytes]) -> None:
    """Packets of every kind with any body, and bytes that are no packets at all."""
    noise = b"".join(
        whole(part[0], part[1:]) if part and number % 4 else part
        for number, part in enumerate(parts)
    )
    script = Script(then=noise)
    with (
        scripted(script) as server,
        quick(settings(server.port, ack_timeout_s=0.2)) as broker,
    ):
        server.until(CONNECT, 1)
        time.sleep(0.02)
        script.then = b""
        assert in_the_end_acknowledged(broker)


def in_the_end_acknowledged(broker: Broker) -> bool:
    """Whether a letter gets through, however often the connection ends before."""
    for _ in range(100):
        match broker.poll(20):
            case Up():
                broker.publish(letter())
            case Result(status="acked"):
                return True
            case None:
                return False
    return False


@contextmanager
def mes(port: int) -> Iterator[Any]:
    """Somebody of the plant who sends: call it with topic, payload and properties."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()

    def send(topic: str, payload: bytes, retain: bool = False, **more: Any) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        for name, value in more.items():
            setattr(properties, name, value)
        client.publish(topic, payload, 1, retain, properties).wait_for_publish(20)

    try:
        yield send
    finally:
        client.disconnect()
        client.loop_stop()
        client._reset_sockets()  # paho leaves its own pair to the garbage collector
