"""What goes to the broker, as others see it: properties, aliases, sizes, how much at once."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from support.broker import TOPIC, down, letter, quick, result, results, settings, up, wait_for
from support.mosquitto import Listener, Subscriber, mosquitto, needs_mosquitto
from support.proxy import Manners, proxy
from support.scripted_broker import CONNECT, PUBLISH, Script, scripted

from inspector.devices.broker import Down, Result, Up
from inspector.devices.broker.packets import packet_bytes, publish_properties


@needs_mosquitto
def test_letter_carries_its_properties(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as server,
        Listener(server.port, TOPIC) as reader,
        quick(settings(server.port)) as broker,
    ):
        up(broker)
        sent = letter(b'{"a":1}', expiry_s=3600, correlation=b"\x00\xff12")
        result(broker, broker.publish(sent))
        message = reader.next()
        assert message.payload == b'{"a":1}'
        assert message.properties.ContentType == "application/json"
        assert message.properties.UserProperty == [("schema", "1")]
        assert message.properties.CorrelationData == b"\x00\xff12"
        assert 3590 <= message.properties.MessageExpiryInterval <= 3600
        result(broker, broker.publish(letter(b"\x08\x01", content_type="")))
        bare = reader.next().properties
        names = ("ContentType", "UserProperty", "CorrelationData", "MessageExpiryInterval")
        assert not [name for name in names if hasattr(bare, name)]


@needs_mosquitto
def test_retained_letter_is_there_for_who_comes_later(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server, quick(settings(server.port)) as broker:
        up(broker)
        result(broker, broker.publish(letter(b"birth", retain=True)))
        result(broker, broker.publish(letter(b"passing")))
        with Subscriber(server.port, TOPIC) as late:
            assert late.take(1) == [b"birth"]


@needs_mosquitto
def test_letters_of_both_qualities_are_answered_once_each_and_arrive_in_order(
    tmp_path: Path,
) -> None:
    with (
        mosquitto(tmp_path) as server,
        Subscriber(server.port, TOPIC) as reader,
        quick(settings(server.port)) as broker,
    ):
        up(broker)
        letters = [letter(b"%d" % number, qos=number % 2) for number in range(500)]
        tokens = [broker.publish(one) for one in letters]
        answers = results(broker, 500)
        assert Counter(answer.token for answer in answers) == Counter(tokens)
        assert {answer.status for answer in answers} == {"acked"}
        arrived = [int(data) for data in reader.take(500)]
        for quality in (0, 1):  # the order holds within one quality
            of_it = [number for number in arrived if number % 2 == quality]
            assert of_it == list(range(quality, 500, 2))
        assert broker.poll(0.1) is None


def test_no_more_than_the_broker_takes_are_on_their_way() -> None:
    """The broker takes 3 at once and answers only every third: 9 letters, never a fourth."""
    script = Script(limits={"ReceiveMaximum": 3}, puback={3: 0}.get)
    with (
        scripted(script) as server,
        quick(settings(server.port, ack_timeout_s=0.5)) as broker,
    ):
        assert up(broker).in_flight == 3
        for _ in range(9):
            broker.publish(letter())
        statuses = Counter(one.status for one in results(broker, 9))
        assert (statuses["acked"], statuses["timeout"] + statuses["lost"]) == (1, 8)
        assert len(server.taken(PUBLISH)) == 4


def test_topic_goes_over_the_wire_once() -> None:
    with (
        scripted(Script(limits={"TopicAliasMaximum": 2})) as server,
        quick(settings(server.port)) as broker,
    ):
        up(broker)
        for topic in ("a/b", "c/d", "a/b", "e/f", "c/d", "e/f"):
            broker.publish(letter(topic=topic))
        results(broker, 6)
        seen = [
            (packet.topic, getattr(packet.properties, "TopicAlias", None))
            for packet in server.taken(PUBLISH)
        ]
        assert seen == [("a/b", 1), ("c/d", 2), ("", 1), ("e/f", None), ("", 2), ("e/f", None)]


def test_broker_without_aliases_gets_every_topic_in_full() -> None:
    with scripted(Script()) as server, quick(settings(server.port)) as broker:
        up(broker)
        for _ in range(3):
            broker.publish(letter())
        results(broker, 3)
        assert [packet.topic for packet in server.taken(PUBLISH)] == [TOPIC] * 3


def test_aliases_are_given_up_when_the_broker_trips_over_them() -> None:
    script = Script(limits={"TopicAliasMaximum": 9}, leave=(2, 0x94))
    with scripted(script) as server, quick(settings(server.port)) as broker:
        up(broker)
        for _ in range(2):
            broker.publish(letter())
        assert "an alias that it has allowed" in down(broker)
        up(broker)
        script.leave = None
        for _ in range(2):
            broker.publish(letter())
        results(broker, 2)
        assert [packet.topic for packet in server.taken(PUBLISH)] == [TOPIC, "", TOPIC, TOPIC]


@needs_mosquitto
def test_aliases_hold_at_a_real_broker(tmp_path: Path) -> None:
    topics = [f"a/{number % 14}" for number in range(60)]  # mosquitto allows 10
    with (
        mosquitto(tmp_path) as server,
        Listener(server.port) as reader,
        quick(settings(server.port)) as broker,
    ):
        up(broker)
        for topic in topics:
            broker.publish(letter(topic=topic))
        results(broker, len(topics))
        assert [reader.next().topic for _ in topics] == topics


@needs_mosquitto
@pytest.mark.parametrize("expiry_s", [None, 86_400])
def test_largest_packet_is_meant_to_the_byte(tmp_path: Path, expiry_s: int | None) -> None:
    made = letter(b"x" * 300, expiry_s=expiry_s)
    most = packet_bytes(made.topic, made, publish_properties(made, 1))
    with mosquitto(tmp_path, f"allow_anonymous true\nmax_packet_size {most}") as server:
        with quick(settings(server.port)) as broker:
            assert up(broker).largest == most
            assert result(broker, broker.publish(made)).status == "acked"
        with quick(settings(server.port)) as broker:
            up(broker)
            longer = letter(b"x" * 301, expiry_s=expiry_s)
            answer = result(broker, broker.publish(longer))
            text = f"{most + 1} bytes, the broker takes {most}"
            assert answer == Result(answer.token, "oversize", text)


@given(
    st.binary(max_size=64),
    st.none() | st.integers(0, 2**32 - 1),
    st.none() | st.integers(1, 65_535),
    st.sampled_from(["", "application/json", "application/x-protobuf"]),
)
def test_properties_are_those_that_paho_reads(
    correlation: bytes, expiry_s: int | None, alias: int | None, content_type: str
) -> None:
    made = letter(correlation=correlation, expiry_s=expiry_s, content_type=content_type)
    packed = publish_properties(made, alias).pack()
    found = Properties(PacketTypes.PUBLISH)
    _, read = found.unpack(packed)
    assert read == len(packed)
    assert getattr(found, "CorrelationData", b"") == correlation
    assert getattr(found, "MessageExpiryInterval", None) == expiry_s
    assert getattr(found, "TopicAlias", None) == alias
    assert getattr(found, "ContentType", "") == content_type
    assert hasattr(found, "UserProperty") == (content_type == "application/json")


@given(st.integers(0, 20_000), st.sampled_from([0, 1]))
def test_length_is_that_of_the_packet_on_the_wire(size: int, qos: int) -> None:
    made = letter(b"x" * size, qos=qos)
    properties = publish_properties(made)
    rest = 2 + len(TOPIC) + 2 * qos + len(properties.pack()) + size
    head = 2 if rest < 128 else 3 if rest < 16_384 else 4
    assert packet_bytes(TOPIC, made, properties) == head + rest


@needs_mosquitto
def test_letters_that_wait_for_a_slow_link_all_arrive(tmp_path: Path) -> None:
    slow = Manners(delay_s=0.2, bits_per_s=256_000)
    with mosquitto(tmp_path) as server, proxy(server.port) as way:
        way.be(slow)
        with quick(settings(way.port, ack_timeout_s=5.0)) as broker:
            up(broker)
            tokens = [broker.publish(letter(b"x" * 700)) for _ in range(60)]
            answers = results(broker, 60)
            assert [answer.token for answer in answers] == tokens
            assert {answer.status for answer in answers} == {"acked"}


@needs_mosquitto
def test_broker_killed_under_load_leaves_every_letter_answered_once(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server, quick(settings(server.port)) as broker:
        up(broker)
        tokens = [broker.publish(letter(b"x" * 700)) for _ in range(3000)]
        server.kill()
        tokens += [broker.publish(letter()) for _ in range(50)]
        answers = results(broker, len(tokens))
        assert Counter(answer.token for answer in answers) == Counter(tokens)
        assert {answer.status for answer in answers} <= {"acked", "lost"}
        assert "lost" in {answer.status for answer in answers}


def test_letter_for_a_connection_that_is_over_is_not_sent_on_the_next() -> None:
    """The caller has not yet heard that its connection is over, and another one is up already."""
    script = Script(leave=(1, 0x8B))
    with scripted(script) as server, quick(settings(server.port)) as broker:
        up(broker)
        first = broker.publish(letter(b"first"))
        server.until(CONNECT, 2)
        script.leave = None
        stale = broker.publish(letter(b"stale"))
        told = [wait_for(broker, lambda one: True) for _ in range(4)]
        lost = [one.token for one in told if isinstance(one, Result) and one.status == "lost"]
        assert sorted(lost) == [first, stale]
        assert {type(one) for one in told} == {Result, Down, Up}
        assert result(broker, broker.publish(letter(b"fresh"))).status == "acked"
        seen = [packet.body[-5:] for packet in server.taken(PUBLISH)]
        assert seen == [b"first", b"fresh"]


def test_letter_before_the_first_connection_is_lost() -> None:
    with scripted(Script()) as server, quick(settings(server.port)) as broker:
        token = broker.publish(letter())
        assert result(broker, token) == Result(token, "lost", "no connection")
