"""The way to a broker, step by step: its name, the network, TLS, MQTT, and who may write where.

Promises: each step is a line that says what works, or what is refused, why, and who must mend it;
what a broken step leaves untried is not told of.
Never: disturbs the station that runs with the same settings: it comes under a name of its own,
leaves no will and no retained message, and what it publishes is empty.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from inspector.core.config_mqtt import Publish
from inspector.devices.broker.certificate import Certificate, read_certificate, shown
from inspector.devices.broker.client import CONNECT_S
from inspector.devices.broker.connection import Broker
from inspector.devices.broker.credentials import read_credentials
from inspector.devices.broker.explain import explain
from inspector.devices.broker.happenings import Down, Happening, Heard, Result, Subscription, Up
from inspector.domain.egress.letter import MAX_BYTES, empty
from inspector.domain.fitness import Check

ROOMY = MAX_BYTES + 512  # bytes of the largest packet that may leave, with its properties
SOON_DAYS = 30
PATIENCE_S = 4 * CONNECT_S
ECHO_S = 3.0
UNNOTICED = "a second station with these names would not be noticed"
ACCESS = "let the station in the broker's access list"


@dataclass(frozen=True)
class Wanted:
    """What the station wants of the broker. identity: the client's, of this trial alone."""

    settings: Publish
    identity: str
    writes: tuple[str, ...]
    hears: tuple[str, ...]
    likes: tuple[str, ...] = ()  # would hear, and gets along without


def steps(wanted: Wanted) -> Iterator[Check]:
    """Each step as it is done. Raises MaintainerError when a file of the settings cannot be
    used."""
    read_credentials(wanted.settings)
    for step in (_name, _network, _tls):
        lines = step(wanted.settings)
        yield from lines
        if any(line.state == "bad" for line in lines):
            return
    yield from _talk(wanted)


def _name(settings: Publish) -> list[Check]:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return [_bad("name", error, settings)]
    addresses = sorted({str(address[0]) for *_, address in found})
    return [Check("name", "ok", f"{settings.host} is {', '.join(addresses)}")]


def _network(settings: Publish) -> list[Check]:
    began = time.monotonic()
    try:
        _connected(settings).close()
    except OSError as error:
        return [_bad("network", error, settings)]
    took = (time.monotonic() - began) * 1000
    return [Check("network", "ok", f"port {settings.port} answers within {took:.1f} ms")]


def _tls(settings: Publish) -> list[Check]:
    context = read_credentials(settings).tls
    if context is None:
        text = "off: totals, and a password where there is one, can be read on their way"
        return [Check("TLS", "warn", text, "publish.tls = true")]
    try:
        with (
            closing(_connected(settings)) as plain,
            context.wrap_socket(plain, server_hostname=settings.host) as secure,
        ):
            version, found = secure.version(), read_certificate(secure)
    except OSError as error:
        seen = shown(settings) if isinstance(error, ssl.SSLCertVerificationError) else None
        return [_bad("TLS", error, settings, f" (it is for {seen})" if seen else "")]
    lines = [Check("TLS", "ok", f"{version}, with a certificate for {found}")]
    return lines + _ends_soon(found)


def _ends_soon(found: Certificate) -> list[Check]:
    left = (found.ends - datetime.now(UTC)).days
    if left >= SOON_DAYS:
        return []
    return [Check("certificate", "warn", f"ends in {left} days", "renew the broker's certificate")]


def _talk(wanted: Wanted) -> Iterator[Check]:
    hears = tuple(Subscription(topic) for topic in wanted.hears + wanted.likes)
    with Broker(wanted.settings, wanted.identity, subscriptions=hears) as broker:
        happening = _beginning(broker)
        if not isinstance(happening, Up):
            yield _not_up(happening)
            return
        yield Check("MQTT v5", "ok", f"connected as {_who(wanted.settings)}")
        yield from _limits(happening)
        yield from (_heard(topic, happening, wanted) for topic in wanted.hears + wanted.likes)
        writing = _Writing(broker)
        for topic in wanted.writes:
            line = writing.write(topic)
            yield line
            if topic in wanted.likes and line.state == "ok" and topic not in happening.denied:
                yield writing.comes_back(topic)


def _limits(up: Up) -> list[Check]:
    allowed = up.limits
    largest = f"{allowed.largest} bytes" if allowed.largest else "of any size"
    text = f"{allowed.in_flight} messages at once, {largest}, {allowed.aliases} aliases of topics"
    if allowed.keepalive_s:
        text += f", a sign of life every {allowed.keepalive_s} s"
    lines = [Check("limits", "ok", text)]
    if allowed.largest and allowed.largest < ROOMY:
        text = f"a message may need {ROOMY} bytes; a larger one than it takes is set aside"
        lines.append(Check("size", "warn", text, "raise the broker's largest packet"))
    if not allowed.retains:
        text = "it keeps no retained message: who comes later does not see the state"
        lines.append(Check("retain", "warn", text, "allow retained messages at the broker"))
    return lines


def _heard(topic: str, up: Up, wanted: Wanted) -> Check:
    what = f"hear {topic}"
    if topic not in up.denied:
        return Check(what, "ok", "subscribed")
    if topic in wanted.likes:
        return Check(what, "warn", f"refused: {UNNOTICED}", f"{ACCESS} read it")
    return Check(what, "bad", "refused", f"{ACCESS} read it")


class _Writing:
    """What becomes of an empty message on each topic."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._heard: set[str] = set()

    def write(self, topic: str) -> Check:
        what, token = f"write {topic}", self._broker.publish(empty(topic))
        answer = self._answer(token)
        if answer and answer.status == "acked":
            return Check(what, "ok", "taken; nobody reads it now" if answer.detail else "taken")
        if answer and answer.status == "refused":
            return Check(what, "bad", f"refused: {answer.detail}", f"{ACCESS} write it")
        text = answer.detail if answer else "no answer"
        return Check(what, "bad", f"not taken: {text}", "see the broker's log")

    def comes_back(self, topic: str) -> Check:
        """A broker may take a subscription and keep the messages back all the same."""
        what, until = f"hear {topic}", time.monotonic() + ECHO_S
        while topic not in self._heard and time.monotonic() < until:
            self._listen()
        if topic in self._heard:
            return Check(what, "ok", "comes through")
        return Check(what, "warn", f"does not come through: {UNNOTICED}", f"{ACCESS} read it")

    def _answer(self, token: int) -> Result | None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            happening = self._listen()
            if isinstance(happening, Result) and happening.token == token:
                return happening
        return None

    def _listen(self) -> Happening | None:
        happening = self._broker.poll(0.2)
        if isinstance(happening, Heard):
            self._heard.add(happening.topic)
        return happening


def _beginning(broker: Broker) -> Up | Down | None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        happening = broker.poll(0.2)
        if isinstance(happening, Up | Down):
            return happening
    return None


def _not_up(happening: Down | None) -> Check:
    if happening is None:
        return Check("MQTT v5", "bad", "no answer", "is it an MQTT broker?")
    text, _, remedy = happening.text.partition("; ")
    return Check("MQTT v5", "bad", text, remedy)


def _bad(what: str, error: OSError | UnicodeError, settings: Publish, more: str = "") -> Check:
    if isinstance(error, UnicodeError):
        return Check(what, "bad", f"{settings.host!r} is no host name", "mend publish.host")
    text, _, remedy = explain(error, settings).text.partition("; ")
    return Check(what, "bad", f"{settings.host}:{settings.port}: {text}{more}", remedy)


def _connected(settings: Publish) -> socket.socket:
    return socket.create_connection((settings.host, settings.port), timeout=CONNECT_S)


def _who(settings: Publish) -> str:
    if settings.username:
        return f"user {settings.username!r}"
    return f"the certificate {settings.cert_file}" if settings.cert_file else "nobody in particular"
