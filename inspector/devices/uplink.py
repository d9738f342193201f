"""How far away a cloud is: round trips and an upload rate, measured from here.

Promises: what is sent is made up on the spot; no more than MOST_BYTES go, and nothing takes
longer than PATIENCE_S at a time.
Never: sends a picture, a total or a name, or keeps a connection.
"""

import http.client
import os
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from inspector.core.errors import MaintainerError

PATIENCE_S = 5.0
SAMPLES = 20
FIRST_BYTES, MOST_BYTES = 2**18, 2**23
LONG_S = 1.0  # an upload of so long says enough


@dataclass(frozen=True)
class RoundTrip:
    """Milliseconds of a TCP handshake, which is one round trip; `tls_ms`: of a TLS handshake on
    top, which a connection that stays open has once."""

    p50_ms: float
    worst_ms: float
    samples: int
    tls_ms: float | None = None


@dataclass(frozen=True)
class Remote:
    """Where to: of `HOST:PORT`, or an address that begins with http:// or https://."""

    host: str
    port: int
    tls: bool
    path: str = "/"

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


def remote_of(text: str) -> Remote:
    """Raises MaintainerError for what is neither HOST:PORT nor an address."""
    parts = urlsplit(text if "://" in text else f"tcp://{text}")
    usual = {"http": 80, "https": 443, "tcp": None}
    try:
        port = parts.port or usual[parts.scheme]
    except (KeyError, ValueError):
        port = None
    if not parts.hostname or not port or parts.username:
        raise MaintainerError(f"{text!r}: give HOST:PORT, http://HOST/... or https://HOST/...")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Remote(parts.hostname, port, parts.scheme == "https", path)


def round_trip(remote: Remote, samples: int = SAMPLES) -> RoundTrip:
    """Raises MaintainerError when nothing answers there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            remote.host, remote.port, type=socket.SOCK_STREAM
        )[0]
        times = sorted(_connect(family, kind, address) for _ in range(samples))
        tls_ms = _handshake(remote) if remote.tls else None
    except OSError as error:
        raise _unreachable(remote, error) from None
    return RoundTrip(times[len(times) // 2], times[-1], len(times), tls_ms)


def upload_mbit_s(remote: Remote) -> float:
    """The rate at which a body goes up by POST. Raises MaintainerError where none is taken."""
    size = FIRST_BYTES
    while True:
        took = _post(remote, os.urandom(size))
        if took >= LONG_S or 4 * size > MOST_BYTES:
            return size * 8 / took / 1e6
        size *= 4


def _connect(family: int, kind: int, address: tuple[object, ...]) -> float:
    with socket.socket(family, kind) as probe:
        probe.settimeout(PATIENCE_S)
        began = time.perf_counter()
        probe.connect(address)
        return 1000 * (time.perf_counter() - began)


def _handshake(remote: Remote) -> float:
    context = ssl.create_default_context()
    with socket.create_connection((remote.host, remote.port), PATIENCE_S) as plain:
        began = time.perf_counter()
        with context.wrap_socket(plain, server_hostname=remote.host):
            return 1000 * (time.perf_counter() - began)


def _post(remote: Remote, body: bytes) -> float:
    """Seconds from the first byte of the body to the answer."""
    kind = http.client.HTTPSConnection if remote.tls else http.client.HTTPConnection
    connection = kind(remote.host, remote.port, timeout=PATIENCE_S)
    try:
        connection.connect()
        began = time.perf_counter()
        connection.request("POST", remote.path, body, {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        took = time.perf_counter() - began
        answer.read(1)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(remote, error) from None
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise MaintainerError(
            f"{remote.name}{remote.path}: takes no upload (HTTP {answer.status}); give the address "
            "of one that does, or the rate as --mbit-s"
        )
    return took


def _unreachable(remote: Remote, error: Exception) -> MaintainerError:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return MaintainerError(
        f"{remote.name}: cannot be measured ({why}); mend the name, port or network, or give the "
        "numbers as --rtt-ms and --mbit-s"
    )
