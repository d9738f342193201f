"""What record tells: to its log, to the ledger as an event, and to the list of alarms.

Promises: what lasts is told when it begins and when it is over.
Never: loses an event because the disk refuses: it waits with the others.
"""

from logging import Logger

from inspector.core.clock import Clock
from inspector.core.journal import LEVELS, about_event
from inspector.core.messages import Event
from inspector.core.terms import Severity
from inspector.services.record.alarms import Alarms
from inspector.services.record.journal import Journal


class Events:
    """The voice of record, and the ear for what others tell."""

    def __init__(self, log: Logger, journal: Journal, alarms: Alarms, clock: Clock) -> None:
        self._log, self._journal, self._alarms, self._clock = log, journal, alarms, clock
        self._said: dict[str, str] = {}

    def tell(self, severity: Severity, code: str, text: str, service: str = "record") -> None:
        """Say something of a service, `record` itself unless another is named."""
        wall = self._clock.wall_ns()
        event = Event(service=service, severity=severity, code=code, text=text, wall_ns=wall)
        if service != "record":
            self._write(event)
        self.note(event)

    def once(self, severity: Severity, code: str, text: str) -> None:
        """Tell of something that lasts, when it begins."""
        if self._said.get(code) != text:
            self._said[code] = text
            self.tell(severity, code, text)

    def over(self, began: str, code: str, text: str) -> None:
        """Tell that what `once` told of is over."""
        if self._said.pop(began, None) is not None:
            self.tell(Severity.INFO, code, text)

    def note(self, event: Event) -> None:
        """An event of whatever service."""
        if event.service == "record":
            self._write(event)
        self._journal.event(event)
        self._alarms.hear(event)

    def _write(self, event: Event) -> None:
        self._log.log(LEVELS[event.severity], event.text, extra=about_event(event))
