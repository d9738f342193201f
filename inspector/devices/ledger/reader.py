"""Reading the ledger, from any process.

Promises: sees only committed rows; follows when a new ledger takes the place of a damaged one.
Never: writes, checkpoints, or keeps a transaction open between two calls. One reader per thread.
"""

from collections.abc import Collection
from dataclasses import dataclass

from inspector.core.clock import SECOND
from inspector.core.messages import Event, Outcome
from inspector.core.metrics import Sample
from inspector.core.terms import Kind, Severity
from inspector.devices.ledger import challenges, departures, rows
from inspector.devices.ledger.challenges import RecordedChallenge, challenge_of
from inspector.devices.ledger.departures import Departure
from inspector.devices.ledger.metrics import SINCE, sample_of
from inspector.devices.ledger.outgoing import TOTALS, OutgoingReader
from inspector.devices.ledger.sums import READ, Sums
from inspector.domain.audit import Entry
from inspector.domain.tally import TotalsRow

NEWEST_TOTALS = f"""{TOTALS} WHERE total.revision =
    (SELECT max(revision) FROM window_total WHERE window_total.span_id = total.span_id)
ORDER BY total."row" DESC LIMIT ?"""
_PARTS = f"""SELECT {rows.OUTCOME_COLUMNS}, outcome.id, finding.verdict, finding.defect_class,
    finding.who, finding.reason
FROM outcome
JOIN stream ON stream.id = outcome.stream_id
JOIN span ON span.id = outcome.span_id
LEFT JOIN detail ON detail.outcome_id = outcome.id
LEFT JOIN finding ON finding.outcome_id = outcome.id"""
PARTS = f"{_PARTS} WHERE outcome.id < ? ORDER BY outcome.id DESC LIMIT ?"
# Walks the table, or the index of parts that did not pass, from its end, and joins only what it
# returns.
_CHOSEN = f"""{_PARTS} WHERE outcome.id IN (
    SELECT id FROM outcome %s AND id < ? AND id >= ?
    AND trigger_wall_ns >= ? AND trigger_wall_ns < ?
    AND kind IN (SELECT value FROM json_each(?))
    ORDER BY id DESC LIMIT ?)
ORDER BY outcome.id DESC"""
CHOSEN = _CHOSEN % "NOT INDEXED WHERE true"
CHOSEN_NOT_PASSED = _CHOSEN % "INDEXED BY outcome_not_passed WHERE kind <> 'pass'"
# No window is longer than a day, so one that began earlier ends before the first second asked for.
FIRST_AND_LAST = """SELECT min(id), max(id) FROM outcome
WHERE span_id IN (SELECT id FROM span WHERE start_s >= ? AND start_s <= ?)"""
PART = f"{_PARTS} WHERE stream.uuid = ? AND outcome.seq = ?"

QUEUE = f"""{_PARTS} WHERE outcome.id IN (
    SELECT outcome_id FROM to_review WHERE outcome_id < ? ORDER BY outcome_id DESC LIMIT ?)
ORDER BY outcome.id DESC"""
# From class to class through the index; a class all of whose findings were withdrawn is none.
CLASSES = """WITH RECURSIVE class (name) AS (
    SELECT min(defect_class) FROM review WHERE verdict = 'fail' AND defect_class > ''
    UNION ALL
    SELECT (SELECT min(defect_class) FROM review WHERE verdict = 'fail' AND defect_class > name)
    FROM class WHERE name IS NOT NULL)
SELECT name FROM class WHERE EXISTS (SELECT 1 FROM review INDEXED BY review_by_class
    WHERE verdict = 'fail' AND defect_class = name AND NOT EXISTS (SELECT 1 FROM review AS later
        WHERE later.outcome_id = review.outcome_id AND later.revision > review.revision))"""

EVENTS = """SELECT service, severity, code, text, wall_ns FROM event
WHERE severity IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?"""
LAST_EVENT = """SELECT service, severity, code, text, wall_ns FROM event
INDEXED BY event_by_code WHERE code = ? ORDER BY id DESC LIMIT 1"""
AUDIT = "SELECT id, wall_ns, who, action, detail, previous, hash FROM audit ORDER BY id"

NEWEST = 2**63 - 1
LONGEST_WINDOW_S = 86_400


@dataclass(frozen=True)
class RecordedPart:
    """One committed outcome, with the finding that stands, if any. `id` orders by commit."""

    id: int
    outcome: Outcome
    finding: Kind | None
    defect_class: str
    reviewed_by: str
    review_reason: str


class LedgerReader(OutgoingReader):
    """Opens lazily, so that it may be made before there is a ledger."""

    def sums(self) -> Sums:
        """The queue's length and the sums that the writer keeps, as committed."""
        return Sums(*self._rows(READ)[0])

    def totals(self, limit: int = 100) -> list[TotalsRow]:
        """The latest revisions of windows, newest row first."""
        return self._totals(NEWEST_TOTALS, limit)

    def parts(
        self,
        limit: int,
        before_id: int = NEWEST,
        kinds: Collection[Kind] = tuple(Kind),
        between: tuple[int, int] | None = None,
    ) -> list[RecordedPart]:
        """Parts committed before `before_id`, newest first; `between`: triggered from the first
        up to before the second wall time, in nanoseconds."""
        if between is None and set(kinds) == set(Kind):
            return [_part(row) for row in self._rows(PARTS, before_id, limit)]
        last, first = before_id, 0
        if between:
            first, last = self._first_and_last(between, before_id)
        query = CHOSEN if Kind.PASS in kinds else CHOSEN_NOT_PASSED
        start, end = between or (-NEWEST, NEWEST)
        found = self._rows(query, last, first, start, end, rows.to_json(list(kinds)), limit)
        return [_part(row) for row in found]

    def part(self, stream: str, seq: int) -> RecordedPart | None:
        """One part with its heatmap and boxes, or None when it is not recorded."""
        found = self._rows(PART, stream, seq)
        return _part(found[0]) if found else None

    def to_review(self, limit: int, before_id: int = NEWEST) -> list[RecordedPart]:
        """Parts that a person has yet to look at, newest first; `sums` has how many in all."""
        return [_part(row) for row in self._rows(QUEUE, before_id, limit)]

    def classes(self) -> list[str]:
        """The classes of defects that people have found so far, sorted."""
        return [name for (name,) in self._rows(CLASSES)]

    def departures(self, limit: int, before_id: int = NEWEST) -> list[Departure]:
        """What has left the station, word for word, newest first; `sums` has all in all."""
        return [Departure(*row) for row in self._rows(departures.PAGE, before_id, limit)]

    def metrics(self, since_wall_ns: int = 0) -> list[Sample]:
        """The station in figures, a sample a second, oldest first: at most the last ten minutes
        that record was there."""
        found = [sample_of(data) for (data,) in self._rows(SINCE, since_wall_ns)]
        return [one for one in found if one is not None]

    def challenges(self, limit: int, before_id: int = NEWEST) -> list[RecordedChallenge]:
        """Tests with golden parts, newest first."""
        found = self._rows(challenges.PAGE, before_id, limit)
        return [challenge_of(row, self._rows(challenges.STEPS, row[0])) for row in found]

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

    def last_event(self, code: str) -> Event | None:
        """The newest event of this code."""
        for service, severity, found, text, wall in self._rows(LAST_EVENT, code):
            severity = Severity(severity)
            return Event(service=service, severity=severity, code=found, text=text, wall_ns=wall)
        return None

    def audit(self) -> list[Entry]:
        """The audit chain from its first entry; `domain.audit.broken_at` tests it."""
        return [Entry(*row) for row in self._rows(AUDIT)]

    def _first_and_last(self, between: tuple[int, int], before_id: int) -> tuple[int, int]:
        """Bounds of the ids of parts triggered in this time: the first, and one past the last."""
        start_s, end_s = between[0] // SECOND, between[1] // SECOND
        ((first, last),) = self._rows(FIRST_AND_LAST, start_s - LONGEST_WINDOW_S, end_s)
        return first or 0, min(before_id, (last or 0) + 1)


def _part(row: rows.Row) -> RecordedPart:
    id, finding, defect_class, who, reason = row[25:]
    found = rows.KINDS[finding] if finding else None
    return RecordedPart(
        id, rows.outcome_of(row[:25]), found, defect_class or "", who or "", reason or ""
    )
