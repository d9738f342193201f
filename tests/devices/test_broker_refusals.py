"""What a broker may say besides yes, and two stations with one identity: one line each."""

from pathlib import Path

import pytest
from support.broker import down, ended, letter, quick, result, settings, up
from support.mosquitto import Subscriber, mosquitto, needs_mosquitto
from support.scripted_broker import CONNECT, Script, broker_of_3_1_1, scripted

from inspector.devices.broker import Broker, Down
from inspector.domain.egress.letter import Letter
from inspector.domain.egress.letter import letter as letter_of
from inspector.domain.egress.state import Outgoing, state_of
from inspector.domain.egress.words import Online

DEVICE = "acme/lyon/press/l1/c7"
STATE = f"{DEVICE}/vision/v1/state"
TAKEN = "another station uses this identity"


@pytest.mark.parametrize(
    ("reason", "code", "text"),
    [
        (0x84, "no_v5", "does not speak MQTT v5"),
        (0x85, "refused", "refuses our identity"),
        (0x86, "refused", "refuses us without a user name"),
        (0x87, "refused", "or the broker's access list"),
        (0x88, "away", "cannot take us now (Server unavailable); it is tried again"),
        (0x89, "away", "cannot take us now (Server busy)"),
        (0x8A, "refused", "refuses us without a user name (Banned)"),
        (0x97, "quota", "raise the broker's quota"),
        (0x9A, "refused", "does not offer what is needed (Retain not supported)"),
        (0x9D, "moved", "to another server, one that it does not name; mend publish.host"),
        (0x9F, "quota", "refuses more (Connection rate exceeded)"),
    ],
)
def test_refused_connection_says_why(reason: int, code: str, text: str) -> None:
    with scripted(Script(connack=reason)) as server, quick(settings(server.port)) as broker:
        end = ended(broker)
    assert end.code == code
    assert text in end.text
    assert end.text.startswith(f"127.0.0.1:{server.port}: ")


@pytest.mark.parametrize(
    ("reason", "code", "text"),
    [
        (0x8B, "away", "shuts down; it is tried again"),
        (0x8E, "identity_taken", f"{TAKEN} and has taken our place; give each station its own"),
        (0x96, "quota", "refuses more (Message rate too high)"),
        (0x97, "quota", "refuses more (Quota exceeded)"),
        (0x98, "away", "ends the connection (Administrative action)"),
        (0x9C, "moved", "sends us to another server, 'mq2.acme:8883'; mend publish.host"),
        (0xA0, "away", "ends the connection (Maximum connect time)"),
    ],
)
def test_connection_ended_by_the_broker_says_why(reason: int, code: str, text: str) -> None:
    words = {"ServerReference": "mq2.acme:8883"} if reason == 0x9C else {}
    script = Script(leave=(2, reason), leave_words=words)
    with scripted(script) as server, quick(settings(server.port)) as broker:
        up(broker)
        first, second = broker.publish(letter()), broker.publish(letter())
        assert result(broker, first).status == "acked"
        assert result(broker, second).status == "lost"
        end = ended(broker)
    assert end.code == code
    assert text in end.text


@pytest.mark.parametrize("reason", [0x80, 0x83, 0x87, 0x90, 0x97, 0x99])
def test_refused_letter_is_told_with_its_code(reason: int) -> None:
    script = Script(puback={1: reason, 2: 0}.get)
    with scripted(script) as server, quick(settings(server.port)) as broker:
        up(broker)
        answer = result(broker, broker.publish(letter()))
        assert answer.status == "refused"
        assert f"(reason code 0x{reason:02x})" in answer.detail
        assert result(broker, broker.publish(letter())).status == "acked"


def test_broker_of_quality_0_only_is_one_clear_line() -> None:
    with (
        scripted(Script(limits={"MaximumQoS": 0})) as server,
        quick(settings(server.port)) as broker,
    ):
        assert "takes QoS 0 only; the totals need a broker that acknowledges" in down(broker)


@pytest.mark.parametrize("says_why", [True, False])
def test_broker_that_speaks_3_1_1_only_is_one_clear_line(says_why: bool) -> None:
    with broker_of_3_1_1(says_why) as port, quick(settings(port)) as broker:
        end = ended(broker)
    assert end.code == "no_v5"
    assert "MQTT v5" in end.text


@needs_mosquitto
def test_two_stations_with_one_identity_is_said_and_ends_the_fight(tmp_path: Path) -> None:
    """Mosquitto throws the first one out without a word; its own state tells it why."""
    with mosquitto(tmp_path) as server, station(server.port, "1") as one:
        up(one)
        one.publish(state("1", 10, Online.ONLINE))
        with Subscriber(server.port, STATE) as reader, station(server.port, "2") as two:
            up(two)
            two.publish(state("2", 20, Online.ONLINE))
            assert len(reader.take(2)) == 2
            taken = until_taken(one)
            assert f"{TAKEN} and tells its state at {STATE}" in taken.text
            up(two)  # thrown out in its turn, and back: the other one waits
            assert result(two, two.publish(letter())).status == "acked"


@needs_mosquitto
def test_state_of_the_process_before_is_nobody_elses(tmp_path: Path) -> None:
    """Even if the clock was ahead then."""
    with mosquitto(tmp_path) as server:
        with station(server.port, "1") as before:
            up(before)
            assert result(before, before.publish(state("1", 900, Online.ONLINE))).status == "acked"
        with station(server.port, "2") as now:
            up(now)
            assert result(now, now.publish(state("2", 20, Online.ONLINE))).status == "acked"
            server.kill()
            down(now)
            server.start()
            up(now)
            assert now.poll(0.5) is None


@needs_mosquitto
def test_forged_state_of_the_station_does_not_send_it_away(tmp_path: Path) -> None:
    """Whoever may write where the station does; nobody has thrown it out."""
    with mosquitto(tmp_path) as server, station(server.port, "1") as one:
        up(one)
        with quick(settings(server.port), client_id="forger") as forger:
            up(forger)
            forged = forger.publish(state("2", 20, Online.ONLINE))
            assert result(forger, forged).status == "acked"
            assert one.poll(1.0) is None
            assert result(one, one.publish(letter())).status == "acked"


def test_broker_that_hangs_up_again_and_again_raises_the_suspicion() -> None:
    script = Script(leave=(1, None))
    with scripted(script) as server, quick(settings(server.port)) as broker:
        said = []
        for _ in range(3):
            up(broker)
            broker.publish(letter())
            said.append(down(broker))
    assert all("hangs up without a word" in text for text in said[:2])
    assert f"hangs up again and again; {TAKEN}, or the broker is unwell" in said[2]


def test_after_the_identity_was_taken_the_pause_is_long() -> None:
    script = Script(leave=(1, 0x8E))
    with scripted(script) as server, quick(settings(server.port)) as broker:
        up(broker)
        broker.publish(letter())
        assert ended(broker).code == "identity_taken"
        assert broker.poll(1.0) is None  # after any other end it would be back by now
        assert len(server.taken(CONNECT)) == 1


def state(run: str, second: int, online: Online) -> Letter:
    """A state of the station by the process `run`, at so many seconds."""
    outgoing = Outgoing(waiting=0, set_aside=0, events=0)
    made = state_of(DEVICE, run * 32, online, second * 10**9, None, outgoing, {})
    return letter_of(made, STATE, retain=True)


def station(port: int, run: str) -> Broker:
    began = state(run, int(run), Online.LOST)
    return quick(settings(port), client_id="inspector.c7", will=lambda: began)


def until_taken(broker: Broker) -> Down:
    for _ in range(10):
        end = ended(broker)
        if end.code == "identity_taken":
            return end
    raise AssertionError("not noticed")
