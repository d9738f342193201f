"""Which broker, as whom, and why not: the receiver's own words for each way to fail.

Promises: a file that cannot be used is told of before anything connects; the text of a failure
continues `HOST:PORT: ` and names the option to mend.
Never: shows a password, or asks for one.
"""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt import MQTTException
from paho.mqtt.reasoncodes import ReasonCode

from inspector.core.errors import MaintainerError

TAKEN_OVER = 0x8E


@dataclass(frozen=True)
class Link:
    """Which broker, and as whom. Files are PEM; a password stands alone in its file."""

    host: str
    port: int
    client_id: str
    tls: bool = True
    ca_file: str | None = None  # none: the system's own authorities
    cert_file: str | None = None
    key_file: str | None = None
    username: str | None = None
    password_file: str | None = None


def tls_context(link: Link) -> ssl.SSLContext | None:
    """None without TLS. Raises MaintainerError when a file cannot be used."""
    if not link.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=link.ca_file)
    except OSError as error:
        raise MaintainerError(
            f"--ca-file {link.ca_file}: cannot be used ({error.strerror or error}); "
            "it must hold the PEM certificate of the broker's authority"
        ) from None
    if link.cert_file:
        try:  # an encrypted key is an error, not a question on the terminal
            context.load_cert_chain(link.cert_file, link.key_file, password="")
        except OSError as error:
            raise MaintainerError(
                f"--cert-file {link.cert_file}, --key-file {link.key_file}: cannot be used "
                f"({error.strerror or error}); give a PEM certificate and its key without a "
                "password"
            ) from None
    return context


def password_of(link: Link) -> str | None:
    """Raises MaintainerError when its file cannot be read."""
    if link.password_file is None:
        return None
    try:
        return Path(link.password_file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise MaintainerError(
            f"--password-file {link.password_file}: cannot be read ({why})"
        ) from None


def refusal(reason: ReasonCode, link: Link) -> str:
    """The broker's own word with its remedy."""
    name = str(reason)
    if reason.value == TAKEN_OVER:
        return f"another receiver uses the identity {link.client_id!r}; give it another --client-id"
    if name in ("Bad user name or password", "Not authorized", "Banned"):
        who = f"user {link.username!r}" if link.username else "us without a user name"
        return f"refuses {who} ({name}); mend --username, --password-file or the certificate"
    if name == "Unsupported protocol version":
        return "does not speak MQTT v5; the totals need a broker that does"
    return f"refuses the connection ({name})"


def explain(error: Exception) -> str:
    """Why no connection came about, with the remedy."""
    if isinstance(error, MQTTException):
        return "answers in something other than MQTT v5; is it an MQTT broker?"
    if isinstance(error, UnicodeError):
        return "is no host name; mend --host"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error)
    if isinstance(error, ssl.SSLError):
        return f"no TLS to be had ({error.reason or error}); mend --port, or give --no-tls"
    if isinstance(error, socket.gaierror):
        return "no such host; mend --host, or the name service"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there; start the broker, or mend --host and --port"
    if isinstance(error, TimeoutError):
        return "no answer within a few seconds; is the network there?"
    return f"the connection ends before it begins ({error}); mend --port or --no-tls"


def _certificate(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message
    if "ostname" in said or "IP address" in said:
        return "shows a certificate for another name; mend --host or the certificate"
    if "expired" in said or "not yet valid" in said:
        return f"shows a certificate that does not hold now ({said}); renew it, or set this clock"
    return f"shows a certificate that nobody known has signed ({said}); mend --ca-file"
