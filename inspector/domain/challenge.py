"""The rules of the test with golden parts: known parts are shown to the line, and it must say of
each what is known of it.

Promises: steps come in the order of the recipe. A step's outcome is the first part of the test,
of any camera, that was triggered after somebody ordered "this golden part lies there": a part
triggered before the order is another part, and so is one without the test's lot (the gate had not
yet heard of the test, the part went where parts of the line go), of another recipe, or refused
because the inspection was paused. Of several cameras the earliest trigger counts, so a step waits
until no earlier one can come. A part expected to pass must pass; one expected to fail must get a
verdict other than pass. A fault is no verdict, so the step has failed whatever was expected.
A test has passed when every step has; one failed step makes it failed, however it ends, so that
nobody can wipe a failure away by giving up. Otherwise a test that ends early is abandoned.
Never: reads a clock, takes an outcome for two steps, or lets a step be repeated.

A test is due `every_h` hours after the last that was passed or failed, and at the start of a shift
in which there was none; never before its recipe was in force. A test that lies in the future,
because the clock was set back, counts as none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from inspector.core.clock import SECOND
from inspector.core.errors import OperatorError
from inspector.core.live import ChallengeStep
from inspector.core.messages import Outcome
from inspector.core.recipe import Challenge, GoldenPart
from inspector.core.terms import GOLDEN_LOT, Cause, Kind

LOT = GOLDEN_LOT  # stamped by the gate on every part of a test
GRACE_NS = 15 * 60 * SECOND  # from due to overdue
IDLE_NS = 15 * 60 * SECOND  # a test at which nobody does anything for so long is abandoned
HOUR_NS = 3600 * SECOND
LONGEST_DAY_NS = 26 * HOUR_NS  # with an hour of summer time, and one to spare

Result = Literal["passed", "failed", "abandoned"]
ShiftStart = Callable[[int], int]  # wall ns -> wall ns at which the shift then on began


@dataclass(frozen=True, slots=True)
class Waiting:
    """A golden part lies there. `first`: the part of the line that is it as far as is known."""

    ordered_wall_ns: int
    first: Outcome | None = None
    seen_ns: int = 0  # monotonic; when `first` was there


@dataclass(frozen=True, slots=True)
class Trial:
    """One test under way. `patience_ns`: how long after a part an earlier one may still come;
    0 with one camera, whose parts come in the order of their triggers."""

    recipe: str
    parts: tuple[GoldenPart, ...]
    patience_ns: int
    touched_ns: int  # monotonic; when somebody last did anything
    said: tuple[ChallengeStep, ...] = ()  # the steps that are done
    models: frozenset[str] = frozenset()  # that judged
    waiting: Waiting | None = None

    @property
    def step(self) -> int:
        """The step that is on, from 1; 0 when all are done."""
        return len(self.said) + 1 if not self.done else 0

    @property
    def done(self) -> bool:
        return len(self.said) == len(self.parts)

    @property
    def mixed(self) -> bool:
        """Two models judged: the test is one of neither."""
        return len(self.models) > 1

    @property
    def result(self) -> Result:
        """What the test comes to if it ends now."""
        result = result_of([bool(step.ok) for step in self.said], len(self.parts))
        return "abandoned" if self.mixed and result == "passed" else result

    @property
    def steps(self) -> tuple[ChallengeStep, ...]:
        """All steps, done or not."""
        return self.said + blank(self.parts)[len(self.said) :]

    def present(self, step: int, wall_ns: int, now: int) -> "Trial":
        """The golden part of `step` lies there; said twice, the later time counts. Raises
        OperatorError when another step is on, or its part has come already."""
        if self.done:
            raise OperatorError(f"step {step}: all parts have been shown")
        if step != self.step:
            raise OperatorError(f"step {step}: step {self.step} is on; show its part")
        if self.waiting and self.waiting.first:
            raise OperatorError(f"step {step}: its part has come already; wait for the answer")
        return replace(self, waiting=Waiting(wall_ns), touched_ns=now)

    def hear(self, outcomes: Iterable[Outcome], now: int) -> "Trial":
        """Newly recorded outcomes."""
        waiting = self.waiting
        for outcome in outcomes:
            if waiting and self._belongs(outcome, waiting):
                waiting = replace(waiting, first=outcome, seen_ns=waiting.seen_ns or now)
        return replace(self, waiting=waiting)

    def answer(self, now: int) -> tuple[ChallengeStep, str] | None:
        """What the line said of the step that is on, and the model that did; None as long as that
        is not known for certain."""
        waiting = self.waiting
        if waiting is None or waiting.first is None or now - waiting.seen_ns < self.patience_ns:
            return None
        part, outcome = self.parts[len(self.said)], waiting.first
        step = ChallengeStep(
            number=self.step,
            part=part.name,
            expected=part.expect,
            kind=outcome.kind,
            ok=is_right(part.expect, outcome.kind),
            stream=outcome.stream,
            seq=outcome.seq,
        )
        return step, "" if outcome.kind is Kind.FAULT else outcome.model

    def note(self, step: ChallengeStep, model: str, now: int) -> "Trial":
        """The step's answer is recorded: the next step is on."""
        models = self.models | {model} if model else self.models
        said = (*self.said, step)
        return replace(self, said=said, models=models, waiting=None, touched_ns=now)

    def idle(self, now: int) -> bool:
        return now - self.touched_ns >= IDLE_NS

    def _belongs(self, outcome: Outcome, waiting: Waiting) -> bool:
        """True when the outcome is this step's, or an earlier one than is known."""
        first = waiting.first
        return (
            outcome.lot == LOT
            and outcome.recipe == self.recipe
            and outcome.cause is not Cause.PAUSED
            and outcome.trigger_wall_ns > waiting.ordered_wall_ns
            and (first is None or outcome.trigger_wall_ns < first.trigger_wall_ns)
        )


def is_right(expected: str, kind: Kind) -> bool:
    """True when the line said of a golden part what is known of it. A fault never is."""
    if expected == "pass":
        return kind is Kind.PASS
    return kind in (Kind.FAIL, Kind.REVIEW)


def result_of(said: list[bool], steps: int) -> Result:
    """What a test comes to that ends after these answers (right or not), of so many steps."""
    if not all(said):
        return "failed"
    return "passed" if len(said) == steps else "abandoned"


def blank(parts: Iterable[GoldenPart]) -> tuple[ChallengeStep, ...]:
    """The steps before anything was shown."""
    return tuple(
        ChallengeStep(number=number, part=part.name, expected=part.expect)
        for number, part in enumerate(parts, 1)
    )


def due_at(rules: Challenge, last: int, since: int, now: int, shift_start: ShiftStart) -> int:
    """When the next test is due; 0: never. All wall ns; `last`: the end of the last test of this
    recipe that was passed or failed (0: none); `since`: from when the recipe is in force."""
    last, since = (last if last <= now else 0), min(since, now)
    due = []
    if rules.every_h:
        due.append(last + int(rules.every_h * HOUR_NS) if last else since)
    if rules.at_shift_start:
        begun = shift_start(now)
        due.append(next_shift(now, shift_start) if last >= begun else begun)
    return max(min(due), since) if due else 0


def is_overdue(due: int, now: int) -> bool:
    return due > 0 and now > due + GRACE_NS


def next_shift(now: int, shift_start: ShiftStart) -> int:
    """When the shift after the one of `now` begins: back from a time that surely is later."""
    begins = shift_start(now + LONGEST_DAY_NS)
    while (before := shift_start(begins - 1)) > now:
        begins = before
    return begins
