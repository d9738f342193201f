"""The lane of events, when the broker will not have them."""

import logging
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

from inspector.core.clock import MS, SECOND
from inspector.core.config_mqtt import Publish
from inspector.core.terms import Severity
from inspector.devices.broker import Result
from inspector.domain.egress.letter import Letter
from inspector.domain.notice import Notice, What
from inspector.services.publish.door import Door
from inspector.services.publish.events import AHEAD, Events
from inspector.services.publish.lane import Context, RowKey
from inspector.services.publish.teller import Teller

LEDGER = "a" * 32
TURN_NS = 50 * MS


class Station:
    """A ledger with notices, record, a broker and a clock, as far as this lane needs them."""

    def __init__(self, notices: int) -> None:
        self.now, self.pending, self.most_read = 0, dict.fromkeys(range(1, notices + 1)), 0
        self.sent: list[RowKey] = []

    def notices_ledger_id(self) -> str:
        return LEDGER

    def notices(self, limit: int) -> list[Notice]:
        self.most_read = max(self.most_read, limit)
        return [notice(id) for id in list(self.pending)[:limit]]

    def logged(self, walls: Collection[int]) -> set[int]:
        return set(walls)

    def monotonic_ns(self) -> int:
        return self.now

    def wall_ns(self) -> int:
        return 1_700_000_000 * SECOND + self.now

    def send(self, *message: Any) -> bool:
        """To record, or (lane, key, letter, now) over the link."""
        if len(message) > 1 and isinstance(message[2], Letter):
            self.sent.append(message[1])
        elif getattr(message[0], "lane", "") == "events":
            for row in message[0].rows:
                self.pending.pop(row, None)
        return True


def notice(id: int) -> Notice:
    words = dict.fromkeys(("code", "service", "recipe", "lot", "model", "mode"), "")
    what: Any = {"what": What.MAKING_CHANGED, "severity": Severity.INFO, **words}
    return Notice(ledger=LEDGER, id=id, wall_ns=1, **what)


def test_events_that_the_broker_denies_for_long_are_not_all_read_again_and_again() -> None:
    """Five times a second, thousands of them would hold up the totals. Once they are taken, each
    goes, oldest first."""
    station: Any = Station(2000)
    teller = Teller(station, logging.getLogger("test"), station)
    door = Door(station, station, teller, station)
    settings = Publish(host="broker")
    context = Context("a/b/c/d/e", settings, station, station, door, teller, station)
    link: Any = SimpleNamespace(connected=True, in_flight=20, send=station.send)
    lane, taken = Events(context, link), list[int]()
    lane.up(0)
    while station.pending:
        station.now += TURN_NS
        door.look(station.now)
        lane.turn(station.now)
        door.tell(station.now)
        allowed = station.now > 300 * SECOND
        for key in station.sent:
            lane.answered(key, Result(0, "acked" if allowed else "refused"), station.now)
            taken += [key.row] if allowed else []
        station.sent.clear()
        assert station.now < 1200 * SECOND
    assert sorted(taken) == list(range(1, 2001))
    assert station.most_read < 20 * AHEAD
