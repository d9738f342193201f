"""What can be given wrongly to `inspector receive` is one clear line and a non-zero exit."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import inspector, refusals
from support.mosquitto import free_port, mosquitto, needs_mosquitto, passwords
from support.totals_stream import DEVICE

LOCAL = ("--host", "127.0.0.1", "--for", "1")


def refused(root: Path, *options: str | Path, code: int = 78) -> str:
    done = inspector("receive", "--db", root / "totals.db", *options)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = refusals(done)
    return line


def test_nobody_listens(root: Path) -> None:
    port = str(free_port())
    said = refused(root, *LOCAL, "--no-tls", "--port", port)
    assert f"127.0.0.1:{port}: nobody listens there" in said


def test_no_such_host(root: Path) -> None:
    said = refused(root, "--host", "no-such-host.invalid", "--for", "1")
    assert "no-such-host.invalid:8883: no such host; mend --host" in said
    assert "is no host name" in refused(root, "--host", "x" * 70, "--for", "1")


@pytest.fixture
def echo() -> Iterator[str]:
    """Something that listens and speaks no MQTT: an SMTP server's greeting."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(b"220 mail ESMTP\r\n")
                    peer.recv(100)

        thread = threading.Thread(target=greet)
        thread.start()
        yield str(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_no_mqtt_broker(root: Path, echo: str) -> None:
    assert f"127.0.0.1:{echo}:" in refused(root, *LOCAL, "--no-tls", "--port", echo)
    assert "no TLS to be had" in refused(root, *LOCAL, "--port", echo)


@needs_mosquitto
def test_wrong_password(root: Path) -> None:
    lines = f"allow_anonymous false\npassword_file {passwords(root, mes='right')}"
    (root / "wrong").write_text("wrong\n")
    (root / "right").write_text("right\n")
    with mosquitto(root, lines) as broker:
        options = (*LOCAL, "--no-tls", "--port", str(broker.port))
        login = ("--username", "mes", "--password-file")
        assert "refuses user 'mes'" in refused(root, *options, *login, root / "wrong")
        assert "refuses us without a user name" in refused(root, *options)
        done = inspector("receive", "--db", root / "t.db", *options, *login, root / "right")
        assert done.returncode == 0, done.stderr


def test_options_that_contradict_each_other(root: Path) -> None:
    for options, said in (
        (("--ack",), "--ack needs --host"),
        (("--idle", "3"), "--idle needs --host"),
        (("--for", "3"), "--for needs --host"),
        (("--device", DEVICE), "--device needs --host"),
        ((*LOCAL, "--cert-file", "x.pem"), "belong together"),
        ((*LOCAL, "--no-tls", "--ca-file", "x.pem"), "uses no certificate"),
        ((*LOCAL, "--password-file", "x"), "needs --username"),
    ):
        assert said in refused(root, *options, code=65)


@pytest.mark.parametrize(
    "device", ["a/b/c/d", "a/b/c/d/+", "a/b/c/d/", "#", "a/b/c/d/e/f", "a b/c/d/e/f"]
)
def test_a_device_with_wildcards_or_empty_levels(root: Path, device: str) -> None:
    done = inspector("receive", "--db", root / "t.db", *LOCAL, "--device", device)
    assert done.returncode == 2
    assert "five names ENTERPRISE/SITE/AREA/LINE/CELL are wanted" in done.stderr


def test_files_that_are_not_there(root: Path) -> None:
    login = ("--username", "mes", "--password-file", root / "none")
    assert "--password-file" in refused(root, *LOCAL, *login)
    assert "--ca-file" in refused(root, *LOCAL, "--ca-file", root / "none")
    key = ("--cert-file", root / "none", "--key-file", root / "none")
    assert "--cert-file" in refused(root, *LOCAL, *key)
    assert "no such file" in refused(root / "new", "--json")
    assert "holds no station's ledger" in refused(root, "--compare", root)


def test_a_file_of_another_program(root: Path) -> None:
    (root / "totals.db").write_text("no database " * 100)
    assert "is no receiver's file" in refused(root, *LOCAL)
    assert (root / "totals.db").read_text().startswith("no database")


def test_a_device_that_is_not_known_cannot_be_given_up(root: Path) -> None:
    assert "knows no device" in refused(root, "--give-up", DEVICE)
