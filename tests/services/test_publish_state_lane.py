"""The lane of the state, when the broker will not have it, or not all of it."""

import json
import logging
from types import SimpleNamespace
from typing import Any

from support.publishing import line_status

from inspector.core.clock import SECOND
from inspector.core.config_mqtt import Publish
from inspector.core.live import AlarmWord, ServiceWord
from inspector.core.terms import Severity
from inspector.devices.broker import Result
from inspector.domain.egress.letter import Letter
from inspector.services.publish.door import Door
from inspector.services.publish.lane import Context
from inspector.services.publish.state import CALM_NS, StateLane
from inspector.services.publish.teller import Teller


class Station:
    """A ledger that logs at once, record, a broker and a clock, as far as this lane needs them."""

    def __init__(self) -> None:
        self.now, self.sent, self.letters = 0, list[Any](), list[Letter]()
        self.link: Any = SimpleNamespace(connected=True, send=self.take)
        here: Any = self
        teller = Teller(here, logging.getLogger("test"), here)
        self.door = Door(here, here, teller, here)
        settings = Publish(host="broker")
        context = Context("a/b/c/d/e", settings, here, here, self.door, teller, here)
        self.lane = StateLane(context, self.link, "0" * 32)

    def monotonic_ns(self) -> int:
        return self.now

    def wall_ns(self) -> int:
        return 1_700_000_000 * SECOND + self.now

    def logged(self, walls: Any) -> set[int]:
        return set(walls)

    def send(self, _message: object) -> bool:
        return True

    def take(self, _lane: object, key: object, letter: Letter, _now: int) -> None:
        self.sent.append(key)
        self.letters.append(letter)

    def turns(self, seconds: int, status: Any) -> int:
        """How often the state has left in this time, each answered so."""
        count = 0
        for _ in range(seconds * 2):
            self.now += SECOND // 2
            self.lane.turn(self.now)
            self.door.tell(self.now)
            self.door.look(self.now)
            for key in self.sent:
                self.lane.answered(key, Result(0, status), self.now)
            count += len(self.sent)
            self.sent.clear()
        return count


def test_state_that_is_denied_for_a_day_does_not_fill_the_log() -> None:
    station = Station()
    station.lane.up(0)
    assert station.turns(60, "refused") >= 3
    assert station.turns(86_400, "refused") < 1500
    assert station.turns(70, "acked") == 1
    station.lane.up(station.now)
    assert station.turns(2 * CALM_NS // SECOND, "acked") == 1


def test_state_that_is_too_long_for_a_message_leaves_without_its_services() -> None:
    what: Any = {"severity": Severity.ALARM, "raised_wall_ns": 0, "acknowledged": False}
    alarm = AlarmWord(code="consecutive_rejects", service="y" * 61, **what)
    names = [f"capture-{number:02}-{'x' * 53}" for number in range(32)]
    services = tuple(ServiceWord(service=name, state="degraded") for name in names)
    words = {"recipe": "r" * 64, "model": "m" * 51 + "@" + "0" * 12}
    station = Station()
    station.lane.hear(line_status(services=services, alarms=(alarm,) * 10, **words))
    station.lane.up(0)
    assert station.turns(10, "acked") == 1
    (found,) = station.letters
    last = json.loads(found.payload)
    assert (last["services"], len(last["alarms"]), last["lot"]) == ({}, 1, "L1")


def test_state_that_the_broker_takes_for_too_long_is_told_in_brief() -> None:
    service = (ServiceWord(service="record", state="running"),)
    station = Station()
    station.lane.hear(line_status(services=service))
    station.lane.up(0)
    assert station.turns(7, "oversize") == 1
    assert station.turns(7, "acked") == 1
    assert [bool(json.loads(one.payload)["services"]) for one in station.letters] == [True, False]
