"""What record hears, and whom it believes.

Promises: outcomes, and the words of capture, detect and gate, are taken from the line's own inbox
alone, which nobody but these may enter; whoever else tells of them is not believed, and that is
counted.
Never: waits longer than asked, or answers.
"""

from collections.abc import Iterator

from inspector.core.folders import MEMBERS, Group, role
from inspector.core.messages import Event, Heartbeat, Outcome
from inspector.core.paths import Paths
from inspector.core.topology import LINE, MESSAGES
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Bus, any_waits


class Hearing:
    """Both inboxes."""

    def __init__(self, paths: Paths, bus: Bus) -> None:
        """Raises MaintainerError when an address is in use."""
        self._line = bus.inbox(paths.socket(LINE), depth=MESSAGES)
        self._others = bus.inbox(paths.socket("record"), depth=MESSAGES)
        self.disbelieved = 0

    def wait(self, timeout_ms: float) -> bool:
        """True as soon as anything is there; False after `timeout_ms`."""
        return any_waits((self._line, self._others), timeout_ms)

    def drain(self, most: int) -> Iterator[AnyMessage]:
        """Up to `most` messages of each that are there now."""
        for message, _ in self._line.drain(most):
            yield message
        for message, _ in self._others.drain(most):
            if speaks_for_the_line(message):
                self.disbelieved += 1
            else:
                yield message


def speaks_for_the_line(message: AnyMessage) -> bool:
    """True for what only a process of the line may say."""
    if isinstance(message, Heartbeat | Event):
        return role(message.service) in MEMBERS[Group.LINE]
    return isinstance(message, Outcome)
