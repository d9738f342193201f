"""The will: told when the station is lost for long enough, and only then; and the farewell."""

from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from support.broker import down, letter, quick, result, settings, up
from support.mosquitto import Listener, mosquitto, needs_mosquitto
from support.proxy import AWAY, GOOD, proxy
from support.scripted_broker import CONNECT, DISCONNECT, Script, scripted

from inspector.domain.egress.letter import Letter

STATE = "acme/lyon/press/l1/c7/vision/v1/state"


def will() -> Letter:
    return letter(b"lost", topic=STATE, retain=True)


def farewell() -> Letter:
    return letter(b"stopped", topic=STATE, retain=True)


@needs_mosquitto
def test_station_that_is_lost_has_its_will_told(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server, Listener(server.port, STATE) as reader:
        with (
            proxy(server.port) as way,
            quick(settings(way.port, will_delay_s=1), will=will) as broker,
        ):
            up(broker)
            way.be(AWAY)
            message = reader.next()
            assert message.payload == b"lost"
            assert message.properties.ContentType == "application/json"
            assert message.properties.UserProperty == [("schema", "1")]
        with Listener(server.port, STATE) as late:
            assert late.next().retain


@needs_mosquitto
def test_short_cut_is_not_told(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as server,
        Listener(server.port, STATE) as reader,
        proxy(server.port) as way,
        quick(settings(way.port, will_delay_s=3600), will=will) as broker,
    ):
        for _ in range(3):
            up(broker)
            way.be(AWAY)
            down(broker)
            way.be(GOOD)
        up(broker)
        result(broker, broker.publish(letter(b"here", topic=STATE)))
        assert reader.next().payload == b"here"


@needs_mosquitto
def test_will_without_delay_is_told_at_once(tmp_path: Path) -> None:
    """As Sparkplug wants it: no session is kept either."""
    with (
        mosquitto(tmp_path) as server,
        Listener(server.port, STATE) as reader,
        proxy(server.port) as way,
        quick(settings(way.port, will_delay_s=3600), will=will, will_delay=False) as broker,
    ):
        up(broker)
        way.be(AWAY)
        assert reader.next().payload == b"lost"


@needs_mosquitto
@pytest.mark.parametrize("full", [False, True])
def test_orderly_end_sends_the_farewell_and_no_will(tmp_path: Path, full: bool) -> None:
    """Even behind letters that are on their way."""
    with mosquitto(tmp_path) as server, Listener(server.port, STATE) as reader:
        with quick(settings(server.port, will_delay_s=0), will=will) as broker:
            up(broker)
            for _ in range(500 if full else 0):
                broker.publish(letter())
            broker.close(farewell())
        assert reader.next().payload == b"stopped"
        with Listener(server.port, STATE) as late:
            assert late.next().payload == b"stopped"
        assert reader.whole.empty()


@needs_mosquitto
def test_farewell_may_be_followed_by_the_will(tmp_path: Path) -> None:
    """As Sparkplug wants it under MQTT v5."""
    with mosquitto(tmp_path) as server, Listener(server.port, STATE) as reader:
        with quick(settings(server.port), will=will, will_delay=False) as broker:
            up(broker)
            broker.close(farewell(), with_will=True)
        assert [reader.next().payload for _ in range(2)] == [b"stopped", b"lost"]


@needs_mosquitto
def test_orderly_end_without_a_farewell_tells_no_will_either(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server, Listener(server.port, STATE) as reader:
        with quick(settings(server.port, will_delay_s=0), will=will) as broker:
            up(broker)
        with quick(settings(server.port), client_id="another") as broker:
            up(broker)
            result(broker, broker.publish(letter(b"after", topic=STATE)))
        assert reader.next().payload == b"after"


def test_will_is_asked_for_before_each_connection() -> None:
    wills = iter(range(100))
    script = Script(leave=(1, 0x8B))

    def numbered() -> Letter:
        return letter(b"will %d" % next(wills), topic=STATE)

    with scripted(script) as server, quick(settings(server.port), will=numbered) as broker:
        for _ in range(3):
            up(broker)
            broker.publish(letter())
            down(broker)
        seen = [packet.body for packet in server.taken(CONNECT)]
    assert all(b"will %d" % number in body for number, body in enumerate(seen))


def test_silent_broker_does_not_hold_up_the_end() -> None:
    with scripted(Script(puback={}.get)) as server:
        broker = quick(settings(server.port))
        up(broker)
        broker.close(farewell())
        assert not broker._thread.is_alive()
        server.until(DISCONNECT, 1)


@pytest.mark.parametrize(
    ("more", "session_s", "clean"),
    [({}, 7, False), ({"will_delay": False}, None, True)],
)
def test_session_is_kept_for_as_long_as_the_will_waits(
    more: dict[str, Any], session_s: int | None, clean: bool
) -> None:
    with (
        scripted(Script()) as server,
        quick(settings(server.port, will_delay_s=7), will=will, **more) as broker,
    ):
        up(broker)
        (packet,) = server.taken(CONNECT)
        found = connect_properties(packet.body)
        assert getattr(found, "SessionExpiryInterval", None) == session_s
        assert found.ReceiveMaximum == 20
        assert found.MaximumPacketSize == 16 * 1024
        assert bool(packet.body[7] & 2) == clean


def connect_properties(body: bytes) -> Any:
    found = Properties(PacketTypes.CONNECT)
    found.unpack(body[10:])
    return found
