"""What is about to leave the station, and whether that is on record yet.

Promises: a message is cleared to go once its departure stands in the ledger, never before; each
departure bears a time of its own, so that telling record twice logs it once; what was cleared and
could not go keeps its entry and goes by it later.
Never: sends anything, or reads a clock.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from inspector.core.clock import SECOND
from inspector.core.messages import Departed
from inspector.domain.egress import Payload

AGAIN_NS = SECOND  # a departure not seen in the ledger by then is told again


@dataclass
class _Entry:
    payload: Payload
    message: Departed
    told_ns: int | None = None  # None: record has not taken it yet
    logged: bool = False


class Departures:
    """By row of the ledger's totals. Times are monotonic nanoseconds unless said."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._ledger = ""
        self._rows: dict[int, _Entry] = {}
        self._last_wall = 0

    @property
    def waiting(self) -> list[int]:
        """The wall times of departures that are not known to be on record."""
        return [one.message.wall_ns for one in self._rows.values() if not one.logged]

    def follow(self, ledger: str, pending: Collection[int]) -> None:
        """The ledger there is now, and its rows that are yet to leave: what waits for another
        ledger, or for a row that is done, waits no more."""
        if ledger != self._ledger:
            self._ledger = ledger
            self._rows.clear()
        for row in [row for row in self._rows if row not in pending]:
            del self._rows[row]

    def knows(self, row: int) -> bool:
        return row in self._rows

    def announce(self, row: int, payload: Payload, wall_ns: int) -> None:
        """This row's message is to leave; `wall_ns`: now, or a little later than the last."""
        self._last_wall = max(wall_ns, self._last_wall + 1)
        message = Departed(wall_ns=self._last_wall, topic=self._topic, payload=payload.decode())
        self._rows[row] = _Entry(payload, message)

    def due(self, now: int) -> list[Departed]:
        """What record is to be told now, in the order in which it is to leave."""
        return [
            one.message
            for one in self._rows.values()
            if not one.logged and (one.told_ns is None or now - one.told_ns >= AGAIN_NS)
        ]

    def told(self, message: Departed, now: int) -> None:
        """Record was told."""
        for one in self._rows.values():
            if one.message is message:
                one.told_ns = now

    def logged(self, walls: Iterable[int]) -> None:
        """These departures stand in the ledger."""
        known = set(walls)
        for one in self._rows.values():
            one.logged |= one.message.wall_ns in known

    def clear(self, row: int) -> Payload | None:
        """The row's message, to be sent now and once; None as long as it is not on record."""
        one = self._rows.get(row)
        if one is None or not one.logged:
            return None
        del self._rows[row]
        return one.payload
