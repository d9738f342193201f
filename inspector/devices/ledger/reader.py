"""Reading the ledger, from any process.

Promises: sees only committed rows; follows when a new ledger takes the place of a damaged one.
Never: writes, checkpoints, or keeps a transaction open between two calls. One reader per thread.
"""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.core.messages import Event, Kind, Outcome, Severity
from inspector.devices.ledger import rows, schema
from inspector.devices.ledger.opening import GET_META
from inspector.domain.audit import Entry
from inspector.domain.tally import TotalsRow

_TOTALS = f"""SELECT {rows.TOTAL_COLUMNS}
FROM window_total AS total JOIN span ON span.id = total.span_id"""
PENDING = f"{_TOTALS} WHERE total.status = 'pending' ORDER BY total.\"row\" LIMIT ?"
TOTALS = f"""{_TOTALS} WHERE total.revision =
    (SELECT max(revision) FROM window_total WHERE window_total.span_id = total.span_id)
ORDER BY total."row" DESC LIMIT ?"""
TOTALS_FROM = f"""{_TOTALS} WHERE total."row" >= ? ORDER BY total."row" LIMIT ?"""

_PARTS = f"""SELECT {rows.OUTCOME_COLUMNS}, outcome.id, finding.verdict, finding.defect_class,
    finding.who, finding.reason
FROM outcome
JOIN stream ON stream.id = outcome.stream_id
JOIN span ON span.id = outcome.span_id
LEFT JOIN detail ON detail.outcome_id = outcome.id
LEFT JOIN review AS finding ON finding.outcome_id = outcome.id AND finding.revision =
    (SELECT max(revision) FROM review WHERE review.outcome_id = outcome.id)"""
PARTS = f"{_PARTS} WHERE outcome.id < ? ORDER BY outcome.id DESC LIMIT ?"
# Walks the index of parts that did not pass from its end, and joins only what it returns.
PARTS_OF_KINDS = f"""{_PARTS} WHERE outcome.id IN (
    SELECT id FROM outcome INDEXED BY outcome_not_passed
    WHERE kind <> 'pass' AND id < ? AND kind IN (SELECT value FROM json_each(?))
    ORDER BY id DESC LIMIT ?)
ORDER BY outcome.id DESC"""
PART = f"{_PARTS} WHERE stream.uuid = ? AND outcome.seq = ?"

EVENTS = """SELECT service, severity, code, text, wall_ns FROM event
WHERE severity IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?"""
AUDIT = "SELECT id, wall_ns, who, action, detail, previous, hash FROM audit ORDER BY id"

NEWEST = 2**63 - 1


@dataclass(frozen=True)
class RecordedPart:
    """One committed outcome, with its latest review if there is one. `id` orders by commit."""

    id: int
    outcome: Outcome
    finding: Kind | None
    defect_class: str
    reviewed_by: str
    review_reason: str


class LedgerReader:
    """Opens lazily, so that it may be made before there is a ledger."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._inode = -1

    def ledger_id(self) -> str:
        """The ledger's identity, 32 hexadecimal digits. Raises MaintainerError, as all here."""
        return str(self._rows(GET_META, "ledger")[0][0])

    def pending(self, limit: int = 100) -> list[TotalsRow]:
        """Totals rows that are neither delivered nor set aside, in the order of their rows."""
        return self._totals(PENDING, limit)

    def totals(self, limit: int = 100) -> list[TotalsRow]:
        """The latest revisions of windows, newest row first."""
        return self._totals(TOTALS, limit)

    def totals_from(self, row: int, limit: int = 100) -> list[TotalsRow]:
        """All totals rows from `row` on, whatever their status."""
        return self._totals(TOTALS_FROM, row, limit)

    def parts(
        self, limit: int, before_id: int = NEWEST, kinds: Collection[Kind] = tuple(Kind)
    ) -> list[RecordedPart]:
        """Parts committed before `before_id`, newest first. `kinds`: all, or any but PASS."""
        if set(kinds) == set(Kind):
            found = self._rows(PARTS, before_id, limit)
        else:
            found = self._rows(PARTS_OF_KINDS, before_id, rows.to_json(list(kinds)), limit)
        return [_part(row) for row in found]

    def part(self, stream: str, seq: int) -> RecordedPart | None:
        """One part with its heatmap and boxes, or None when it is not recorded."""
        found = self._rows(PART, stream, seq)
        return _part(found[0]) if found else None

    def events(
        self, limit: int = 100, severities: Collection[Severity] = tuple(Severity)
    ) -> list[Event]:
        """Events, newest first."""
        return [
            Event(service=service, severity=Severity(severity), code=code, text=text, wall_ns=wall)
            for service, severity, code, text, wall in self._rows(
                EVENTS, rows.to_json(list(severities)), limit
            )
        ]

    def audit(self) -> list[Entry]:
        """The audit chain from its first entry; `domain.audit.broken_at` tests it."""
        return [Entry(*row) for row in self._rows(AUDIT)]

    def close(self) -> None:
        if self._db:
            self._db.close()
        self._db = None

    def _totals(self, query: str, *values: int) -> list[TotalsRow]:
        ledger = self.ledger_id()
        return [rows.totals_row_of(ledger, row) for row in self._rows(query, *values)]

    def _rows(self, query: str, *values: str | int) -> list[rows.Row]:
        try:
            return self._current().execute(query, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise MaintainerError(f"{self._path}: cannot be read ({error})") from None

    def _current(self) -> sqlite3.Connection:
        """The connection to the file that is there now."""
        try:
            inode = self._path.stat().st_ino
        except OSError as error:
            self.close()
            raise MaintainerError(
                f"{self._path}: cannot be read ({error.strerror}); is record running?"
            ) from None
        if self._db is None or inode != self._inode:
            self.close()
            self._db, self._inode = open_read_only(self._path), inode
        return self._db


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint. Raises sqlite3.Error, and
    MaintainerError when the ledger is of another version of this program."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        version = schema.version_of(connection)
        if version != len(schema.MIGRATIONS):
            raise MaintainerError(
                f"{path}: has ledger version {version}, this program reads "
                f"{len(schema.MIGRATIONS)}; start record of this program first"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _part(row: rows.Row) -> RecordedPart:
    id, finding, defect_class, who, reason = row[25:]
    found = rows.KINDS[finding] if finding else None
    return RecordedPart(
        id, rows.outcome_of(row[:25]), found, defect_class or "", who or "", reason or ""
    )
