"""What the plant is told of the line itself: its state to publish, changes of mode as notices.

Promises: the state in words and numbers when it changes, at most five times a second, and at
least once a second; each mode that the line is found in is one notice.
Never: hands on anything that was made from pixels, or the text of an alarm.
"""

from collections.abc import Iterable

from msgspec import structs

from inspector.core.clock import MS, SECOND
from inspector.core.current import Current
from inspector.core.live import Alarm, AlarmWord, LineState, LineStatus, ServiceHealth, ServiceWord
from inspector.core.terms import Mode
from inspector.devices.bus import Outlet
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.devices.ledger.notices import note_mode

FASTEST_NS = 200 * MS
SLOWEST_NS = SECOND
MOST_ALARMS = 10


class Status:
    """The line as the plant hears of it."""

    def __init__(self, publish: Outlet | None) -> None:
        """`publish`: None where nothing leaves the station."""
        self._publish = publish
        self._told: LineStatus | None = None
        self._told_ns = 0
        self._noted: Mode | None = None

    def due(self, now: int) -> bool:
        """True when a state would be told if it has changed."""
        return self._publish is not None and now - self._told_ns >= FASTEST_NS

    def tell(self, status: LineStatus, now: int) -> None:
        """Tell it if it has changed, or was told long ago. One that does not arrive is told again
        with the next."""
        same = self._told and structs.replace(self._told, wall_ns=status.wall_ns) == status
        if self._publish is None or (same and now - self._told_ns < SLOWEST_NS):
            return
        self._told = status if self._publish.send(status) else None
        self._told_ns = now

    def note_mode(self, ledger: Ledger, mode: Mode, wall_ns: int) -> None:
        """Note the mode, where it is another than the one that was noted last. What cannot be
        written now is left for the next time. Raises Damaged."""
        if mode is self._noted:
            return
        try:
            ledger.write(lambda db: note_mode(db, mode, wall_ns))
        except CannotWrite:
            return
        self._noted = mode

    def move(self) -> None:
        """A new ledger has begun, which knows no mode."""
        self._noted = None


def line_status(
    wall_ns: int,
    state: tuple[LineState, str],
    current: Current,
    model: str,
    services: Iterable[ServiceHealth],
    alarms: Iterable[Alarm],
) -> LineStatus:
    """The state of now. `state`: with what it comes from."""
    return LineStatus(
        wall_ns=wall_ns,
        state=state[0],
        why=state[1],
        mode=current.mode,
        recipe=current.recipe,
        lot=current.lot,
        model=model[:64],
        services=tuple(
            ServiceWord(service=one.heartbeat.service, state=one.heartbeat.state)
            for one in services
        ),
        alarms=tuple(map(_word, alarms))[:MOST_ALARMS],
    )


def _word(alarm: Alarm) -> AlarmWord:
    return AlarmWord(
        code=alarm.code,
        service=alarm.service,
        severity=alarm.severity,
        raised_wall_ns=alarm.raised_wall_ns,
        acknowledged=bool(alarm.acknowledged_by),
    )
