"""The ledger that gives way to a copy of an earlier moment: what of it may have left the station?

Promises: a window counts as not sent only where the ledger itself is to count it, and shows no
word of it that may have left, whatever came of that word.
Never: writes.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from inspector.devices.ledger.reading import open_stopped

Window = tuple[int, int, str, str, str]  # start, end, recipe, lot, model
ALL = 2**62  # parts

# A row that was sent, is logged as about to leave, or that sparkplug has passed.
_LEFT = """(total.status <> 'pending' OR total.sent_ns IS NOT NULL
    OR total."row" - epoch.rows_before <=
        coalesce((SELECT through FROM lane WHERE name = 'sparkplug'), 0)
    OR EXISTS (SELECT 1 FROM departure WHERE topic LIKE '%/totals' AND json_valid(payload)
        AND payload ->> '$.stream' = epoch.ledger
        AND payload ->> '$.seq' = total."row" - epoch.rows_before))"""
_NEWEST = "epoch.id = (SELECT max(id) FROM epoch)"
SENT = f"""SELECT CASE WHEN NOT ({_NEWEST}) OR span.thinned THEN {ALL} ELSE
    coalesce((SELECT total.triggers FROM window_total AS total
        WHERE total.span_id = span.id AND total."row" > :rows AND {_LEFT}
        ORDER BY total.revision DESC LIMIT 1), 0) END
FROM span JOIN epoch ON epoch.id = span.epoch
WHERE start_s = :start AND end_s = :end AND recipe = :recipe AND lot = :lot AND model = :model
    AND EXISTS (SELECT 1 FROM epoch AS known WHERE known.ledger = :ledger)"""
ROWS_LEFT = f"""SELECT 1 FROM window_total AS total JOIN epoch ON {_NEWEST}
WHERE total."row" > ? AND {_LEFT} LIMIT 1"""
NOTICES_LEFT = """SELECT 1 FROM notice
WHERE id > ? AND (status <> 'pending' OR sent_ns IS NOT NULL) LIMIT 1"""


@dataclass(frozen=True)
class Lost:
    """Open for as long as it is asked. All raise sqlite3.Error."""

    db: sqlite3.Connection

    def sent(self, window: Window, ledger: str, rows: int) -> int | None:
        """How many parts of a window of the identity `ledger` it may have told of in rows beyond
        `rows`; ALL when the window was not, or not any more, its own to count. None when it knows
        nothing of it."""
        asked = dict(zip(("start", "end", "recipe", "lot", "model"), window, strict=True))
        found = self.db.execute(SENT, {**asked, "ledger": ledger, "rows": rows}).fetchone()
        return int(found[0]) if found else None

    def has_sent(self, rows: int, notices: int) -> bool:
        """True when a row or a notice beyond these may have left."""
        asked = ((ROWS_LEFT, rows), (NOTICES_LEFT, notices))
        return any(self.db.execute(query, (last,)).fetchone() for query, last in asked)


@contextmanager
def lost_ledger(path: Path) -> Iterator[Lost]:
    """The ledger at `path`, which nobody writes. Raises sqlite3.Error."""
    with closing(open_stopped(path)) as db:
        yield Lost(db)
