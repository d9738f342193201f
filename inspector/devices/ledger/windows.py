"""Counting windows that are over, from committed rows.

Promises: a total is counted from the rows of its window as they stand; rows of totals are numbered
without gaps; the newest cumulative counts equal the sum of the latest revisions.
Never: counts a window while outcomes still come to it.
"""

import sqlite3

from inspector.core.clock import SECOND
from inspector.core.terms import Kind
from inspector.devices.ledger import rows, sql
from inspector.devices.ledger.epochs import Epoch, newest
from inspector.domain.tally import TotalsRow, cumulate, is_over, is_stranded, needs_revision, tally

QUIET_S = 1.0  # a window is counted when no outcome has come to it for so long
LATEST = f"SELECT {rows.TOTAL_COLUMNS} {sql.LATEST_OF_SPAN}"
TOTAL = f"SELECT {rows.TOTAL_COLUMNS} {sql.ROW}"


def close_windows(db: sqlite3.Connection, wall_ns: int, grace_s: float) -> list[TotalsRow]:
    """Count windows that are over and have changed, at most 32. Returns the new rows."""
    quiet, epoch = wall_ns - int(QUIET_S * SECOND), newest(db)
    asked = {"quiet": quiet, "now": wall_ns, "epoch": epoch.id}
    due = db.execute(sql.DUE_WINDOWS, asked).fetchall()
    over = [
        span
        for span, start_s, end_s in due
        if is_over(end_s, wall_ns, grace_s) or is_stranded(start_s, wall_ns)
    ]
    counted = [_count(db, epoch, span, wall_ns) for span in over]
    db.executemany(sql.CLEAN_WINDOW, ((span,) for span in over))
    return [row for row in counted if row is not None]


def _count(db: sqlite3.Connection, epoch: Epoch, span: int, wall_ns: int) -> TotalsRow | None:
    latest = _total(db, LATEST, span)
    totals = tally(map(rows.part_of, db.execute(sql.PARTS_OF_SPAN, (span,))))
    before = latest.totals if latest else None
    if not needs_revision(before, totals):
        return None
    found = db.execute(sql.LAST_ROW, (epoch.rows_before,)).fetchone()
    last, *sums = found or (epoch.rows_before, 0, 0, 0, 0)
    cumulative = cumulate(dict(zip(Kind, sums, strict=True)), before, totals)
    revision = latest.revision + 1 if latest else 1
    values = (last + 1, span, revision, wall_ns, *rows.totals_values(totals))
    db.execute(sql.ADD_TOTAL, (*values, *cumulative.values()))
    return _total(db, TOTAL, last + 1)


def _total(db: sqlite3.Connection, query: str, key: int) -> TotalsRow | None:
    row = db.execute(query, (key,)).fetchone()
    return rows.totals_row_of(row) if row else None
