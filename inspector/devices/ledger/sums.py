"""Sums of the ledger that would be slow to add up anew.

Promises: a sum changes in the very transaction that adds what it counts; both kinds of bytes are
counted from the same moment on, so that they may be compared.
Never: counts a part or a message twice.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from inspector.core.messages import Outcome

READ = """SELECT (SELECT count(*) FROM to_review),
    (SELECT value FROM sum WHERE name = 'pixel_bytes'),
    (SELECT value FROM sum WHERE name = 'departed'),
    (SELECT value FROM sum WHERE name = 'departed_bytes'),
    (SELECT value FROM sum WHERE name = 'committed')"""
ADD = "UPDATE sum SET value = value + ? WHERE name = ?"


@dataclass(frozen=True, slots=True)
class Sums:
    """What stands in the queue for a person, what was looked at, and what left the station."""

    to_review: int = 0  # parts
    pixel_bytes: int = 0  # of all frames that parts were judged by
    departed: int = 0  # messages
    departed_bytes: int = 0  # of their payloads
    committed: int = 0  # outcomes, ever

    def __add__(self, more: "Sums") -> "Sums":
        return Sums(
            self.to_review + more.to_review,
            self.pixel_bytes + more.pixel_bytes,
            self.departed + more.departed,
            self.departed_bytes + more.departed_bytes,
            self.committed + more.committed,
        )


def read_sums(db: sqlite3.Connection) -> Sums:
    """All sums as committed."""
    return Sums(*db.execute(READ).fetchone())


def add_to_sums(db: sqlite3.Connection, grown: Sums) -> None:
    """Within a transaction; the queue is counted from its own rows."""
    for name in ("pixel_bytes", "departed", "departed_bytes", "committed"):
        if by := getattr(grown, name):
            db.execute(ADD, (by, name))


def pixel_bytes(outcomes: Iterable[Outcome]) -> int:
    """Bytes of the frames that these outcomes had."""
    return sum(outcome.frame.format.nbytes for outcome in outcomes if outcome.frame)
