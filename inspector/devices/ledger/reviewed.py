"""The parts on which people have given a finding, for teaching from their pictures.

Promises: of each part the latest finding, unless it was taken back; golden parts of a challenge
are none of them.
Never: writes.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.core.terms import Kind
from inspector.devices.ledger.reading import open_read_only
from inspector.domain.challenge import LOT

# CROSS JOIN keeps the order: from the findings, which are few beside the parts.
REVIEWED = """SELECT
    stream.uuid, outcome.seq, outcome.kind, outcome.trigger_wall_ns, finding.verdict
FROM finding
CROSS JOIN outcome ON outcome.id = finding.outcome_id
CROSS JOIN span ON span.id = outcome.span_id
CROSS JOIN stream ON stream.id = outcome.stream_id
WHERE span.recipe = ? AND span.lot <> ? ORDER BY outcome.id"""


@dataclass(frozen=True)
class Reviewed:
    """A part, what the line made of it, and whether a person says that it is good."""

    stream: str
    seq: int
    kind: Kind
    trigger_wall_ns: int
    good: bool


def reviewed(ledger: Path, recipe: str) -> list[Reviewed]:
    """All reviewed parts of a recipe, oldest first. Raises MaintainerError."""
    if not ledger.exists():
        raise MaintainerError(f"{ledger}: cannot be read (no such file); is record running?")
    try:
        with closing(open_read_only(ledger)) as database:
            found = database.execute(REVIEWED, (recipe, LOT)).fetchall()
    except sqlite3.Error as error:
        raise MaintainerError(f"{ledger}: cannot be read ({error})") from None
    return [
        Reviewed(stream, seq, Kind(kind), wall_ns, verdict == Kind.PASS.value)
        for stream, seq, kind, wall_ns, verdict in found
    ]
