"""The broker's connection against a real mosquitto: each refusal, each loss, each misfit."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.broker import TOPIC, down, letter, quick, result, results, settings, up
from support.certificates import Authority
from support.mosquitto import (
    Subscriber,
    free_port,
    mosquitto,
    needs_mosquitto,
    passwords,
    tls_lines,
)

from inspector.core.errors import MaintainerError
from inspector.devices.broker import Backoff, Result


@needs_mosquitto
def test_payload_is_acknowledged_and_arrives(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as server,
        Subscriber(server.port, TOPIC) as reader,
        quick(settings(server.port)) as broker,
    ):
        assert up(broker).in_flight == 20
        token = broker.publish(letter())
        assert result(broker, token) == Result(token, "acked")
        assert reader.take(1) == [b"{}"]


@needs_mosquitto
def test_nobody_reads_is_told(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server, quick(settings(server.port)) as broker:
        up(broker)
        token = broker.publish(letter())
        assert result(broker, token) == Result(token, "acked", "nobody reads")


@needs_mosquitto
def test_broker_that_takes_fewer_at_once_is_heeded(tmp_path: Path) -> None:
    lines = "allow_anonymous true\nmax_inflight_messages 5"
    with mosquitto(tmp_path, lines) as server, quick(settings(server.port)) as broker:
        assert up(broker).in_flight == 5


@needs_mosquitto
def test_publish_denied_by_acl_is_refused(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic read #\n")
    lines = f"allow_anonymous true\nacl_file {tmp_path / 'acl'}"
    with mosquitto(tmp_path, lines) as server, quick(settings(server.port)) as broker:
        up(broker)
        answer = result(broker, broker.publish(letter()))
        assert answer.status == "refused"
        assert "0x87" in answer.detail


@needs_mosquitto
def test_payload_too_large_for_the_broker_is_set_aside(tmp_path: Path) -> None:
    lines = "allow_anonymous true\nmax_packet_size 200"
    with mosquitto(tmp_path, lines) as server, quick(settings(server.port)) as broker:
        up(broker)
        assert result(broker, broker.publish(letter(b"x" * 300))).status == "oversize"
        assert result(broker, broker.publish(letter(b"x" * 20))).status == "acked"


@needs_mosquitto
def test_payload_that_breaks_the_connection_is_told_from_a_lost_one(tmp_path: Path) -> None:
    lines = "allow_anonymous true\nmessage_size_limit 200"
    with mosquitto(tmp_path, lines) as server, quick(settings(server.port)) as broker:
        up(broker)
        assert result(broker, broker.publish(letter(b"x" * 300))).status == "broke"
        up(broker)
        assert result(broker, broker.publish(letter(b"x" * 20))).status == "acked"


@needs_mosquitto
def test_letters_behind_the_one_that_breaks_the_connection_are_not_blamed(tmp_path: Path) -> None:
    lines = "allow_anonymous true\nmessage_size_limit 200"
    with mosquitto(tmp_path, lines) as server, quick(settings(server.port)) as broker:
        up(broker)
        tokens = [broker.publish(letter(b"x" * size)) for size in (20, 300, 20, 300)]
        answers = results(broker, 4)
    said = {answer.token: answer.status for answer in answers}
    assert [said[token] for token in tokens] == ["acked", "broke", "lost", "lost"]


@needs_mosquitto
def test_killed_broker_loses_nothing_silently_and_comes_back(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server, quick(settings(server.port)) as broker:
        up(broker)
        server.kill()
        tokens = [broker.publish(letter()) for _ in range(5)]
        answers = [result(broker, token).status for token in tokens]
        assert answers == ["lost"] * 5
        server.start()
        up(broker)
        assert result(broker, broker.publish(letter())).status == "acked"


@needs_mosquitto
def test_bad_credentials_are_one_clear_line(tmp_path: Path) -> None:
    lines = f"allow_anonymous false\npassword_file {passwords(tmp_path, line='right')}"
    (tmp_path / "word").write_text("wrong\n")
    with mosquitto(tmp_path, lines) as server:
        config = settings(server.port, username="line", password_file=str(tmp_path / "word"))
        with quick(config) as broker:
            text = down(broker)
        assert text.startswith(f"127.0.0.1:{server.port}: refuses user 'line'")
        assert "publish.password_file" in text
        assert "wrong" not in text
        (tmp_path / "word").write_text("right\n")
        with quick(config) as broker:
            up(broker)
        with quick(settings(server.port)) as broker:
            assert "refuses us without a user name" in down(broker)


def test_nobody_listening_is_one_clear_line() -> None:
    port = free_port()
    with quick(settings(port)) as broker:
        assert down(broker) == (
            f"127.0.0.1:{port}: nobody listens there; start the broker, "
            "or mend publish.host and publish.port"
        )


def test_wrong_host_name_is_one_clear_line() -> None:
    with quick(settings(1883, host="no-such-host.invalid")) as broker:
        assert "no-such-host.invalid:1883: no such host" in down(broker)


@pytest.mark.parametrize("host", ["", "a" * 70 + ".acme", "a..b"])
def test_what_is_no_host_name_at_all_is_one_clear_line(host: str) -> None:
    with quick(settings(1883, host=host)) as broker:
        assert "mend publish.host" in down(broker)


def test_broker_of_mqtt_3_is_one_clear_line() -> None:
    with answering(b"\x20\x02\x00\x01") as port, quick(settings(port)) as broker:
        assert f"127.0.0.1:{port}: does not speak MQTT v5" in down(broker)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x03\x00\x00\xff", b""]
)
def test_something_else_on_the_port_is_one_clear_line(answer: bytes) -> None:
    with answering(answer) as port, quick(settings(port)) as broker:
        assert "MQTT v5" in down(broker)


def test_broker_that_acknowledges_nothing_is_left() -> None:
    with (
        answering(b"\x20\x03\x00\x00\x00", keep=True) as port,
        quick(settings(port, ack_timeout_s=0.3)) as broker,
    ):
        up(broker)
        assert result(broker, broker.publish(letter())).status == "timeout"
        assert "acknowledges nothing within 0.3 s" in down(broker)


@needs_mosquitto
def test_tls_checks_the_name_and_the_authority(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ca = str(authority.certificate)
    with mosquitto(tmp_path, tls_lines(authority.sign("localhost"))) as server:
        good = settings(server.port, host="localhost", tls=True, ca_file=ca)
        with quick(good) as broker:
            up(broker)
            assert result(broker, broker.publish(letter())).status == "acked"
        with quick(settings(server.port, tls=True, ca_file=ca)) as broker:
            assert "a certificate for another name; mend publish.host" in down(broker)
        with quick(settings(server.port, host="localhost", tls=True)) as broker:
            assert "the system's authorities did not sign" in down(broker)
        with quick(settings(server.port)) as broker:
            assert "without TLS" in down(broker)


@needs_mosquitto
def test_tls_towards_a_plain_port_is_one_clear_line(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server, quick(settings(server.port, tls=True)) as broker:
        assert "mend publish.tls or publish.port" in down(broker)


def test_missing_files_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match=r"publish\.password_file .*word: cannot be read"):
        quick(settings(1, username="line", password_file=str(tmp_path / "word")))
    with pytest.raises(MaintainerError, match=r"publish\.ca_file .*ca.crt: cannot be used"):
        quick(settings(1, tls=True, ca_file=str(tmp_path / "ca.crt")))


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=50))
def test_pauses_grow_to_their_bound_and_begin_anew(draws: list[float]) -> None:
    backoff = Backoff(first_s=1.0, most_s=60.0)
    pauses = [backoff.next(draw) for draw in draws]
    for number, pause in enumerate(pauses):
        bound = min(60.0, 2.0**number)
        assert bound / 2 <= pause <= bound
    backoff.reset()
    assert backoff.next(0.0) == 0.5


@contextmanager
def answering(data: bytes, keep: bool = False) -> Iterator[int]:
    """A port where whoever connects and speaks gets `data`, and then the end unless `keep`."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        thread = threading.Thread(target=_answer, args=(server, data, keep, done))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            done.set()
            thread.join()


def _answer(server: socket.socket, data: bytes, keep: bool, done: threading.Event) -> None:
    while not done.is_set():
        try:
            connection, _ = server.accept()
        except TimeoutError:
            continue
        with connection:
            connection.recv(1000)
            connection.sendall(data)
            while keep and not done.wait(0.05):
                pass
