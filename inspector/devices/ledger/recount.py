"""Counting once more what was counted: do the totals say what the outcomes say?

Promises: every window that is closed is compared, by kind, with its rows, in one look at the
ledger; windows whose parts have begun to go by age cannot be compared and are left out.
Never: writes, or compares a window that outcomes still come to.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.devices.ledger.reading import open_read_only

KINDS = ("passed", "failed", "review", "fault")
COUNTED = """
SELECT span.id, span.start_s, span.recipe, span.lot,
    total.passed, total.failed, total.review, total.fault
FROM span JOIN window_total AS total ON total.span_id = span.id AND total.revision =
    (SELECT max(revision) FROM window_total WHERE span_id = span.id)
WHERE span.start_s >= ? AND NOT span.thinned
    AND NOT EXISTS (SELECT 1 FROM dirty_window WHERE span_id = span.id)
"""
# What a person has found of a part counts; where that was withdrawn, what the line said.
RECORDED = """
SELECT coalesce(sum(kind = 'pass'), 0), coalesce(sum(kind = 'fail'), 0),
    coalesce(sum(kind = 'review'), 0), coalesce(sum(kind = 'fault'), 0)
FROM (SELECT coalesce(finding.verdict, outcome.kind) AS kind
    FROM outcome LEFT JOIN finding ON finding.outcome_id = outcome.id WHERE outcome.span_id = ?)
"""


@dataclass(frozen=True)
class Recount:
    """What was compared, and the windows that do not agree."""

    windows: int
    parts: int
    wrong: tuple[str, ...]


def recount(path: Path, since_s: int) -> Recount:
    """All closed windows that began at `since_s` or later (seconds since 1970). Raises
    MaintainerError when the ledger cannot be read."""
    try:
        with closing(open_read_only(path)) as db:
            db.execute("BEGIN")  # one look: nothing is counted while it lasts
            return _compared(db, since_s)
    except sqlite3.Error as error:
        raise MaintainerError(f"{path}: cannot be read ({error})") from None


def _compared(db: sqlite3.Connection, since_s: int) -> Recount:
    windows, parts, wrong = 0, 0, []
    for span, start_s, recipe, lot, *told in db.execute(COUNTED, (since_s,)).fetchall():
        found = list(db.execute(RECORDED, (span,)).fetchone())
        windows, parts = windows + 1, parts + sum(found)
        if told != found:
            wrong.append(_difference(f"{start_s} {recipe} {lot}".strip(), told, found))
    return Recount(windows, parts, tuple(wrong))


def _difference(window: str, told: list[int], found: list[int]) -> str:
    pairs = zip(KINDS, told, found, strict=True)
    return f"window {window}: " + ", ".join(
        f"{kind} {one} counted, {other} recorded" for kind, one, other in pairs if one != other
    )
