"""What record looks after once a second: windows that are over, room on the disk, who is silent.

Promises: what is wrong is told when it begins, and that it is over when it is.
Never: takes an outcome or an order.
"""

import shutil

from inspector.core.clock import Clock
from inspector.core.config import StationConfig
from inspector.core.paths import Paths
from inspector.core.terms import Severity
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.domain.health import SILENT_S, Survey
from inspector.domain.part_alarms import Word
from inspector.services.record.alarms import Alarms
from inspector.services.record.changeover import Changeover
from inspector.services.record.events import Events
from inspector.services.record.pictures import Pictures

GRACE_S = 1.0  # beyond the deadline, until a window is taken to be complete
SHORT_LOOKS = 5  # in a row that find too little room: old evidence may just be on its way out
MB = 1 << 20


class Housekeeping:
    """The station's small cares."""

    def __init__(
        self,
        config: StationConfig,
        paths: Paths,
        changeover: Changeover,
        pictures: Pictures,
        alarms: Alarms,
        events: Events,
        clock: Clock,
    ) -> None:
        self._paths, self._clock = paths, clock
        self._changeover, self._pictures = changeover, pictures
        self._alarms, self._events = alarms, events
        self._keep_free = config.evidence.keep_free_mb * MB
        self._grace_s = config.line.deadline_ms / 1000 + GRACE_S
        self._short = 0  # looks in a row

    def turn(self, ledger: Ledger, stalled: bool) -> None:
        """All of it. Raises Damaged."""
        if not stalled:
            self._close_windows(ledger)
        self._care_for_ballast(ledger)
        self._look_at_disk()
        self._care_for_current()
        for event in self._pictures.events():
            self._events.note(event)

    def look_after(self, survey: Survey) -> None:
        """Who fell silent or came back since the last look. A silent capture is a blind camera."""
        wall = self._clock.wall_ns()
        for name in survey.fell_silent:
            code = "camera" if name.startswith("capture-") else "service_silent"
            text = f"{name}: no heartbeat for {SILENT_S:g} s"
            self._events.tell(Severity.ALARM, code, text, name)
        for name in survey.came_back:
            self._events.tell(Severity.INFO, "service_back", f"{name}: is heard again", name)
            self._alarms.end("camera", name, wall)

    def say(self, word: Word) -> None:
        """What the parts call for."""
        if word.begins:
            self._events.tell(Severity.ALARM, word.code, word.text, word.service)
        else:
            self._alarms.end(word.code, word.service, self._clock.wall_ns())

    def _close_windows(self, ledger: Ledger) -> None:
        try:
            ledger.close_windows(self._clock.wall_ns(), self._grace_s)
        except CannotWrite as error:
            self._events.once(Severity.WARNING, "totals_wait", str(error))
        else:
            self._events.over("totals_wait", "totals_go_on", "totals are counted again")

    def _care_for_ballast(self, ledger: Ledger) -> None:
        name = ledger.ballast.path
        if ledger.ballast.take():
            text = f"{name}: there is room to spare again"
            self._events.over("ballast_gone", "ballast_back", text)
        else:
            text = f"{name}: the disk is short of room and the reserve is given up; make room"
            self._events.once(Severity.ALARM, "ballast_gone", text)

    def _look_at_disk(self) -> None:
        """Old evidence makes room by itself; what lasts is for a person."""
        folder = self._paths.evidence
        try:
            free = shutil.disk_usage(folder).free
        except OSError:  # it is gone, which the store tells of
            return
        self._short = self._short + 1 if free < self._keep_free else 0
        if self._short >= SHORT_LOOKS:
            text = f"{folder}: less than evidence.keep_free_mb = {self._keep_free // MB} is free"
            self._events.once(Severity.ALARM, "disk", text)
        elif not self._short:
            self._events.over("disk", "disk_free", f"{folder}: there is room again")

    def _care_for_current(self) -> None:
        self._changeover.tidy()
        if self._changeover.problem:
            self._events.once(Severity.ALARM, "current_unwritten", self._changeover.problem)
        else:
            text = f"{self._paths.current}: is written again"
            self._events.over("current_unwritten", "current_written", text)
