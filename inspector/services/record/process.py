"""record's loop: outcomes in, one transaction for all of 40 ms, acknowledgement, totals, screens.

Promises: what is acknowledged is on the disk; a total is counted from what is on the disk; a disk
that refuses stops neither the line nor this loop; a damaged ledger is set aside and said loudly.
Never: decides on a part, or has a second writer beside it (its lock sees to that).
"""

import time
from contextlib import ExitStack

from inspector.core.clock import MS, Clock, SystemClock
from inspector.core.config import StationConfig
from inspector.core.current import Current, read_current, write_current
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.messages import (
    AnyMessage,
    Delivered,
    Event,
    Heartbeat,
    Outcome,
    Severity,
    SwitchRecipe,
)
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.topology import CONTROL, HEARTBEAT_S, LIVE, MESSAGES
from inspector.devices.bus import Bus
from inspector.devices.host import log_to_stderr, options, serve
from inspector.devices.ledger import CannotWrite, Damaged, Ledger
from inspector.services.record.board import Board
from inspector.services.record.changeover import Answer, Changeover
from inspector.services.record.commands import Commands, check_recipe
from inspector.services.record.journal import MOST, Journal
from inspector.services.record.pictures import Pictures

IDLE_MS = 50.0  # a command waits at most so long when nothing else comes
REST_S = 0.008  # between two looks into the inbox: waking for every message would cost the line
GRACE_S = 1.0  # beyond the deadline, until a window is taken to be complete
LEVEL = {Severity.INFO: 20, Severity.WARNING: 30, Severity.ALARM: 40}


class Record:
    """The process: its ledger, its sockets and what it does in turn."""

    def __init__(self, config: StationConfig, paths: Paths, bus: Bus, clock: Clock) -> None:
        """Opens the ledger. Raises MaintainerError when it cannot be had."""
        self._config, self._paths, self._clock = config, paths, clock
        self._log = log_to_stderr("record")
        now = clock.monotonic_ns()
        self._inbox = bus.inbox(paths.socket("record"), depth=MESSAGES)
        self._desk = bus.answer(paths.socket(CONTROL))
        self._screens = bus.broadcast(paths.socket(LIVE))
        gate = bus.outlet(paths.socket("gate"), MESSAGES)
        detect = bus.outlet(paths.socket("detect"), MESSAGES)
        self._journal = Journal(gate)
        self._board = Board(config, now)
        self._pictures = Pictures(paths, config.evidence, clock)
        self._pulse = Pulse("record", now, HEARTBEAT_S)
        self._gather_ns = int(config.record.commit_ms * MS)
        self._grace_s = config.line.deadline_ms / 1000 + GRACE_S
        self._said: dict[str, str] = {}
        self._ledger = self._open()
        current = read_current(paths.current, config.line)
        self._changeover = Changeover(paths.current, current, detect, gate)
        self._commands = Commands(paths, self._changeover, clock)
        self._begin_current(current)

    def turn(self) -> bool:
        """One round: gather, commit, then what is due."""
        try:
            self._gather()
            self._commit()
            self._obey()
            self._look_around()
        except Damaged as error:
            self._begin_anew(str(error))
        now = self._clock.monotonic_ns()
        self._journal.speak(now)
        if self._board.due(now):
            wall, current = self._clock.wall_ns(), self._changeover.current
            self._screens.send(self._board.live(now, wall, current, self._ledger.committed))
        return True

    def stop(self) -> None:
        """Commit what is still in the inbox, and leave the ledger in one file."""
        while self._inbox.wait(0) and not self._journal.stalled:
            self.turn()
        self._pictures.close()
        self._ledger.checkpoint()
        self._ledger.close()

    def _open(self, damage: str | None = None) -> Ledger:
        settings, path = self._config.record, self._paths.ledger
        ledger = Ledger(path, settings.window_s, settings.ballast_mb, self._clock.wall_ns(), damage)
        if ledger.set_aside:
            text = (
                f"{path}: was damaged ({ledger.damage}); it lies at {ledger.set_aside}, "
                "a new ledger has begun"
            )
            self._tell(Severity.ALARM, "ledger_set_aside", text)
        return ledger

    def _begin_anew(self, damage: str) -> None:
        """Go on with a new ledger; what was gathered goes into it."""
        self._ledger.close()
        self._ledger = self._open(damage)

    def _begin_current(self, current: Current) -> None:
        """Say what is made now, for all who start after us."""
        try:
            check_recipe(self._paths, current.recipe)
        except InspectorError as error:
            self._tell(Severity.ALARM, "recipe_unusable", str(error))
        if self._paths.current.exists():
            return
        try:
            write_current(self._paths.current, current)
        except OSError as error:
            raise MaintainerError(
                f"{self._paths.current}: cannot be written ({error.strerror})"
            ) from None

    def _gather(self) -> None:
        """Take what comes for as long as one commit may wait, from the first message on."""
        wait_ms, until = IDLE_MS, 0
        while wait_ms > 0 and not self._journal.full and self._inbox.wait(wait_ms):
            for message, _ in self._inbox.drain(MOST):
                self._take(message)
            time.sleep(REST_S)
            now = self._clock.monotonic_ns()
            until = until or now + self._gather_ns
            wait_ms = (until - now) / MS

    def _take(self, message: AnyMessage) -> None:
        if isinstance(message, Outcome):
            if self._journal.take(message, self._pictures.wants_detail(message)):
                self._pictures.copy(message)
        elif isinstance(message, Heartbeat):
            now = self._clock.monotonic_ns()
            self._board.hear(message, now)
            if message.service == "detect":
                self._answer(self._changeover.care(message, now))
        elif isinstance(message, Event):
            self._note(message)
            if message.service == "detect":
                self._answer(self._changeover.hear(message))
        elif isinstance(message, Delivered):
            self._journal.delivered(message)

    def _commit(self) -> None:
        began, before = self._clock.monotonic_ns(), self._journal.stalled
        fresh = self._journal.commit(self._ledger, began, self._clock.wall_ns())
        if fresh:
            self._pulse.took(self._clock.monotonic_ns() - began)
            self._pulse.handled += len(fresh) - 1
        self._pictures.save(fresh)
        self._board.count(fresh)
        if self._journal.stalled and not before:
            self._tell(Severity.ALARM, "ledger_stalled", self._journal.stalled)
        elif before and not self._journal.stalled:
            self._tell(Severity.INFO, "ledger_resumed", f"{self._paths.ledger}: is written again")

    def _obey(self) -> None:
        while (asked := self._desk.receive()) is not None:
            address, command = asked
            reply = self._commands.carry_out(self._ledger, command)
            self._desk.answer(address, reply)
            if reply.ok and isinstance(command, SwitchRecipe):
                code = "recipe_asked" if self._changeover.current.asked else "recipe_switched"
                self._tell(Severity.INFO, code, f"{reply.text}, by {command.who}")
                self._board.touch()

    def _answer(self, answer: Answer | None) -> None:
        """A change was made, or it is known why not."""
        if answer is None:
            return
        asked = answer.asked
        self._board.touch()
        if not answer.refused:
            text = f"recipe {asked.recipe}, lot {asked.lot or 'none'}, by {asked.who}"
            self._tell(Severity.INFO, "recipe_switched", text)
            return
        text = f"{answer.refused}; recipe {self._changeover.current.recipe} stays"
        self._tell(Severity.ALARM, "recipe_not_switched", text)
        try:
            self._commands.note_refusal(self._ledger, answer)
        except CannotWrite as error:
            self._tell(Severity.WARNING, "audit_missed", str(error))

    def _look_around(self) -> None:
        """Once a second: who is silent, which windows are over, is there room."""
        now = self._clock.monotonic_ns()
        if not self._pulse.due(now):
            return
        self._close_windows()
        self._care_for_ballast()
        self._changeover.tidy()
        if self._changeover.problem:
            self._once(Severity.ALARM, "current_unwritten", self._changeover.problem)
        for event in self._pictures.events():
            self._note(event)
        state = "degraded" if self._journal.stalled else "running"
        note = f"evidence not kept: {self._pictures.dropped}" if self._pictures.dropped else ""
        self._board.hear(self._pulse.beat(now, state, note=note), now)
        survey = self._board.survey(now)
        for name in survey.fell_silent:
            self._tell(Severity.ALARM, "service_silent", f"{name}: no heartbeat for 3 s")
        for name in survey.came_back:
            self._tell(Severity.INFO, "service_back", f"{name}: is heard again")

    def _close_windows(self) -> None:
        if self._journal.stalled:
            return
        try:
            self._ledger.close_windows(self._clock.wall_ns(), self._grace_s)
        except CannotWrite as error:
            self._once(Severity.WARNING, "totals_wait", str(error))

    def _care_for_ballast(self) -> None:
        held = self._ledger.ballast.take()
        name = self._ledger.ballast.path
        if held and "ballast_gone" in self._said:
            self._said.pop("ballast_gone")
            self._tell(Severity.INFO, "ballast_back", f"{name}: there is room to spare again")
        elif not held:
            text = f"{name}: the disk is short of room and the reserve is given up; make room"
            self._once(Severity.ALARM, "ballast_gone", text)

    def _once(self, severity: Severity, code: str, text: str) -> None:
        """Tell of something that lasts, when it begins."""
        if self._said.get(code) != text:
            self._said[code] = text
            self._tell(severity, code, text)

    def _tell(self, severity: Severity, code: str, text: str) -> None:
        wall = self._clock.wall_ns()
        self._note(Event(service="record", severity=severity, code=code, text=text, wall_ns=wall))

    def _note(self, event: Event) -> None:
        if event.service == "record":
            self._log.log(LEVEL[event.severity], event.text)
        self._journal.event(event)
        self._board.alarm(event)


def main(argv: list[str] | None = None) -> int:
    """Run the process until a signal. Returns the exit code."""

    def build(config: StationConfig, paths: Paths, stack: ExitStack) -> Record:
        return Record(config, paths, stack.enter_context(Bus()), SystemClock())

    return serve("record", options("record", __doc__).parse_args(argv).root, build)
