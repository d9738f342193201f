"""Why there is no connection, each in one line with its remedy.

Promises: the line continues `HOST:PORT: ` and says who must mend what.
Never: shows a password.
"""

import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode

from inspector.core.config import Publish


def refusal(reason: ReasonCode, settings: Publish) -> str:
    """What the broker's own words mean here, with the remedy."""
    name = str(reason)
    if name in ("Bad user name or password", "Not authorized", "Banned"):
        who = f"user {settings.username!r}" if settings.username else "us without a user name"
        return f"refuses {who} ({name}); mend publish.username and publish.password_file"
    if name == "Unsupported protocol version":
        return "does not speak MQTT v5; the totals need a broker that does"
    return f"refuses the connection ({name})"


def no_beginning(settings: Publish) -> str:
    """The broker hung up before it had taken us."""
    tls = "with" if settings.tls else "without"
    return f"hangs up {tls} TLS before it begins; mend publish.tls or publish.port (MQTT v5)"


def explain(error: OSError, settings: Publish) -> str:
    """Why no connection came about, with the remedy."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if "ostname" in error.verify_message or "IP address" in error.verify_message:
            return "shows a certificate for another name; mend publish.host or the certificate"
        ca = settings.ca_file or "the system's authorities"
        return f"shows a certificate that {ca} did not sign ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"no TLS to be had ({error.reason or error}); does publish.port speak TLS?"
    if isinstance(error, socket.gaierror):
        return "no such host; mend publish.host, or the station's name service"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there; start the broker, or mend publish.host and publish.port"
    if isinstance(error, ConnectionResetError):
        return no_beginning(settings)
    if isinstance(error, TimeoutError):
        return "no answer within a few seconds; is the network there?"
    return f"cannot be reached ({error.strerror or error})"
