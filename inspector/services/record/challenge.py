"""The test with golden parts: begun, shown part by part, recorded, and acted upon.

Promises: every step is in the ledger as it happens; while a test is on, the gate rejects every
part, and afterwards the mode is as it was; a test that was failed or is overdue keeps the line
paused until one is passed, where its recipe says so; a test that record did not live to end is
closed by the next record: failed if a step had failed, else abandoned.
Never: decides on a golden part; the rules are `domain.challenge`.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

from inspector.core.clock import MS, Clock
from inspector.core.config import StationConfig
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.live import ChallengeState, ChallengeStep
from inspector.core.messages import Outcome
from inspector.core.paths import Paths
from inspector.core.recipe import Challenge, load_recipe
from inspector.core.terms import Mode, Severity
from inspector.devices.ledger import CannotWrite, Ledger, RecordedChallenge, challenges
from inspector.domain.challenge import ShiftStart, Trial, blank, result_of
from inspector.services.record.alarms import Alarms
from inspector.services.record.challenge_schedule import ChallengeSchedule, History, Tell, history
from inspector.services.record.changeover import Changeover

SLACK_MS = 500  # beyond the deadline, until another camera's earlier part must be committed


class Challenges:
    """One test at a time, of the recipe in force."""

    def __init__(
        self,
        config: StationConfig,
        paths: Paths,
        changeover: Changeover,
        alarms: Alarms,
        clock: Clock,
        shift_start: ShiftStart,
        tell: Tell,
    ) -> None:
        self._paths, self._changeover, self._clock = paths, changeover, clock
        self._tell = tell
        self._schedule = ChallengeSchedule(paths, alarms, shift_start, tell)
        patience_ms = config.line.deadline_ms + SLACK_MS if len(config.cameras) > 1 else 0
        self._patience_ns = int(patience_ms * MS)
        self._trial: Trial | None = None
        self._id = 0  # of the test under way
        self._lot = ""
        self._before = Mode.INSPECT  # the mode to go back to
        self._recovered = False  # what an earlier record left open is closed

    def check_begin(self) -> Challenge:
        """The parts to be shown. Raises InspectorError when no test can begin."""
        if self._trial:
            raise OperatorError(f"a test is under way at step {self._trial.step}; go on with it")
        current = self._changeover.current
        if current.asked:
            raise OperatorError(f"recipe {current.asked.recipe}: is being loaded; wait for it")
        return self._rules_now(current.recipe)

    def check_present(self, step: int) -> Trial:
        """The test as it is once this step's part lies there. Raises OperatorError."""
        now, wall = self._clock.monotonic_ns(), self._clock.wall_ns()
        return self.check_under_way().present(step, wall, now)

    def check_under_way(self) -> Trial:
        """Raises OperatorError when there is no test."""
        if self._trial is None:
            raise OperatorError("no test with golden parts is under way; begin one")
        return self._trial

    def begin(self, ledger: Ledger, who: str) -> str:
        """Begin a test of the recipe in force; what to do first. Raises InspectorError."""
        rules = self.check_begin()
        current, wall = self._changeover.current, self._clock.wall_ns()
        self._recover(ledger)
        self._schedule.follow(ledger, current.recipe, wall)
        before = self._before if current.mode is Mode.CHALLENGE else current.mode
        self._id = ledger.write(lambda db: challenges.begin(db, current.recipe, who, before, wall))
        self._before, self._lot = before, current.lot
        self._recovered = False  # until the test is on, its row is one left open
        self._changeover.set_mode(Mode.CHALLENGE)
        self._recovered = True
        now = self._clock.monotonic_ns()
        self._trial = Trial(current.recipe, rules.parts, self._patience_ns, now)
        first, steps = rules.parts[0].name, len(rules.parts)
        return f"test of recipe {current.recipe}: show golden part {first!r} (1 of {steps})"

    def present(self, _ledger: Ledger, step: int, _who: str) -> str:
        """The golden part of this step lies there. Raises OperatorError."""
        self._trial = trial = self.check_present(step)
        return f"golden part {trial.parts[step - 1].name!r}: the next part is taken for it"

    def abandon(self, ledger: Ledger, who: str, reason: str) -> str:
        """End the test without going through it. Raises InspectorError."""
        trial = self.check_under_way()
        result = self._end(ledger, trial, f"given up by {who}" + (f": {reason}" if reason else ""))
        return f"test of recipe {trial.recipe}: {result}"

    def hear(self, recorded: Sequence[Outcome], ledger: Ledger) -> None:
        """After each commit: what is recorded now. Raises Damaged."""
        if self._trial is None:
            self._keep_mode()  # somebody may have resumed what has to stand still
            return
        self._trial = self._trial.hear(recorded, self._clock.monotonic_ns())
        with suppress(CannotWrite):  # the next call tries again
            self._go_on(ledger, self._trial)

    def turn(self, ledger: Ledger, now_wall: int) -> None:
        """Once a second: is a test due, overdue, forgotten? Raises Damaged."""
        with suppress(CannotWrite):
            self._recover(ledger)
            if self._trial:
                self._go_on(ledger, self._trial)
            self._schedule.follow(ledger, self._changeover.current.recipe, now_wall)
        self._schedule.look(now_wall, testing=self._trial is not None)
        self._keep_mode()

    def begin_anew(self) -> None:
        """A new ledger has taken the place of a damaged one: a test under way is in the old."""
        if self._trial:
            self._tell(Severity.WARNING, "test_ended", "the test with golden parts is abandoned")
        self._trial = None
        self._schedule.forget()

    @property
    def stops(self) -> str:
        """Why inspection may not be resumed; empty when it may."""
        return self._schedule.stops

    def state(self) -> ChallengeState | None:
        """What the screens show; None where the recipe in force has no golden parts."""
        trial, last, rules = self._trial, self._schedule.last, self._schedule.rules
        if trial is None and rules is None:
            return None
        return ChallengeState(
            steps=trial.steps if trial else _shown(rules, last.steps if last else ()),
            step=trial.step if trial else 0,
            waiting=bool(trial and trial.waiting),
            last_result=last.result if last else "",
            last_wall_ns=last.ended_wall_ns if last else 0,
            due_wall_ns=self._schedule.due,
            overdue=self._schedule.overdue,
        )

    def _rules_now(self, recipe: str) -> Challenge:
        path = self._paths.recipe(recipe)
        rules = load_recipe(path).challenge
        if rules is None:
            raise OperatorError(f"{path}: names no golden parts to test with; add [challenge]")
        return rules

    def _recover(self, ledger: Ledger) -> None:
        """Close what an earlier record, or a begin that failed, has left open."""
        if self._recovered:
            return
        if last := ledger.write(challenges.newest):
            self._before = last.mode_before
        for left in ledger.write(challenges.still_open):
            self._close(ledger, left)
        self._recovered = True
        self._schedule.recall(ledger)

    def _close(self, ledger: Ledger, left: RecordedChallenge) -> None:
        wall = self._clock.wall_ns()
        result = result_of([bool(step.ok) for step in left.steps], len(left.steps) + 1)
        ledger.write(lambda db: challenges.end(db, left.id, result, wall))
        text = f"test of recipe {left.recipe}: {result}, record was started again"
        self._tell(Severity.WARNING, "test_ended", text)

    def _go_on(self, ledger: Ledger, trial: Trial) -> None:
        if why := self._disturbed(trial):
            self._end(ledger, trial, why)
            return
        now = self._clock.monotonic_ns()
        if answer := trial.answer(now):
            step, model = answer
            wall = self._clock.wall_ns()
            ledger.write(lambda db: challenges.add_step(db, self._id, step, model, wall))
            self._trial = trial = trial.note(step, model, now)
        if trial.mixed:
            self._end(ledger, trial, "the model was changed")
        elif trial.done:
            self._end(ledger, trial, "")

    def _disturbed(self, trial: Trial) -> str:
        """Why the test cannot go on, or nothing."""
        current = self._changeover.current
        if current.mode is not Mode.CHALLENGE:
            return f"the mode was changed to {current.mode.value}"
        if current.asked or (current.recipe, current.lot) != (trial.recipe, self._lot):
            return "recipe or lot was changed"
        return "nobody showed a part" if trial.idle(self._clock.monotonic_ns()) else ""

    def _end(self, ledger: Ledger, trial: Trial, why: str) -> str:
        wall, result = self._clock.wall_ns(), trial.result

        def work(db: sqlite3.Connection) -> History:
            challenges.end(db, self._id, result, wall)
            return history(db, trial.recipe)

        known = ledger.write(work)
        self._trial = None
        if trial.recipe == self._schedule.recipe:
            self._schedule.learn(known, failed_again=result == "failed")
        text = f"test of recipe {trial.recipe}: {result}" + (f", {why}" if why else "")
        self._tell(Severity.INFO if result == "passed" else Severity.WARNING, "test_ended", text)
        self._schedule.look(wall, testing=False)
        self._keep_mode()
        return result

    def _keep_mode(self) -> None:
        """Back to the mode before a test, and to a pause where a test is missing."""
        if self._trial or not self._recovered:
            return
        mode = self._changeover.current.mode
        wanted = self._before if mode is Mode.CHALLENGE else mode
        stopped = self._schedule.stops if wanted is Mode.INSPECT else ""
        if stopped:
            wanted = Mode.PAUSED
        if wanted is not mode:
            with suppress(MaintainerError):  # the next turn tries again
                self._changeover.set_mode(wanted)
                if stopped:
                    self._tell(Severity.WARNING, "test_stops", f"{stopped}; parts are rejected")


def _shown(rules: Challenge | None, said: tuple[ChallengeStep, ...]) -> tuple[ChallengeStep, ...]:
    """The last test's steps as far as they are those of the recipe, blank where not."""
    steps = blank(rules.parts if rules else ())
    known = {(step.number, step.part, step.expected): step for step in said}
    return tuple(known.get((step.number, step.part, step.expected), step) for step in steps)
