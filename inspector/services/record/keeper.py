"""Who has the ledger: opened, out of reach for now, damaged, restored, checked beside the line.

Promises: record starts and goes on without its ledger, says so, and takes it up as soon as it can
be had; one that is damaged gives way to the newest good backup, or to a new one; after an unclean
stop it is checked to the end, however large it is.
Never: lets anything count as recorded that is not.
"""

import queue
import threading
import time

from inspector.core.clock import SECOND, Clock
from inspector.core.config import StationConfig
from inspector.core.errors import MaintainerError
from inspector.core.paths import Paths
from inspector.core.terms import Severity
from inspector.devices.host import notify
from inspector.devices.ledger import CannotWrite, Damaged, Ledger
from inspector.devices.ledger.absent import AbsentLedger
from inspector.devices.ledger.copying import check_open
from inspector.devices.ledger.epochs import take_untold
from inspector.services.record.backups import backups_folder
from inspector.services.record.events import Events
from inspector.services.record.journal import Journal

RETRY_NS = SECOND
SIGN_S = 1.0  # between two signs of life


class Keeper:
    """Holds the one ledger of a run of record."""

    def __init__(
        self, config: StationConfig, paths: Paths, journal: Journal, events: Events, clock: Clock
    ) -> None:
        """Opens it. Raises MaintainerError when a newer program wrote it."""
        self._settings, self._path = config.record, paths.ledger
        self._backups = backups_folder(config, paths)
        self._journal, self._events, self._clock = journal, events, clock
        self._checked: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._signed = 0.0
        self._retry_ns = 0
        self.ledger = self._open_or_stand_by()

    def look(self, now: int) -> bool:
        """True when the ledger is another than before. Raises Damaged when a check found damage."""
        self._hear_check()
        if not isinstance(self.ledger, AbsentLedger) or now < self._retry_ns:
            return False
        self._retry_ns = now + RETRY_NS
        try:
            self.ledger = self._open()
        except CannotWrite as error:
            self._journal.stall(str(error), now)
            return False
        return True

    def begin_anew(self, damage: str) -> None:
        """Go on with a backup or a new ledger; what was gathered goes into it."""
        self.ledger.close()
        self.ledger = self._open_or_stand_by(damage)

    def take_gaps(self) -> None:
        """Tell of restores that nobody has been told of. Raises Damaged."""
        try:
            gaps = self.ledger.write(take_untold)
        except CannotWrite:
            return
        for gap in gaps:
            self._events.tell(Severity.ALARM, "ledger_restored", f"{self._path}: {gap}")

    def close(self) -> None:
        self.ledger.checkpoint()
        self.ledger.close()

    def _open_or_stand_by(self, damage: str | None = None) -> Ledger:
        try:
            return self._open(damage)
        except CannotWrite as error:
            self._journal.stall(str(error), self._clock.monotonic_ns())
            self._events.tell(Severity.ALARM, "ledger_stalled", str(error))
            return AbsentLedger(self._path, str(error))

    def _open(self, damage: str | None = None) -> Ledger:
        settings, wall = self._settings, self._clock.wall_ns()
        kept = (settings.window_s, settings.ballast_mb)
        ledger = Ledger(self._path, *kept, wall, damage, self._backups, self._alive)
        if ledger.set_aside:
            self._tell_damage(ledger)
        self._checked = queue.SimpleQueue()  # a check of another ledger is not of this one
        if ledger.opened.unchecked:
            asked = (self._checked,)
            threading.Thread(target=self._check, args=asked, name="check", daemon=True).start()
        return ledger

    def _tell_damage(self, ledger: Ledger) -> None:
        opened = ledger.opened
        then = f"backup {opened.restored} took its place"
        if not opened.restored:
            then = "; ".join((*opened.problems, "a new ledger has begun"))
        text = f"{self._path}: was damaged ({ledger.damage}); it lies at {ledger.set_aside}, {then}"
        self._events.tell(Severity.ALARM, "ledger_set_aside", text)

    def _check(self, checked: queue.SimpleQueue[str]) -> None:
        try:
            checked.put(check_open(self._path))
        except MaintainerError:
            return  # it was replaced meanwhile, or cannot be read now, which the commits tell of

    def _hear_check(self) -> None:
        while not self._checked.empty():
            if damage := self._checked.get_nowait():
                raise Damaged(f"{self._path}: is damaged ({damage})")
            text = f"{self._path}: was not closed in order, and was found whole"
            self._events.tell(Severity.INFO, "ledger_checked", text)

    def _alive(self) -> None:
        """A large ledger is copied: that is work, and no hang."""
        if time.monotonic() - self._signed >= SIGN_S:
            self._signed = time.monotonic()
            notify(f"WATCHDOG=1\nEXTEND_TIMEOUT_USEC={30 * 1_000_000}")
