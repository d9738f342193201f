"""What the tests of the broker's connection share: quick tries, and waiting for what happens."""

from collections.abc import Callable
from typing import Any

from inspector.core.config_mqtt import Publish
from inspector.devices.broker import Backoff, Broker, Down, Happening, Heard, Result, Up
from inspector.domain.egress.letter import Letter, Payload

TOPIC = "acme/lyon/press/l1/c7/vision/v1/totals"
PATIENCE_S = 30.0


def settings(port: int, **changes: Any) -> Publish:
    return Publish(**{"host": "127.0.0.1", "port": port, "tls": False, **changes})


def quick(config: Publish, **more: Any) -> Broker:
    pauses = Backoff(first_s=0.05, most_s=0.2, taken_s=more.pop("taken_s", 300.0))
    return Broker(config, more.pop("client_id", "inspector-test"), backoff=pauses, **more)


def letter(data: bytes = b"{}", topic: str = TOPIC, **more: Any) -> Letter:
    return Letter(topic, Payload(data), data.decode("latin-1"), **more)


def wait_for(broker: Broker, wanted: Callable[[Happening], bool]) -> Happening:
    """The first happening that is wanted."""
    for _ in range(int(PATIENCE_S / 0.5)):
        happening = broker.poll(0.5)
        if happening and wanted(happening):
            return happening
    raise AssertionError("it did not happen")


def up(broker: Broker) -> Up:
    happening = wait_for(broker, lambda one: isinstance(one, Up))
    assert isinstance(happening, Up)
    return happening


def ended(broker: Broker) -> Down:
    happening = wait_for(broker, lambda one: isinstance(one, Down))
    assert isinstance(happening, Down)
    assert "\n" not in happening.text
    return happening


def down(broker: Broker) -> str:
    return ended(broker).text


def heard(broker: Broker) -> Heard:
    happening = wait_for(broker, lambda one: isinstance(one, Heard))
    assert isinstance(happening, Heard)
    return happening


def result(broker: Broker, token: int) -> Result:
    happening = wait_for(broker, lambda one: isinstance(one, Result) and one.token == token)
    assert isinstance(happening, Result)
    return happening


def results(broker: Broker, count: int) -> list[Result]:
    """So many results, whatever else happens."""
    found: list[Result] = []
    while len(found) < count:
        happening = wait_for(broker, lambda one: isinstance(one, Result))
        assert isinstance(happening, Result)
        found.append(happening)
    return found
