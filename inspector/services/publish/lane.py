"""What a lane is, and what all lanes share.

Promises: a lane's `turn` never waits; a lane that goes over the plant's link hears of every letter
that it sent what became of it.
Never: sends past the door.
"""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from inspector.core.clock import Clock
from inspector.core.config_mqtt import Publish
from inspector.devices.broker import Result
from inspector.devices.bus import Outlet
from inspector.devices.ledger import LedgerReader
from inspector.services.publish.door import Door
from inspector.services.publish.teller import Teller


class RowKey(NamedTuple):
    """A row of a ledger, as the key of its letter."""

    ledger: str
    row: int


class Lane(Protocol):
    """Something that has messages to send, in its turn."""

    def turn(self, now: int) -> bool:
        """One short round. True when there is more to do at once."""
        ...


class Sender(Lane, Protocol):
    """A lane that goes over the plant's link."""

    @property
    def name(self) -> str:
        """Of its letters at the door."""
        ...

    def up(self, now: int) -> None:
        """There is a new connection."""
        ...

    def down(self) -> None:
        """There is none any more; what was on its way is answered all the same."""
        ...

    def answered(self, key: Hashable, result: Result, now: int) -> None:
        """What became of the letter that was sent under this key."""
        ...


@dataclass(frozen=True)
class Context:
    """What every lane works with."""

    device: str  # a DeviceId
    settings: Publish
    reader: LedgerReader
    record: Outlet
    door: Door
    teller: Teller
    clock: Clock
    captures: Collection[str] = ()  # the station's own; without them, any may be named
