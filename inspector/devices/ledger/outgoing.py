"""Reading what is to leave the station, and how far that has got: for publish.

Promises: totals rows and notices come oldest first, those of an earlier identity of the ledger
before all of the next; a question that is asked many times a second
is answered through an index.
Never: decides what leaves next.
"""

from collections.abc import Collection

from inspector.core.errors import MaintainerError
from inspector.devices.ledger import departures, epochs, notices, rows
from inspector.devices.ledger.epochs import Epoch
from inspector.devices.ledger.reading import Reading
from inspector.domain.notice import Notice
from inspector.domain.tally import TotalsRow

TOTALS = f"""SELECT {rows.TOTAL_COLUMNS}
FROM window_total AS total JOIN span ON span.id = total.span_id"""
_TOTALS_BY = f"""SELECT {rows.TOTAL_COLUMNS} FROM window_total AS total
    INDEXED BY %s CROSS JOIN span ON span.id = total.span_id"""
PENDING = f"""{_TOTALS_BY % "window_total_pending"}
WHERE total.status = 'pending' AND total."row" > ? AND total."row" <= ?
ORDER BY total."row" LIMIT ?"""
UNSENT = f"""{_TOTALS_BY % "window_total_unsent"}
WHERE total.status = 'pending' AND total.sent_ns IS NULL AND total."row" > ?
    AND total."row" <= ?
ORDER BY total."row" LIMIT ?"""
TOTALS_FROM = f"""{TOTALS} WHERE total."row" >= ? AND total."row" <= ?
ORDER BY total."row" LIMIT ?"""
LAST_ROW = 'SELECT max("row") FROM window_total WHERE "row" <= ?'
COUNT_PENDING = """SELECT count(*) FROM window_total INDEXED BY window_total_pending
WHERE status = 'pending'"""
SENT_THROUGH = """SELECT max("row") FROM window_total INDEXED BY window_total_sent
WHERE sent_ns IS NOT NULL AND "row" <= ?"""
LANE = "SELECT through FROM lane WHERE name = ?"


class OutgoingReader(Reading):
    """Totals rows, notices and lanes, each of the identity whose turn it is to be delivered. All
    raise MaintainerError when the ledger cannot be read."""

    def ledger_id(self) -> str:
        """The identity whose totals' turn it is, 32 hexadecimal digits: that of what is counted
        now, or an earlier one that has something to deliver."""
        return self._epoch().ledger

    def restores(self) -> int:
        """A number that is higher after each restore from a backup."""
        return self._number(epochs.COUNT)

    def notices_ledger_id(self) -> str:
        """The same for notices."""
        return self._epoch("events").ledger

    def renumbered(self) -> bool:
        """True when rows of this identity may have left that this ledger does not have: it was
        restored from a backup since."""
        return not self._epoch().newest

    def pending(self, limit: int = 100) -> list[TotalsRow]:
        """Totals rows that are neither delivered nor set aside, sent ones among them, oldest
        first."""
        epoch = self._epoch()
        return self._totals(PENDING, epoch.rows_before, epoch.rows_through, limit)

    def unsent(self, limit: int = 100, after_row: int = 0) -> list[TotalsRow]:
        """Pending totals rows beyond `after_row` that the broker has never had, oldest first."""
        epoch = self._epoch()
        after = epoch.rows_before + after_row
        return self._totals(UNSENT, after, epoch.rows_through, limit)

    def totals_from(self, row: int, limit: int = 100) -> list[TotalsRow]:
        """All totals rows from `row` on, whatever their status."""
        epoch = self._epoch()
        first = epoch.rows_before + max(1, row)
        return self._totals(TOTALS_FROM, first, epoch.rows_through, limit)

    def rows_after(self, row: int, limit: int = 100) -> list[TotalsRow]:
        """All totals rows beyond `row`, whatever their status, oldest first."""
        return self.totals_from(row + 1, limit)

    def last_row(self) -> int:
        """The newest totals row; 0 where there is none."""
        return self._last(LAST_ROW)

    def pending_count(self) -> int:
        """How many totals rows are neither delivered nor set aside."""
        return self._number(COUNT_PENDING)

    def sent_through(self) -> int:
        """The highest totals row that was ever sent; 0 where none was."""
        return self._last(SENT_THROUGH)

    def notices(self, limit: int = 100) -> list[Notice]:
        """Notices that are neither delivered nor set aside, oldest first."""
        epoch = self._epoch("events")
        bounds = (epoch.notices_before, epoch.notices_through)
        found = self._rows(notices.PENDING, *bounds, limit)
        return [notices.notice_of(epoch, row) for row in found]

    def notices_pending(self) -> int:
        """How many notices are neither delivered nor set aside."""
        return self._number(notices.COUNT_PENDING)

    def lane(self, name: str) -> int:
        """The totals row up to which a lane without acknowledgements has got; 0 at first."""
        return self._number(LANE, self._epoch().lane_name(name))

    def logged(self, walls: Collection[int]) -> set[int]:
        """Which of these times are those of messages that are logged as about to leave."""
        found = self._rows(departures.LOGGED, departures.logged_values(walls))
        return {wall for (wall,) in found}

    def _totals(self, query: str, *values: int) -> list[TotalsRow]:
        return [rows.totals_row_of(row) for row in self._rows(query, *values)]

    def _last(self, query: str) -> int:
        """The highest row that `query` finds in this identity, as it leaves; 0 where none is."""
        epoch = self._epoch()
        return max(0, self._number(query, epoch.rows_through) - epoch.rows_before)

    def _epoch(self, lane: str = "totals") -> Epoch:
        found = self._rows(epochs.TO_DELIVER[lane])
        if not found:
            raise MaintainerError(f"{self._path}: has just been begun; try again")
        return Epoch(*found[0])
