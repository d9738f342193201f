"""The whole story of one part, as the ledger tells it: what was decided, found, counted, sent.

Promises: everything that the ledger holds about the part, each with its time; a name that several
runs of a camera have used means the newest, and the others are named.
Never: guesses: what is not in the ledger is not in the story.
"""

from dataclasses import dataclass

from inspector.core.clock import SECOND
from inspector.core.messages import Event
from inspector.core.terms import Severity
from inspector.devices.ledger import rows
from inspector.devices.ledger.departures import Departure
from inspector.devices.ledger.reader import LedgerReader, RecordedPart
from inspector.domain.tally import TotalsRow

AROUND_NS = 10 * SECOND
SLACK_NS = 3600 * SECOND  # of publish's clock against record's

# Through the index of each run's parts, and not through all parts from the newest.
NAMED = """SELECT stream.uuid, outcome.seq FROM stream
CROSS JOIN outcome ON outcome.stream_id = stream.id AND outcome.seq = ?
WHERE stream.camera = ? OR stream.uuid = ? OR length(?) >= 4 AND stream.uuid GLOB ?
ORDER BY outcome.id DESC LIMIT 20"""
FINDINGS = """SELECT review.revision, review.wall_ns, review.verdict, review.defect_class,
    review.who, review.reason
FROM review WHERE outcome_id = ? ORDER BY revision"""
GOLDEN = """SELECT challenge_id, part, expected, ok FROM challenge_step
WHERE stream = ? AND seq = ? ORDER BY challenge_id"""
SPAN = """SELECT span.id, span.start_s, span.end_s,
    NOT thinned AND epoch = (SELECT max(id) FROM epoch)
        AND EXISTS (SELECT 1 FROM dirty_window WHERE span_id = span.id)
FROM outcome JOIN span ON span.id = outcome.span_id WHERE outcome.id = ?"""
COUNTED = f"""SELECT {rows.TOTAL_COLUMNS}, total.counted_ns, total.sent_ns, total.status_ns,
    total.status_detail
FROM window_total AS total JOIN span ON span.id = total.span_id
WHERE total.span_id = ? ORDER BY total.revision"""
SENT = """SELECT id, wall_ns, topic, payload, coalesce(bytes, length(CAST(payload AS BLOB)))
FROM departure INDEXED BY departure_by_time
WHERE wall_ns >= ? AND topic LIKE '%/totals' AND json_valid(payload)
    AND payload ->> '$.stream' = ? AND payload ->> '$.seq' = ?
ORDER BY wall_ns LIMIT 20"""
AROUND = """SELECT service, severity, code, text, wall_ns FROM event
WHERE wall_ns >= ? AND wall_ns <= ? ORDER BY wall_ns LIMIT 20"""
STOOD = """SELECT service, severity, code, text, raised_ns FROM alarm
WHERE raised_ns <= ? AND (ended_ns IS NULL OR ended_ns >= ?) ORDER BY raised_ns LIMIT 20"""


@dataclass(frozen=True)
class Finding:
    """What a person found of the part; `verdict`: pass, fail, or withdrawn."""

    revision: int
    wall_ns: int
    verdict: str
    defect_class: str
    who: str
    reason: str


@dataclass(frozen=True)
class Golden:
    """The part was shown as a golden one."""

    challenge: int
    part: str
    expected: str
    ok: bool


@dataclass(frozen=True)
class Counted:
    """One revision of the part's window, and the messages that it went into."""

    row: TotalsRow
    counted_ns: int
    sent_ns: int | None
    status_ns: int | None
    detail: str
    messages: tuple[Departure, ...]


@dataclass(frozen=True)
class Story:
    """All of it. `others`: (stream, seq) of parts of the same name, newest first."""

    part: RecordedPart
    others: tuple[tuple[str, int], ...]
    findings: tuple[Finding, ...]
    golden: tuple[Golden, ...]
    window: tuple[int, int]  # seconds, end exclusive
    open: bool  # the window will be counted, or counted anew
    counted: tuple[Counted, ...]
    around: tuple[Event, ...]
    alarms: tuple[Event, ...]  # that stood when the part came


class StoryReader(LedgerReader):
    """All raise MaintainerError when the ledger cannot be read."""

    def named(self, who: str, seq: int) -> list[tuple[str, int]]:
        """(stream, seq) of the parts of this number, newest first; `who`: a camera, a stream, or
        at least the first four digits of one."""
        glob = f"{who}*" if who.isalnum() else ""
        return [(uuid, seq) for uuid, seq in self._rows(NAMED, seq, who, who, who, glob)]

    def story(self, part: RecordedPart, others: tuple[tuple[str, int], ...] = ()) -> Story:
        """Of a part that was read before."""
        outcome = part.outcome
        at = outcome.trigger_wall_ns
        ((span, start_s, end_s, dirty),) = self._rows(SPAN, part.id)
        counted = tuple(self._counted(row) for row in self._rows(COUNTED, span))
        golden = self._rows(GOLDEN, outcome.stream, outcome.seq)
        return Story(
            part=part,
            others=others,
            findings=tuple(Finding(*row) for row in self._rows(FINDINGS, part.id)),
            golden=tuple(Golden(number, name, said, bool(ok)) for number, name, said, ok in golden),
            window=(start_s, end_s),
            open=bool(dirty),
            counted=counted,
            around=self._events(AROUND, at - AROUND_NS, at + AROUND_NS),
            alarms=self._events(STOOD, at, at),
        )

    def _counted(self, found: rows.Row) -> Counted:
        counted_ns, sent_ns, status_ns, detail = found[-4:]
        row = rows.totals_row_of(found[:-4])
        sent = self._rows(SENT, counted_ns - SLACK_NS, row.ledger, row.row)
        messages = tuple(Departure(*one) for one in sent)
        return Counted(row, counted_ns, sent_ns, status_ns, detail, messages)

    def _events(self, query: str, first_ns: int, last_ns: int) -> tuple[Event, ...]:
        return tuple(
            Event(service=service, severity=Severity(severity), code=code, text=text, wall_ns=wall)
            for service, severity, code, text, wall in self._rows(query, first_ns, last_ns)
        )
