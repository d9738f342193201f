"""record's alarms: raised by what services tell, ended, acknowledged, and kept on the disk.

Promises: a restart of record forgets none; what could not be written is written later; an
acknowledgement is on the disk before it counts.
Never: decides which alarms there are; the rules are `domain.alarms`.
"""

from collections.abc import Collection

from inspector.core.live import Alarm
from inspector.core.messages import Event, Heartbeat
from inspector.core.terms import Severity
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.devices.ledger.alarms import load_alarms, save_alarms
from inspector.domain.alarms import AlarmList


class Alarms:
    """The list of one station."""

    def __init__(self) -> None:
        """Begins empty, so that it can hear what goes wrong before there is a ledger."""
        self._list = AlarmList()

    def begin(self, ledger: Ledger, services: Collection[str], now_wall: int) -> None:
        """Take up what the run before has left; what was heard since this run's start counts on
        top of it. Raises Damaged; a ledger that cannot be read now is begun without."""
        heard = self._list.shown()[::-1]
        try:
            self._list = AlarmList(*ledger.write(load_alarms))
        except CannotWrite:
            return
        self._list.begin(services, now_wall)
        for one in heard:
            self.raise_(one.code, one.service, one.severity, one.text, one.raised_wall_ns)

    def raise_(self, code: str, service: str, severity: Severity, text: str, now_wall: int) -> None:
        """Something is wrong."""
        self._list.raise_(code, service, severity, text, now_wall)

    def end(self, code: str, service: str, now_wall: int) -> None:
        """It is over."""
        self._list.end(code, service, now_wall)

    def hear(self, event: Event) -> None:
        self._list.hear(event)

    def hear_beat(self, heartbeat: Heartbeat, now_wall: int) -> None:
        self._list.hear_beat(heartbeat, now_wall)

    def is_active(self, code: str, service: str) -> bool:
        return self._list.is_active(code, service)

    def acknowledge(self, ledger: Ledger, id: int, who: str, now_wall: int) -> str:
        """Somebody has seen it. Raises OperatorError when it stands no longer, CannotWrite or
        Damaged; nothing has changed then."""
        one = self._list.seen(id, who, now_wall)
        ledger.write(lambda db: save_alarms(db, [one]))
        self._list.put(one)
        return f"alarm {one.alarm.code} acknowledged: {one.alarm.text}"

    def save(self, ledger: Ledger) -> None:
        """Write what has changed, if anything has. Raises Damaged; what cannot be written now is
        left for the next time."""
        if not self._list.changed:
            return
        changed = list(self._list.changed.values())
        try:
            ledger.write(lambda db: save_alarms(db, changed))
        except CannotWrite:
            return
        self._list.changed.clear()

    def move(self) -> None:
        """A new ledger has begun, which knows none of them."""
        self._list.unknown()

    def shown(self) -> tuple[Alarm, ...]:
        """The gravest and newest first."""
        return self._list.shown()
