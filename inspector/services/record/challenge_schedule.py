"""Whether a test with golden parts is due, overdue or failed for the recipe in force.

Promises: what is due follows from the ledger's tests and the recipe's own words, read again when
its file changes; alarms are raised and ended as that changes; a recipe whose file has become
unreadable keeps the rules that it had.
Never: begins or ends a test, or changes the mode.
"""

import sqlite3
from collections.abc import Callable

from inspector.core.clock import SECOND
from inspector.core.errors import InspectorError
from inspector.core.paths import Paths
from inspector.core.recipe import Challenge, load_recipe
from inspector.core.terms import Severity
from inspector.devices.ledger import Ledger, RecordedChallenge
from inspector.devices.ledger.challenges import last_counted, last_ended
from inspector.domain.challenge import GRACE_NS, ShiftStart, due_at, is_overdue
from inspector.domain.egress.words import rfc3339
from inspector.services.record.alarms import Alarms

FAILED = "challenge_failed"
OVERDUE = "challenge_overdue"
SERVICE = "record"

Tell = Callable[[Severity, str, str], None]


class ChallengeSchedule:
    """Of the recipe in force. `last`: its last test, however that ended."""

    def __init__(self, paths: Paths, alarms: Alarms, shift_start: ShiftStart, tell: Tell) -> None:
        self.recipe = ""
        self.rules: Challenge | None = None
        self.last: RecordedChallenge | None = None
        self.due = 0  # wall ns; 0: never
        self.overdue = False
        self._paths, self._alarms, self._shift_start, self._tell = paths, alarms, shift_start, tell
        self._counted: RecordedChallenge | None = None
        self._since = 0  # wall ns; from when the recipe and its test are in force
        self._file: tuple[str, int] = ("", 0)
        self._raised: dict[str, bool] = {}

    @property
    def failed(self) -> bool:
        """The last test that counts was failed."""
        return bool(self.rules and self._counted and self._counted.result == "failed")

    @property
    def stops(self) -> str:
        """Why nothing may be inspected until a test is passed; empty when it may."""
        if self.rules and self.failed and self.rules.on_failure == "stop":
            return f"recipe {self.recipe}: the test with golden parts was failed; pass one"
        if self.rules and self.overdue and self.rules.on_overdue == "stop":
            return f"recipe {self.recipe}: the test with golden parts is overdue; pass one"
        return ""

    def follow(self, ledger: Ledger, recipe: str, now: int) -> None:
        """The recipe that is in force at wall time `now`. Raises CannotWrite or Damaged."""
        before = self.rules
        if recipe != self.recipe:
            known = ledger.write(lambda db: history(db, recipe))
            self.recipe, self.rules, self._file, before = recipe, None, ("", 0), None
            self.learn(known)
        self._read()
        if self.rules and before is None:
            self._since = self._due_before() or now

    def _due_before(self) -> int:
        """When a test was due that an earlier run found overdue: a restart gives no new grace.
        0 where there was none."""
        if OVERDUE in self._raised:
            return 0
        known = [alarm for alarm in self._alarms.shown() if alarm.code == OVERDUE and alarm.active]
        return known[0].raised_wall_ns - GRACE_NS - 1 if known else 0

    def recall(self, ledger: Ledger) -> None:
        """Learn again what the ledger knows of the recipe's tests."""
        self.learn(ledger.write(lambda db: history(db, self.recipe)))

    def learn(self, known: "History", failed_again: bool = False) -> None:
        """The recipe's last tests; one that was `failed_again` is an alarm of its own."""
        self.last, self._counted = known
        if failed_again:
            self._raised[FAILED] = False

    def forget(self) -> None:
        """A new ledger has begun: it knows of no test."""
        self.recipe = ""

    def look(self, now: int, testing: bool) -> None:
        """Once a second, `now` by the wall: what is due, and who must know. `testing`: a test is
        under way, so none becomes overdue."""
        last = self._counted.ended_wall_ns if self._counted else 0
        rules = self.rules
        self.due = due_at(rules, last, self._since, now, self._shift_start) if rules else 0
        if not testing or not self.due:
            self.overdue = is_overdue(self.due, now)
        self._alarm(FAILED, self.failed, self._failure(), now)
        due = rfc3339(self.due // SECOND)
        self._alarm(OVERDUE, self.overdue, f"recipe {self.recipe}: was due at {due}", now)

    def _alarm(self, code: str, wanted: bool, text: str, now: int) -> None:
        if wanted == self._raised.get(code):
            return
        known = code in self._raised
        self._raised[code] = wanted
        if not wanted:
            self._alarms.end(code, SERVICE, now)
        elif known or not self._alarms.is_active(code, SERVICE):
            self._alarms.raise_(code, SERVICE, Severity.ALARM, text, now)
            self._tell(Severity.WARNING, f"{code.removeprefix('challenge_')}_test", text)

    def _failure(self) -> str:
        steps = self._counted.steps if self._counted else ()
        wrong = [f"{step.part!r} was {_said(step.kind)}" for step in steps if not step.ok]
        return f"recipe {self.recipe}: golden part {', '.join(wrong)}"

    def _read(self) -> None:
        path = self._paths.recipe(self.recipe)
        try:
            file = str(path), path.stat().st_mtime_ns
        except OSError:
            return  # gone: what was known goes on
        if file == self._file:
            return
        self._file = file
        try:
            self.rules = load_recipe(path).challenge
        except InspectorError:
            return


History = tuple[RecordedChallenge | None, RecordedChallenge | None]


def history(db: sqlite3.Connection, recipe: str) -> History:
    """The recipe's last test, and its last that was passed or failed."""
    return last_ended(db, recipe), last_counted(db, recipe)


def _said(kind: object) -> str:
    words = {"pass": "passed", "fail": "failed", "review": "sent to review", "fault": "a fault"}
    return words[str(kind)]
