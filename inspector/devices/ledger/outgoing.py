"""Reading what is to leave the station, and how far that has got: for publish.

Promises: totals rows and notices come oldest first; a question that is asked many times a second
is answered through an index.
Never: decides what leaves next.
"""

from collections.abc import Collection

from inspector.devices.ledger import departures, notices, rows
from inspector.devices.ledger.reading import Reading
from inspector.domain.notice import Notice
from inspector.domain.tally import TotalsRow

TOTALS = f"""SELECT {rows.TOTAL_COLUMNS}
FROM window_total AS total JOIN span ON span.id = total.span_id"""
_TOTALS_BY = f"""SELECT {rows.TOTAL_COLUMNS} FROM window_total AS total
    INDEXED BY %s CROSS JOIN span ON span.id = total.span_id"""
PENDING = f"""{_TOTALS_BY % "window_total_pending"}
WHERE total.status = 'pending' ORDER BY total."row" LIMIT ?"""
UNSENT = f"""{_TOTALS_BY % "window_total_unsent"}
WHERE total.status = 'pending' AND total.sent_ns IS NULL AND total."row" > ?
ORDER BY total."row" LIMIT ?"""
TOTALS_FROM = f"""{TOTALS} WHERE total."row" >= ? ORDER BY total."row" LIMIT ?"""
LAST_ROW = 'SELECT max("row") FROM window_total'
COUNT_PENDING = """SELECT count(*) FROM window_total INDEXED BY window_total_pending
WHERE status = 'pending'"""
SENT_THROUGH = """SELECT max("row") FROM window_total INDEXED BY window_total_sent
WHERE sent_ns IS NOT NULL"""
LANE = "SELECT through FROM lane WHERE name = ?"


class OutgoingReader(Reading):
    """Totals rows, notices and lanes. All raise MaintainerError when the ledger cannot be read."""

    def pending(self, limit: int = 100) -> list[TotalsRow]:
        """Totals rows that are neither delivered nor set aside, sent ones among them, oldest
        first."""
        return self._totals(PENDING, limit)

    def unsent(self, limit: int = 100, after_row: int = 0) -> list[TotalsRow]:
        """Pending totals rows beyond `after_row` that the broker has never had, oldest first."""
        return self._totals(UNSENT, after_row, limit)

    def totals_from(self, row: int, limit: int = 100) -> list[TotalsRow]:
        """All totals rows from `row` on, whatever their status."""
        return self._totals(TOTALS_FROM, row, limit)

    def rows_after(self, row: int, limit: int = 100) -> list[TotalsRow]:
        """All totals rows beyond `row`, whatever their status, oldest first."""
        return self.totals_from(row + 1, limit)

    def last_row(self) -> int:
        """The newest totals row; 0 where there is none."""
        return self._number(LAST_ROW)

    def pending_count(self) -> int:
        """How many totals rows are neither delivered nor set aside."""
        return self._number(COUNT_PENDING)

    def sent_through(self) -> int:
        """The highest totals row that was ever sent; 0 where none was."""
        return self._number(SENT_THROUGH)

    def notices(self, limit: int = 100) -> list[Notice]:
        """Notices that are neither delivered nor set aside, oldest first."""
        ledger = self.ledger_id()
        return [notices.notice_of(ledger, row) for row in self._rows(notices.PENDING, limit)]

    def notices_pending(self) -> int:
        """How many notices are neither delivered nor set aside."""
        return self._number(notices.COUNT_PENDING)

    def lane(self, name: str) -> int:
        """The totals row up to which a lane without acknowledgements has got; 0 at first."""
        return self._number(LANE, name)

    def logged(self, walls: Collection[int]) -> set[int]:
        """Which of these times are those of messages that are logged as about to leave."""
        found = self._rows(departures.LOGGED, departures.logged_values(walls))
        return {wall for (wall,) in found}

    def _totals(self, query: str, *values: int) -> list[TotalsRow]:
        ledger = self.ledger_id()
        return [rows.totals_row_of(ledger, row) for row in self._rows(query, *values)]
