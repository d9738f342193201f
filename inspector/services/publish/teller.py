"""What publish says to people: each thing once, until it changes.

Promises: on the log at once, and as an event to record as soon as record is there to hear it; of
each topic the newest.
Never: sends anything over the network.
"""

from logging import Logger

from inspector.core.clock import Clock
from inspector.core.journal import LEVELS, about_event
from inspector.core.messages import Event
from inspector.core.terms import Severity
from inspector.devices.bus import Outlet

LAST_MS = 500


class Teller:
    """Tells record, and the log."""

    def __init__(self, record: Outlet, log: Logger, clock: Clock) -> None:
        self._record = record
        self._log = log
        self._clock = clock
        self._said: dict[str, str] = {}
        self._unheard: dict[str, Event] = {}

    def tell(self, severity: Severity, code: str, text: str, topic: str = "") -> None:
        """Say `text` unless it was the last thing said of `topic` (or of `code`)."""
        topic = topic or code
        if self._said.get(topic) == text:
            return
        self._said[topic] = text
        wall = self._clock.wall_ns()
        event = Event(service="publish", severity=severity, code=code, text=text, wall_ns=wall)
        self._log.log(LEVELS[severity], text, extra=about_event(event))
        self._unheard.pop(topic, None)
        if not self._record.send(event):
            self._unheard[topic] = event

    def forget(self, topic: str) -> None:
        """What was said of this topic is to be said again where it lasts."""
        self._said.pop(topic, None)

    def tell_last(self, severity: Severity, code: str, text: str) -> None:
        """Say `text` before the process ends for it; record is given a moment to be there. The
        log has it from the error itself."""
        if self._record.connected(LAST_MS):
            wall = self._clock.wall_ns()
            self._record.send(
                Event(service="publish", severity=severity, code=code, text=text, wall_ns=wall)
            )

    def has_said(self, topic: str) -> bool:
        """True when something was said of this topic."""
        return topic in self._said

    def again(self) -> None:
        """Say to record what it has not heard."""
        for topic, event in list(self._unheard.items()):
            if self._record.send(event):
                del self._unheard[topic]
