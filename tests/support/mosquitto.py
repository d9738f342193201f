"""A real mosquitto for the tests, on a free port of the loopback, with its own files."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from support.certificates import Authority, Signed

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed (apt-get install mosquitto)"
)


class Mosquitto:
    """One broker that can be killed and started again on the same port."""

    def __init__(self, folder: Path, lines: str = "allow_anonymous true") -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.configure(lines)

    def configure(self, lines: str) -> None:
        self._config = self._folder / f"mosquitto-{self.port}.conf"
        self._config.write_text(f"user root\nlistener {self.port} 127.0.0.1\n{lines}\n")

    def start(self) -> "Mosquitto":
        assert MOSQUITTO
        log = (self._folder / f"mosquitto-{self.port}.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log
            )
        until_listening(self.port)
        return self

    def yield_to_all(self) -> None:
        """Run behind everything else on this machine."""
        assert self._process
        os.setpriority(os.PRIO_PROCESS, self._process.pid, 19)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def mosquitto(folder: Path, lines: str = "allow_anonymous true") -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, lines)
    try:
        yield broker.start()
    finally:
        broker.kill()


class Subscriber:
    """Someone who reads a topic, and gathers what arrives."""

    def __init__(self, port: int, topic: str = "#", **login: str) -> None:
        self.messages: SimpleQueue[bytes] = SimpleQueue()
        self.topics: set[str] = set()
        self._subscribed: SimpleQueue[bool] = SimpleQueue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if login:
            self._client.username_pw_set(login["username"], login["password"])
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.put(True)
        self._client.on_message = lambda _c, _u, message: self._take(message)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.subscribed()

    def subscribed(self) -> None:
        """Wait until the broker has (once more) taken the subscription."""
        self._subscribed.get(timeout=20)

    def take(self, most: int, timeout_s: float = 20.0) -> list[bytes]:
        """Up to `most` messages, waiting at most `timeout_s` for all."""
        until = time.monotonic() + timeout_s
        found: list[bytes] = []
        while len(found) < most and (left := until - time.monotonic()) > 0:
            try:
                found.append(self.messages.get(timeout=left))
            except Empty:
                break
        return found

    def _take(self, message: mqtt.MQTTMessage) -> None:
        self.topics.add(message.topic)
        self.messages.put(message.payload)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client._reset_sockets()  # paho leaves its own pair to the garbage collector

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Listener(Subscriber):
    """As Subscriber, but keeps the whole messages."""

    def __init__(self, port: int, topic: str = "#", **login: str) -> None:
        self.whole: SimpleQueue[mqtt.MQTTMessage] = SimpleQueue()
        super().__init__(port, topic, **login)

    def next(self, timeout_s: float = 20.0) -> mqtt.MQTTMessage:
        """The next message."""
        return self.whole.get(timeout=timeout_s)

    def _take(self, message: mqtt.MQTTMessage) -> None:
        self.whole.put(message)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def passwords(folder: Path, **users: str) -> Path:
    """A password file as mosquitto wants it."""
    path = folder / "passwords"
    path.write_text("".join(f"{user}:{word}\n" for user, word in users.items()))
    path.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
    return path


def tls_lines(server: Signed, clients: Authority | None = None) -> str:
    """A listener with TLS that lets everybody in, or only whom an authority has signed; their
    user is then the certificate's name."""
    files = f"certfile {server.certificate}\nkeyfile {server.key}"
    if clients is None:
        return f"allow_anonymous true\n{files}"
    return (
        f"{files}\ncafile {clients.certificate}\nallow_anonymous false\n"
        "require_certificate true\nuse_identity_as_username true"
    )


def acl_line(folder: Path, text: str) -> str:
    """An access list of these lines."""
    path = folder / "acl"
    path.write_text(text)
    path.chmod(0o600)
    return f"acl_file {path}"


def until_listening(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"mosquitto does not listen on {port}")
