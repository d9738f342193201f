"""Why there is no connection, each in one line with its remedy.

Promises: the line continues `HOST:PORT: ` and says who must mend what.
Never: shows a password.
"""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from inspector.core.config_mqtt import Publish
from inspector.devices.broker.happenings import Code

# What OpenSSL says of a certificate's dates: X509_V_ERR_CERT_NOT_YET_VALID and ..._HAS_EXPIRED.
NOT_YET_VALID, EXPIRED = 9, 10

ALIAS_INVALID = 0x94


@dataclass(frozen=True)
class End:
    """Why a connection ended or did not begin."""

    text: str
    code: Code = "away"
    garbled: bool = False  # an answer outside of MQTT v5
    reason: int = 0  # the broker's own reason code
    hung_up: bool = False  # by the broker, without a word


def refusal(reason: ReasonCode, properties: Properties | None, settings: Publish) -> End:
    """What the broker's own words mean here, with the remedy."""
    known = _WORDS.get(reason.value)
    if known is None:
        return End(f"ends the connection ({reason}, 0x{reason.value:02x})", "refused")
    text, code = known
    server = getattr(properties, "ServerReference", "")
    return End(
        text.format(
            reason=reason,
            who=_who(settings),
            means=_means(settings),
            server=repr(server[:200]) if server else "one that it does not name",
        ),
        code,
        reason=reason.value,
    )


def _who(settings: Publish) -> str:
    if settings.username:
        return f"user {settings.username!r}"
    return "our certificate" if settings.cert_file else "us without a user name"


def _means(settings: Publish) -> str:
    own = "publish.cert_file" if settings.cert_file and not settings.username else ""
    return own or "publish.username and publish.password_file"


TAKEN = "another station uses this identity"
OWN_NAMES = "give each station its own names in [station]"
_ENDS = "ends the connection ({reason}); it is tried again"
_NO_USER = "refuses {who} ({reason}); mend {means}, or the broker's access list"
_NO_V5 = "does not speak MQTT v5; the totals need a broker that does"
_MOVED = "sends us to another server, {server}; mend publish.host"
_LATER = "is there, but cannot take us now ({reason}); it is tried again"
_TOO_MUCH = "refuses more ({reason}); raise the broker's quota for this station"
_OTHER = "does not offer what is needed ({reason}); mend the broker's configuration"
_WORDS: dict[int, tuple[str, Code]] = {
    0x00: (_ENDS, "away"),
    0x01: (_NO_V5, "no_v5"),  # as MQTT 3.1.1 says it
    0x84: (_NO_V5, "no_v5"),
    0x85: ("refuses our identity ({reason}); allow it at the broker", "refused"),
    0x86: (_NO_USER, "refused"),
    0x87: (_NO_USER, "refused"),
    0x88: (_LATER, "away"),
    0x89: (_LATER, "away"),
    0x8A: (_NO_USER, "refused"),
    0x8B: ("shuts down; it is tried again", "away"),
    0x8C: (_NO_USER, "refused"),
    0x8D: (_ENDS, "away"),
    0x8E: (f"{TAKEN} and has taken our place; {OWN_NAMES}", "identity_taken"),
    0x90: ("refuses the state's topic ({reason}); mend the broker's access list", "refused"),
    ALIAS_INVALID: (
        "does not know an alias that it has allowed ({reason}); none are used from now on",
        "away",
    ),
    0x96: (_TOO_MUCH, "quota"),
    0x97: (_TOO_MUCH, "quota"),
    0x98: (_ENDS, "away"),
    0x9A: (_OTHER, "refused"),
    0x9B: (_OTHER, "refused"),
    0x9C: (_MOVED, "moved"),
    0x9D: (_MOVED, "moved"),
    0x9F: (_TOO_MUCH, "quota"),
    0xA0: (_ENDS, "away"),
}


def other_station(topic: str) -> End:
    """Somebody else has told a state as ours."""
    return End(f"{TAKEN} and tells its state at {topic}; {OWN_NAMES}", "identity_taken")


def hung_up() -> End:
    """The broker closed the connection and said nothing."""
    return End("hangs up without a word; it is tried again", hung_up=True)


def suspicious(end: End) -> End:
    """It has done so several times, each time soon."""
    return replace(end, text=f"hangs up again and again; {TAKEN}, or the broker is unwell")


def broken(error: OSError | None) -> End:
    """The network failed."""
    if error is None:
        return End("gives no sign of life any more; is the network there?")
    return End(f"the connection broke ({error.strerror or error})")


def no_beginning(settings: Publish, broke: OSError | None) -> End:
    """The broker hung up before it had taken us."""
    if isinstance(broke, ssl.SSLError) and broke.reason:
        return explain(broke, settings)
    if not settings.tls:
        return _deaf(settings)
    own = "our certificate " + settings.cert_file if settings.cert_file else "publish.cert_file"
    return End(f"hangs up after TLS before it begins; does it want {own}, and MQTT v5?", "no_v5")


def _deaf(settings: Publish) -> End:
    tls = "with" if settings.tls else "without"
    text = f"hangs up {tls} TLS before it begins; mend publish.tls or publish.port (MQTT v5)"
    return End(text, "no_v5")


def explain(error: OSError, settings: Publish, now: Callable[[], datetime] | None = None) -> End:
    """Why no connection came about, with the remedy. `now`: the station's clock."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error, settings, now() if now else datetime.now(UTC))
    if isinstance(error, ssl.SSLEOFError):
        return _deaf(settings)
    if isinstance(error, ssl.SSLError):
        return _no_tls(error, settings)
    if isinstance(error, socket.gaierror):
        return End("no such host; mend publish.host, or the station's name service")
    if isinstance(error, ConnectionRefusedError):
        return End("nobody listens there; start the broker, or mend publish.host and publish.port")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return _deaf(settings)
    if isinstance(error, TimeoutError):
        return End("no answer within a few seconds; is the network there?")
    return End(f"cannot be reached ({error.strerror or error})")


def _untrusted(error: ssl.SSLCertVerificationError, settings: Publish, now: datetime) -> End:
    clock = f"the station's clock says {now:%Y-%m-%d %H:%M} UTC"
    if error.verify_code == NOT_YET_VALID:
        return End(
            f"shows a certificate that is not yet valid; {clock}: set it, it may be years off",
            "clock",
        )
    if error.verify_code == EXPIRED:
        return End(
            f"shows a certificate that has expired; {clock}: set it if it is off, "
            "else renew the broker's certificate",
            "certificate",
        )
    if "ostname" in error.verify_message or "IP address" in error.verify_message:
        text = "shows a certificate for another name; mend publish.host or the certificate"
        return End(text, "certificate")
    ca = settings.ca_file or "the system's authorities"
    why = error.verify_message
    text = f"shows a certificate that {ca} did not sign ({why}); mend publish.ca_file"
    return End(text, "certificate")


def _no_tls(error: ssl.SSLError, settings: Publish) -> End:
    reason = (error.reason or str(error)).lower().replace("_", " ")
    _, alert, said = reason.partition(" alert ")
    if alert and any(word in said for word in _OF_OURS):
        reason = said
        if settings.cert_file is None:
            return End(
                f"wants a client certificate ({reason}); give publish.cert_file and "
                "publish.key_file",
                "refused",
            )
        return End(
            f"does not take our certificate {settings.cert_file} ({reason}); renew it, or have "
            "the broker trust its authority",
            "refused",
        )
    return End(f"no TLS to be had ({reason}); does publish.port speak TLS?", "no_v5")


_OF_OURS = ("certificate", "unknown ca", "handshake failure", "access denied")
