"""The scores that a model gave to parts: its first ones and its newest.

Promises: only parts that passed or failed, and no golden ones; oldest first.
Never: reads more than it is asked for.
"""

import sqlite3

from inspector.domain.challenge import LOT

# CROSS JOIN keeps the order: the model's windows by time, then only their parts, until there are
# enough; a model that has judged for a year has too many to sort.
FIRST = """SELECT outcome.score FROM span CROSS JOIN outcome
    INDEXED BY outcome_by_span ON outcome.span_id = span.id
WHERE span.model = ? AND span.lot <> ?
    AND outcome.kind IN ('pass', 'fail') AND outcome.score IS NOT NULL
ORDER BY span.start_s, outcome.id LIMIT ?"""
# Walks the outcomes from the newest, most of which are this model's.
NEWEST = """SELECT score FROM outcome JOIN span ON span.id = outcome.span_id
WHERE model = ? AND lot <> ? AND kind IN ('pass', 'fail') AND score IS NOT NULL
    AND outcome.id > (SELECT coalesce(max(id), 0) FROM outcome) - ?
ORDER BY outcome.id DESC LIMIT ?"""
LOOK_BACK = 20  # times the scores wanted


def scores_of(db: sqlite3.Connection, model: str, most: int) -> tuple[list[float], list[float]]:
    """The first and the newest scores of a model, at most so many of each."""
    first = [score for (score,) in db.execute(FIRST, (model, LOT, most))]
    newest = [
        score for (score,) in db.execute(NEWEST, (model, LOT, LOOK_BACK * most, most)).fetchall()
    ]
    return first, newest[::-1]
