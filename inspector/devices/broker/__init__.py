"""The plant's broker: MQTT v5 at QoS 1, over TLS with the broker's name checked.

Promises: every payload taken gets exactly one `Result`; what is on its way when the connection
ends is answered `lost`; the connection comes back by itself, ever more slowly and never in step
with other stations; each way to fail is one line that names host, port and remedy.
Never: speaks MQTT 3.1.1 (there a refused publish looks like success), waits in the caller's
thread, or does more in a callback of paho than to put a value into a queue.

MQTT's acknowledgement says that the broker took the message over, not that anybody read it.
"""

import queue
import random
import ssl
import threading
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from inspector.core.config import Publish
from inspector.core.errors import EngineerError, MaintainerError
from inspector.devices.broker.session import (
    CONNECT_S,
    IN_FLIGHT,
    Down,
    Happening,
    Result,
    Session,
    Up,
)
from inspector.domain.egress import Payload

__all__ = ["IN_FLIGHT", "Backoff", "Broker", "Down", "Happening", "Result", "Up"]


FAREWELL_S = 2.0


class Backoff:
    """Growing pauses between tries, each drawn between half and the whole of its bound."""

    def __init__(self, first_s: float = 1.0, most_s: float = 60.0) -> None:
        self._first = first_s
        self._most = most_s
        self._tries = 0

    def next(self, draw: float) -> float:
        """Seconds to wait now; `draw` is a random number in [0, 1)."""
        bound = min(self._most, self._first * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return bound * (0.5 + draw / 2)

    def reset(self) -> None:
        self._tries = 0


class Broker:
    """A connection that mends itself. `publish` and `poll` are for one and the same thread."""

    def __init__(
        self, settings: Publish, topic: str, client_id: str, backoff: Backoff | None = None
    ) -> None:
        """Raises MaintainerError when a file the settings name cannot be used."""
        self._settings = settings
        self._topic = topic
        self._client_id = client_id
        self._password = _password(settings)
        self._tls = _tls(settings)
        self._backoff = backoff or Backoff()
        self._random = random.Random()
        self._happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._outgoing: queue.SimpleQueue[tuple[int, Payload]] = queue.SimpleQueue()
        self._token = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._thread.start()

    def publish(self, payload: Payload) -> int:
        """Hand over one payload and get the token that its `Result` will bear."""
        self._token += 1
        self._outgoing.put((self._token, payload))
        return self._token

    def poll(self, timeout_s: float) -> Happening | None:
        """The next thing that happened, or None when nothing does within `timeout_s`."""
        if not (self._thread.is_alive() or self._closing.is_set()):
            raise EngineerError(f"{self._where}: the thread that talks to the broker has died")
        try:
            return self._happenings.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Say goodbye to the broker; what is on its way ends as `lost`."""
        self._closing.set()
        self._thread.join(FAREWELL_S)  # a thread that still tries to connect ends with us

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            session = Session(self._client(), self._topic, self._settings, self._happenings)
            why = session.talk(self._outgoing, self._closing)
            session.abandon(why)
            if session.useful:
                self._backoff.reset()
            if not self._closing.is_set():
                self._happenings.put(Down(f"{self._where}: {why}"))
                self._closing.wait(self._backoff.next(self._random.random()))
            self._refuse_waiting(why)

    def _refuse_waiting(self, why: str) -> None:
        """What was handed over with no connection there is answered too."""
        while not self._outgoing.empty():
            token, _ = self._outgoing.get()
            self._happenings.put(Result(token, "lost", why))

    def _client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(IN_FLIGHT)
        if self._tls:
            client.tls_set_context(self._tls)
        if self._settings.username is not None:
            client.username_pw_set(self._settings.username, self._password)
        return client

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


def _password(settings: Publish) -> str | None:
    if settings.password_file is None:
        return None
    path = Path(settings.password_file)
    try:
        return path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise MaintainerError(f"publish.password_file {path}: cannot be read ({why})") from None


def _tls(settings: Publish) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise MaintainerError(
            f"publish.ca_file {settings.ca_file}: cannot be used ({error.strerror or error}); "
            "it must hold the PEM certificate of the broker's authority"
        ) from None
    context.sslsocket_class = _TidySocket
    return context


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho would leave it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
