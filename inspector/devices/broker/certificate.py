"""What a broker's certificate says: whom it is for, and from when until when.

Promises: looks at a certificate that is not trusted too, so that a person sees what is wrong.
Never: sends anything over a connection that is not trusted.
"""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from inspector.core.config_mqtt import Publish
from inspector.devices.broker.client import CONNECT_S

# OpenSSL's X509_V_FLAG_PARTIAL_CHAIN and ..._NO_CHECK_TIME: trust this one certificate, any day.
AS_IT_IS = 0x80000 | 0x200000


@dataclass(frozen=True)
class Certificate:
    """names: whom it is for. begins, ends: with time zone."""

    names: tuple[str, ...]
    begins: datetime
    ends: datetime

    def __str__(self) -> str:
        names = ", ".join(self.names) or "no name"
        return f"{names}, valid from {self.begins:%Y-%m-%d} until {self.ends:%Y-%m-%d}"


def read_certificate(secure: ssl.SSLSocket) -> Certificate:
    """The certificate of the other end, which is trusted."""
    found = secure.getpeercert() or {}
    names = [str(name) for _, name in _pairs(found.get("subjectAltName"))]
    return Certificate(
        tuple(names), _moment(str(found["notBefore"])), _moment(str(found["notAfter"]))
    )


def shown(settings: Publish) -> Certificate | None:
    """What the broker shows to anybody, trusted or not; None when it shows nothing."""
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    try:
        with _secure(settings, careless) as secure:
            data = secure.getpeercert(binary_form=True) or b""
        knowing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        knowing.check_hostname = False
        knowing.load_verify_locations(cadata=data)
        knowing.verify_flags |= AS_IT_IS
        with _secure(settings, knowing) as secure:
            return read_certificate(secure)
    except (OSError, KeyError, ValueError):
        return None


def _secure(settings: Publish, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((settings.host, settings.port), timeout=CONNECT_S)
    try:
        return context.wrap_socket(plain, server_hostname=settings.host)
    except OSError:
        plain.close()
        raise


def _pairs(value: object) -> list[tuple[object, object]]:
    return [one for one in value if len(one) == 2] if isinstance(value, tuple) else []


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
