"""Tests with golden parts, as rows: each step as it happened, each end as it was.

Promises: a step is written once and never changed; an ended test stays ended.
Never: judges; the rules are in `domain.challenge`.
"""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from inspector.core.live import ChallengeStep
from inspector.core.terms import Kind, Mode
from inspector.devices.ledger import rows
from inspector.domain.challenge import Result

BEGIN = "INSERT INTO challenge (recipe, model, who, mode_before, begun_ns) VALUES (?, '', ?, ?, ?)"
ADD_STEP = """INSERT INTO challenge_step (challenge_id, number, part, expected, stream, seq, kind,
    ok, wall_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
SET_MODEL = "UPDATE challenge SET model = ? WHERE id = ?"
END = "UPDATE challenge SET result = ?, ended_ns = ? WHERE id = ? AND ended_ns IS NULL"

_TESTS = """SELECT id, recipe, model, who, mode_before, begun_ns, ended_ns, result FROM challenge"""
OPEN = f"{_TESTS} WHERE ended_ns IS NULL ORDER BY id"
NEWEST = f"{_TESTS} ORDER BY id DESC LIMIT 1"
ENDED = f"{_TESTS} WHERE recipe = ? AND ended_ns IS NOT NULL ORDER BY id DESC LIMIT 1"
COUNTED = f"""{_TESTS} WHERE recipe = ? AND result IN ('passed', 'failed')
ORDER BY id DESC LIMIT 1"""
PAGE = f"{_TESTS} WHERE id < ? ORDER BY id DESC LIMIT ?"
STEPS = """SELECT number, part, expected, kind, ok, stream, seq FROM challenge_step
WHERE challenge_id = ? ORDER BY number"""


@dataclass(frozen=True, slots=True)
class RecordedChallenge:
    """One test. `ended_wall_ns` 0 and `result` empty: it is under way."""

    id: int
    recipe: str
    model: str  # that judged last; nothing when none did
    who: str
    mode_before: Mode
    begun_wall_ns: int
    ended_wall_ns: int
    result: Literal["", "passed", "failed", "abandoned"]
    steps: tuple[ChallengeStep, ...]


def begin(db: sqlite3.Connection, recipe: str, who: str, mode_before: Mode, wall_ns: int) -> int:
    """A test begins; its id."""
    return int(db.execute(BEGIN, (recipe, who, mode_before.value, wall_ns)).lastrowid or 0)


def add_step(
    db: sqlite3.Connection, test: int, step: ChallengeStep, model: str, wall_ns: int
) -> None:
    """A step has its answer; `model` gave it, or is nothing for a fault."""
    kind, ok = (step.kind or Kind.FAULT).value, bool(step.ok)
    seen = (step.stream, step.seq, kind, ok, wall_ns)
    db.execute(ADD_STEP, (test, step.number, step.part, step.expected, *seen))
    if model:
        db.execute(SET_MODEL, (model, test))


def end(db: sqlite3.Connection, test: int, result: Result, wall_ns: int) -> None:
    db.execute(END, (result, wall_ns, test))


def still_open(db: sqlite3.Connection) -> list[RecordedChallenge]:
    """Tests that have not ended, oldest first."""
    return [challenge_of(row, steps_of(db, row[0])) for row in db.execute(OPEN).fetchall()]


def newest(db: sqlite3.Connection) -> RecordedChallenge | None:
    """The last test to begin, of whatever recipe."""
    return _one(db, NEWEST)


def last_ended(db: sqlite3.Connection, recipe: str) -> RecordedChallenge | None:
    """The recipe's last test, however it ended."""
    return _one(db, ENDED, recipe)


def last_counted(db: sqlite3.Connection, recipe: str) -> RecordedChallenge | None:
    """The recipe's last test that was passed or failed."""
    return _one(db, COUNTED, recipe)


def steps_of(db: sqlite3.Connection, test: int) -> list[rows.Row]:
    return db.execute(STEPS, (test,)).fetchall()


def challenge_of(row: rows.Row, steps: list[rows.Row]) -> RecordedChallenge:
    """The test in a row of PAGE, with its rows of STEPS."""
    id, recipe, model, who, mode, begun, ended, result = row
    said = tuple(map(_step, steps))
    return RecordedChallenge(id, recipe, model, who, Mode(mode), begun, ended or 0, result, said)


def _one(db: sqlite3.Connection, query: str, *values: str) -> RecordedChallenge | None:
    row = db.execute(query, values).fetchone()
    return challenge_of(row, steps_of(db, row[0])) if row else None


def _step(row: rows.Row) -> ChallengeStep:
    number, part, expected, kind, ok, stream, seq = row
    return ChallengeStep(
        number=number,
        part=part,
        expected=expected,
        kind=Kind(kind),
        ok=bool(ok),
        stream=stream,
        seq=seq,
    )
