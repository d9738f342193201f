"""record's loop: outcomes in, one transaction for all of 40 ms, acknowledgement, totals, screens.

Promises: what is acknowledged is on the disk; a total is counted from what is on the disk; a disk
that refuses, or is not there, stops neither the line nor this loop; a damaged ledger gives way to
its newest backup, or to a new one, and that is said loudly.
Never: decides on a part, or has a second writer beside it (its lock sees to that).
"""

import logging
import time
from contextlib import ExitStack

from inspector.core.clock import MS, Clock, SystemClock
from inspector.core.config import StationConfig, Ui
from inspector.core.current import Current, load_current, read_current, write_current
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.live import Live, WorkshopState
from inspector.core.messages import Delivered, Departed, Event, Heartbeat, LaneAt, Outcome
from inspector.core.orders import ErrandDone, ReviewPart, SetRecipe
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.terms import Severity
from inspector.core.topology import CONTROL, HEARTBEAT_S, LIVE, MESSAGES
from inspector.core.wire import AnyMessage
from inspector.devices import box
from inspector.devices.bus import Bus
from inspector.devices.host import log_to_stderr, options, serve
from inspector.devices.ledger import Damaged, Ledger
from inspector.devices.localtime import local_zone
from inspector.domain.shift import shift_start
from inspector.services.record.access import open_access
from inspector.services.record.alarms import Alarms
from inspector.services.record.answers import Answers
from inspector.services.record.backups import Backups
from inspector.services.record.board import Board
from inspector.services.record.challenge import Challenges
from inspector.services.record.changeover import Changeover
from inspector.services.record.commands import Commands, Rooms, check_recipe
from inspector.services.record.desk import Desk
from inspector.services.record.events import Events
from inspector.services.record.hearing import Hearing
from inspector.services.record.housekeeping import Housekeeping
from inspector.services.record.journal import MOST, Journal
from inspector.services.record.keeper import Keeper
from inspector.services.record.meter import Meter
from inspector.services.record.pictures import Pictures
from inspector.services.record.plant import open_plant
from inspector.services.record.retaining import Retaining
from inspector.services.record.statistics import Statistics
from inspector.services.record.status import Status
from inspector.services.record.telling import Telling
from inspector.services.record.timekeeping import Timekeeping

IDLE_MS = 50.0  # a command waits at most so long when nothing else comes
REST_S = 0.008  # between two looks into the inbox: waking for every message would cost the line
DISBELIEVED = (
    "record: messages that only capture, detect and gate may send came from elsewhere and were "
    "refused; see which service was changed (inspector doctor)"
)


class Record:
    """The process: its ledger, its sockets and what it does in turn."""

    def __init__(self, config: StationConfig, paths: Paths, bus: Bus, clock: Clock) -> None:
        """Opens the ledger, or stands by for it. Raises MaintainerError when a newer program wrote
        it."""
        self._timekeeping = Timekeeping(clock, paths)
        clock = self._timekeeping.clock
        self._config, self._paths, self._clock = config, paths, clock
        now = clock.monotonic_ns()
        self._hearing = Hearing(paths, bus)
        self._screens = bus.broadcast(paths.socket(LIVE))
        gate = bus.outlet(paths.socket("gate"), MESSAGES)
        detect = bus.outlet(paths.socket("detect"), MESSAGES)
        self._journal = Journal(gate)
        self._alarms = Alarms()
        self._events = Events(log_to_stderr("record"), self._journal, self._alarms, clock)
        self._board = Board(config, now)
        self._statistics = Statistics(config, clock, local_zone())
        self._pictures = Pictures(paths, config.evidence, clock)
        self._pulse = Pulse("record", now, HEARTBEAT_S)
        self._telling = Telling(logging.getLogger("record"), now)
        self._gather_ns = int(config.record.commit_ms * MS)
        self._live: Live | None = None  # as the screens were told last
        self._meter = Meter()
        self._retaining = Retaining(config, self._events, clock, self._timekeeping.sure_ns)
        self._backups = Backups(config, paths, self._events, clock)
        self._keeper = Keeper(config, paths, self._journal, self._events, clock)
        self._begin_alarms()
        self._keeper.take_gaps()
        current = read_current(paths.current, config.line)
        self._changeover = Changeover(paths.current, current, detect, gate)
        zone, shifts = local_zone(), config.line.shifts
        self._challenges = Challenges(
            config,
            paths,
            self._changeover,
            self._alarms,
            clock,
            lambda wall: shift_start(wall, shifts, zone),
            self._events.tell,
        )
        self._housekeeping = Housekeeping(
            config, paths, self._changeover, self._pictures, self._alarms, self._events, clock
        )
        workshop = bus.outlet(paths.socket("workshop"), MESSAGES)
        publish = bus.outlet(paths.socket("publish"), MESSAGES)
        self._status = Status(publish if config.publish else None)
        rooms = Rooms(self._changeover, workshop, self._alarms, self._challenges, self._backups)
        self._commands = Commands(paths, rooms, clock)
        self._answers = Answers(self._commands, self._changeover, self._events, self._board)
        access = open_access(paths, config.ui or Ui(), self._ledger, clock)
        desk = bus.answer(paths.socket(CONTROL))
        self._desk = Desk(desk, access, self._commands, clock, open_plant(paths, config.publish))
        self._begin_current(current)
        self._note_mode()

    def turn(self) -> bool:
        """One round: gather, commit, then what is due."""
        try:
            self._look_after_ledger()
            self._gather()
            self._commit()
            self._obey()
            self._look_around()
            if not self._journal.stalled:
                self._alarms.save(self._ledger)
                self._note_mode()
                self._retaining.turn(self._ledger)
        except Damaged as error:
            self._keeper.begin_anew(str(error))
            self._follow_ledger()
        now = self._clock.monotonic_ns()
        self._journal.speak(now)
        self._tell(now)
        return True

    def stop(self) -> None:
        """Commit what is still in the inbox, and leave the ledger in one file."""
        while self._hearing.wait(0) and not self._journal.stalled:
            self.turn()
        self._pictures.close()
        self._desk.close()
        self._backups.close()
        self._keeper.close()
        self._timekeeping.keep()

    @property
    def _ledger(self) -> Ledger:
        return self._keeper.ledger

    def _tell(self, now: int) -> None:
        """The screens and the plant, each when it is time."""
        wall, current = self._clock.wall_ns(), self._changeover.current
        alarms = self._alarms.shown()
        if self._board.due(now):
            said = self._statistics, alarms, self._challenges.state()
            self._live = self._board.live(now, wall, current, self._ledger, *said)
            self._screens.send(self._live)
        if self._status.due(now):
            known = self._ledger.model, self._statistics, alarms
            self._status.tell(self._board.status(now, wall, current, *known), now)

    def _note_mode(self) -> None:
        mode = self._changeover.current.mode
        self._status.note_mode(self._ledger, mode, self._clock.wall_ns())

    def _begin_alarms(self) -> None:
        """Those that the ledger knows of."""
        self._alarms.begin(self._ledger, self._board.names, self._clock.wall_ns())

    def _look_after_ledger(self) -> None:
        """It may be there again. Raises Damaged."""
        if self._keeper.look(self._clock.monotonic_ns()):
            self._begin_alarms()
            self._follow_ledger()

    def _follow_ledger(self) -> None:
        """It is another one, which knows nothing of this run."""
        self._keeper.take_gaps()
        self._alarms.move()
        self._status.move()
        self._statistics.recount()
        self._challenges.begin_anew()

    def _begin_current(self, current: Current) -> None:
        """Say what is made now, for all who start after us."""
        try:
            check_recipe(self._paths, current.recipe)
        except InspectorError as error:
            self._events.tell(Severity.ALARM, "recipe_unusable", str(error))
        try:
            if load_current(self._paths.current):
                return
        except MaintainerError as error:
            self._events.tell(Severity.ALARM, "current_unread", str(error))
            return
        try:
            write_current(self._paths.current, current)
        except OSError as error:
            # The housekeeping tells of it, and tries again.
            problem = f"{self._paths.current}: cannot be written ({error.strerror})"
            self._changeover.problem = problem

    def _gather(self) -> None:
        """Take what comes for as long as one commit may wait, from the first message on."""
        wait_ms, until = IDLE_MS, 0
        while wait_ms > 0 and not self._journal.full and self._hearing.wait(wait_ms):
            for message in self._hearing.drain(MOST):
                self._take(message)
            time.sleep(REST_S)
            now = self._clock.monotonic_ns()
            until = until or now + self._gather_ns
            wait_ms = (until - now) / MS

    def _take(self, message: AnyMessage) -> None:
        if isinstance(message, Outcome):
            self._take_outcome(self._timekeeping.stamped(message))
        elif isinstance(message, Heartbeat):
            self._hear_beat(message)
        elif isinstance(message, Event):
            self._events.note(self._timekeeping.dated(message))
            if message.service == "detect":
                self._answers.answer(self._ledger, self._changeover.hear(message))
        elif isinstance(message, Delivered | Departed | LaneAt):
            self._journal.outgoing(message)
        elif isinstance(message, ErrandDone):
            self._answers.end_errand(self._ledger, message)
        elif isinstance(message, WorkshopState):
            self._board.show(message, self._clock.monotonic_ns())

    def _take_outcome(self, outcome: Outcome) -> None:
        if self._journal.take(outcome, self._pictures.wants_detail(outcome)):
            self._pictures.copy(outcome)

    def _hear_beat(self, heartbeat: Heartbeat) -> None:
        now = self._clock.monotonic_ns()
        self._board.hear(heartbeat, now)
        self._alarms.hear_beat(heartbeat, self._clock.wall_ns())
        if heartbeat.service == "detect":
            self._answers.answer(self._ledger, self._changeover.care(heartbeat, now))
        elif heartbeat.service == "gate":
            self._changeover.meet(heartbeat)

    def _commit(self) -> None:
        began, before = self._clock.monotonic_ns(), self._journal.stalled
        fresh = self._journal.commit(self._ledger, began, self._clock.wall_ns())
        if fresh:
            self._pulse.took(self._clock.monotonic_ns() - began)
            self._pulse.handled += len(fresh) - 1
        self._pictures.save(fresh)
        self._board.count(fresh)
        self._telling.hear(fresh, began)
        self._challenges.hear(fresh, self._ledger)
        for word in self._statistics.count(fresh, self._ledger):
            self._housekeeping.say(word)
        if self._journal.stalled and not before:
            self._events.tell(Severity.ALARM, "ledger_stalled", self._journal.stalled)
        elif before and not self._journal.stalled:
            text = f"{self._paths.ledger}: is written again"
            self._events.tell(Severity.INFO, "ledger_resumed", text)

    def _obey(self) -> None:
        for done in self._desk.turn(self._ledger):
            if isinstance(done.order, SetRecipe):
                self._answers.tell_recipe(f"{done.text}, by {done.who.name}")
            if isinstance(done.order, ReviewPart):
                self._statistics.recount()
            self._board.touch()

    def _look_around(self) -> None:
        """Once a second: the housekeeping, the statistics, who is silent."""
        now = self._clock.monotonic_ns()
        if not self._pulse.due(now):
            return
        self._timekeeping.turn(self._events)
        self._housekeeping.turn(self._ledger, bool(self._journal.stalled))
        self._backups.turn()
        self._measure(now)
        self._challenges.turn(self._ledger, self._clock.wall_ns())
        if self._hearing.disbelieved:
            self._events.once(Severity.ALARM, "refused", DISBELIEVED)
        self._desk.tidy(self._ledger)
        for word in self._statistics.turn(self._changeover.current.lot, self._ledger):
            self._housekeeping.say(word)
        state = "degraded" if self._journal.stalled else "running"
        note = f"evidence not kept: {self._pictures.dropped}" if self._pictures.dropped else ""
        self._hear_beat(self._pulse.beat(now, state, note=note))
        self._housekeeping.look_after(self._board.survey(now))

    def _measure(self, now: int) -> None:
        """The station in figures, for questions after the fact."""
        if self._live is None:
            return
        free = {"state": box.free(self._paths.state), "evidence": self._pictures.free}
        ahead = self._timekeeping.ahead_ns
        self._journal.sample(self._meter.sample(self._live, now, ahead, free))


def main(argv: list[str] | None = None) -> int:
    """Run the process until a signal. Returns the exit code."""

    def build(config: StationConfig, paths: Paths, stack: ExitStack) -> Record:
        return Record(config, paths, stack.enter_context(Bus()), SystemClock())

    return serve("record", options("record", __doc__).parse_args(argv).root, build)
