"""When a receiver of totals says how far it has got.

Promises: each device is told of its newest stream, on change, or when it has not heard, and at
most once every EVERY_NS; the newest word is never lost, only late.
Never: acknowledges more than it is given, or reads a clock.
"""

from dataclasses import dataclass, field

from inspector.core.clock import SECOND
from inspector.domain.ingress import Ack

EVERY_NS = SECOND // 5


@dataclass
class _Said:
    ack: Ack
    at_ns: int


@dataclass
class Acknowledging:
    """Of many devices. Times are monotonic nanoseconds."""

    _due: dict[str, Ack] = field(default_factory=dict)
    _said: dict[str, _Said] = field(default_factory=dict)

    def note(self, device: str, stream: str, through: int, unheard: bool = False) -> None:
        """All of this stream up to `through` is kept for good. `unheard`: the device sends what it
        has been told of, and is told once more."""
        ack = Ack(schema=1, stream=stream, through_seq=through)
        said = self._said.get(device)
        if unheard or said is None or said.ack != ack:
            self._due[device] = ack
        else:
            self._due.pop(device, None)

    def due(self, now_ns: int) -> list[tuple[str, Ack]]:
        """What is to be said now, by device; it counts as said."""
        ready = [device for device in self._due if self._may(device, now_ns)]
        found = [(device, self._due.pop(device)) for device in ready]
        self._said.update((device, _Said(ack, now_ns)) for device, ack in found)
        return found

    def again(self) -> None:
        """Say all once more: the connection is another."""
        for device, said in self._said.items():
            self._due.setdefault(device, said.ack)
        self._said.clear()

    def _may(self, device: str, now_ns: int) -> bool:
        said = self._said.get(device)
        return said is None or now_ns - said.at_ns >= EVERY_NS
