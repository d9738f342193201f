"""What the ledger says of a span of time: yields, causes, classes, scores and latencies.

Promises: counts come from totals rows alone, so from committed outcomes, with every review taken
in; parts of a challenge and parts of a pause are in none of them; one call sees one moment of the
ledger. The parts behind a point are those that the point counted.
Never: writes, or walks the outcomes of a whole span: scores are read newest first up to a limit,
through the index by span.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.core.terms import Cause, Kind
from inspector.devices.ledger import rows, sql
from inspector.devices.ledger.counts import lot_begin
from inspector.devices.ledger.reading import open_read_only
from inspector.domain.challenge import LOT

SCORES = 5000  # of the newest parts
FIRST = 1000  # parts that a model judged

# The span's windows are found by their start, each with its latest totals row.
_WINDOWS = f"""FROM span JOIN window_total AS total ON total.span_id = span.id
    AND total.revision = (SELECT max(revision) FROM window_total WHERE span_id = span.id)
WHERE span.start_s >= :start AND span.start_s < :end AND span.lot <> '{LOT}'
    AND (:lot IS NULL OR span.lot = :lot)"""
COUNTED = f"""SELECT span.start_s, total.triggers, total.first_pass, total.causes,
    total.defect_classes, total.p50_us, total.p95_us, total.max_us {_WINDOWS}"""
LOT_END = "SELECT max(end_s) FROM span WHERE start_s >= ? AND lot = ?"
LAST_SPAN = f"""SELECT recipe, model FROM span
WHERE start_s >= :start AND start_s < :end AND lot <> '{LOT}' AND model <> ''
    AND (:lot IS NULL OR lot = :lot)
ORDER BY start_s DESC, id DESC LIMIT 1"""
# CROSS JOIN keeps the order: spans by time, then only their outcomes, until there are enough.
_SCORES = f"""SELECT outcome.score, outcome.kind FROM span CROSS JOIN outcome
    INDEXED BY outcome_by_span ON outcome.span_id = span.id
WHERE span.start_s >= ? AND span.start_s < ? AND span.model = ?
    AND span.lot <> '{LOT}' AND outcome.score IS NOT NULL"""
NEWEST_SCORES = f"{_SCORES} ORDER BY span.start_s DESC, outcome.id DESC LIMIT ?"
FIRST_SCORES = f"{_SCORES} ORDER BY span.start_s, outcome.id LIMIT ?"
# Each gives the ids of the parts behind a point or bar, newest first: kinds and causes through the
# index by span, findings from the reviews, scores from the newest parts.
_IN_SPAN = f"""span.start_s >= :start AND span.start_s < :end AND span.lot <> '{LOT}'
    AND (:lot IS NULL OR span.lot = :lot)"""
_BY_SPAN = f"""FROM span CROSS JOIN outcome INDEXED BY outcome_by_span
    ON outcome.span_id = span.id WHERE {_IN_SPAN}"""
_BY_FINDING = f"""FROM finding CROSS JOIN outcome ON outcome.id = finding.outcome_id
    CROSS JOIN span ON span.id = outcome.span_id WHERE finding.verdict = 'fail' AND {_IN_SPAN}"""
BEHIND = {
    "failing": f"""SELECT outcome.id {_BY_SPAN} AND outcome.kind IN ('fail', 'review', 'fault')
            AND coalesce(outcome.cause, '') <> 'paused'
        UNION SELECT outcome.id {_BY_FINDING} AND outcome.kind = 'pass'
        ORDER BY 1 DESC LIMIT :limit""",
    "class": f"""SELECT outcome.id {_BY_FINDING} AND {sql.DEFECT_CLASS} = :name
        UNION SELECT outcome.id {_BY_SPAN} AND outcome.kind = 'fail' AND {sql.MODEL_CLASS} = :name
            AND outcome.id NOT IN (SELECT outcome_id FROM finding)
        ORDER BY 1 DESC LIMIT :limit""",
    "cause": f"""SELECT outcome.id {_BY_SPAN} AND outcome.kind = 'fault' AND outcome.cause = :name
            AND outcome.id NOT IN (SELECT outcome_id FROM finding)
        ORDER BY 1 DESC LIMIT :limit""",
    "score": f"""SELECT id FROM (SELECT outcome.id, outcome.score {_BY_SPAN}
            AND span.model = :name AND outcome.score IS NOT NULL
            ORDER BY span.start_s DESC, outcome.id DESC LIMIT {SCORES})
        WHERE score >= :low AND score < :high ORDER BY 1 DESC LIMIT :limit""",
    "slowest": f"""SELECT id FROM (SELECT outcome.id, outcome.latency_us {_BY_SPAN}
        AND coalesce(outcome.cause, '') <> 'paused' ORDER BY 2 DESC LIMIT :limit)""",
}
PARTS = f"""SELECT outcome.id, stream.uuid, stream.camera, outcome.seq, outcome.kind, outcome.cause,
    outcome.score, outcome.latency_us, outcome.trigger_wall_ns, finding.verdict, {sql.DEFECT_CLASS}
FROM outcome JOIN stream ON stream.id = outcome.stream_id
LEFT JOIN finding ON finding.outcome_id = outcome.id
WHERE outcome.id IN (%s) ORDER BY outcome.id DESC"""

_counts = msgspec.json.Decoder(dict[str, int])


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_s` to before `end_s`, whole seconds since 1970; of one lot, if it is named."""

    start_s: int
    end_s: int
    lot: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """The windows that began in one stretch of the span. Latencies in microseconds: of its
    windows the middle one's p50 and p95, weighted by parts, and the longest of all."""

    start_s: int
    end_s: int
    parts: int = 0
    first_pass: int = 0
    p50_us: int = 0
    p95_us: int = 0
    max_us: int = 0

    @property
    def failing(self) -> int:
        return self.parts - self.first_pass


@dataclass(frozen=True, slots=True)
class Trend:
    """All points of a span, without gaps, oldest first, and what its parts suffered from."""

    points: tuple[Point, ...]
    classes: Mapping[str, int] = field(default_factory=dict)  # of failed parts, where known
    causes: Mapping[str, int] = field(default_factory=dict)  # of faults


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of one part."""

    score: float
    kind: Kind


@dataclass(frozen=True, slots=True)
class Scores:
    """Of the model that judged last in the span: its newest scores, newest first, and its first
    ones in the ledger, oldest first."""

    recipe: str
    model: str
    now: tuple[Scored, ...]
    first: tuple[Scored, ...]


@dataclass(frozen=True, slots=True)
class PartBehind:
    """One of the parts that a point or bar counted."""

    id: int
    stream: str
    camera: str
    seq: int
    kind: Kind
    cause: Cause | None
    score: float | None
    latency_us: int
    trigger_wall_ns: int
    finding: Kind | None
    defect_class: str


@dataclass(frozen=True, slots=True)
class Behind:
    """Which parts are asked for: those not passed at first, or of one class, one cause, or from
    `low` to below `high` by the score of one model, or those that took longest."""

    kind: Literal["failing", "class", "cause", "score", "slowest"] = "failing"
    name: str = ""
    low: float = 0.0
    high: float = 0.0


class TrendReader:
    """Reads the ledger at `path`; each call opens and closes it, so any thread may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lot_span(self, lot: str, wall_ns: int) -> tuple[int, int] | None:
        """First second of the lot that is made now, and the end of its last window; None when it
        has none yet. Raises MaintainerError when the ledger cannot be read, as all here."""
        with self._opened() as db:
            start = lot_begin(db, lot, wall_ns) // SECOND
            (end,) = db.execute(LOT_END, (start, lot)).fetchone()
        return None if end is None else (start, end)

    def trend(self, span: Span, step_s: int) -> Trend:
        """The span in points of `step_s` seconds (1 or more)."""
        with self._opened() as db:
            found = db.execute(COUNTED, _asked(span)).fetchall()
        return _trend(span, step_s, found)

    def scores(self, span: Span, most: int = SCORES, first: int = FIRST) -> Scores | None:
        """The newest `most` scores of the span's last model, and the `first` that it ever gave.
        None when nothing was judged."""
        with self._opened() as db:
            last = db.execute(LAST_SPAN, _asked(span)).fetchone()
            if last is None:
                return None
            recipe, model = last
            now = db.execute(NEWEST_SCORES, (span.start_s, span.end_s, model, most)).fetchall()
            begun = db.execute(FIRST_SCORES, (0, span.end_s, model, first)).fetchall()
        return Scores(recipe, model, _scored(now), _scored(begun))

    def behind(self, span: Span, asked: Behind, limit: int) -> list[PartBehind]:
        """The newest of the parts asked for, at most `limit`; the slowest, slowest first."""
        values = _asked(span) | {
            "name": asked.name,
            "low": asked.low,
            "high": asked.high,
            "limit": limit,
        }
        with self._opened() as db:
            found = db.execute(PARTS % BEHIND[asked.kind], values).fetchall()
        parts = [_behind(row) for row in found]
        slowest = asked.kind == "slowest"
        return sorted(parts, key=lambda part: -part.latency_us) if slowest else parts

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one moment. Raises MaintainerError."""
        if not self._path.is_file():
            raise MaintainerError(
                f"{self._path}: cannot be read (no such file); is record running?"
            )
        try:
            connection = open_read_only(self._path)
        except sqlite3.Error as error:
            raise MaintainerError(f"{self._path}: cannot be read ({error})") from None
        try:
            connection.execute("BEGIN")
            yield connection
        except sqlite3.Error as error:
            raise MaintainerError(f"{self._path}: cannot be read ({error})") from None
        finally:
            connection.close()


def _scored(found: Sequence[rows.Row]) -> tuple[Scored, ...]:
    return tuple(Scored(score, rows.KINDS[kind]) for score, kind in found)


def _asked(span: Span) -> dict[str, str | int | float | None]:
    return {"start": span.start_s, "end": span.end_s, "lot": span.lot}


def _trend(span: Span, step_s: int, windows: Sequence[rows.Row]) -> Trend:
    starts = range(span.start_s, span.end_s, step_s)
    held: dict[int, list[rows.Row]] = {}
    classes: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    for start_s, triggers, first_pass, some_causes, some_classes, *latencies in windows:
        faults = _counts.decode(some_causes)
        inspected = triggers - faults.pop(Cause.PAUSED.value, 0)
        causes.update(faults)
        classes.update(_counts.decode(some_classes))
        if inspected:
            at = (start_s - span.start_s) // step_s
            held.setdefault(at, []).append((inspected, first_pass, *latencies))
    points = [
        _point(start, min(start + step_s, span.end_s), held.get(at, []))
        for at, start in enumerate(starts)
    ]
    return Trend(tuple(points), dict(classes), dict(causes))


def _point(start_s: int, end_s: int, windows: Sequence[rows.Row]) -> Point:
    if not windows:
        return Point(start_s, end_s)
    parts, first_pass, p50, p95, longest = np.array(windows, np.int64).T
    return Point(
        start_s,
        end_s,
        int(parts.sum()),
        int(first_pass.sum()),
        _middle(p50, parts),
        _middle(p95, parts),
        int(longest.max()),
    )


def _middle(values: NDArray[np.int64], weights: NDArray[np.int64]) -> int:
    """The weighted median."""
    order = np.argsort(values, kind="stable")
    up_to = np.cumsum(weights[order])
    return int(values[order][np.searchsorted(up_to, up_to[-1] / 2)])


def _behind(row: rows.Row) -> PartBehind:
    id, stream, camera, seq, kind, cause, score, latency_us, wall, finding, defect_class = row
    seen = (id, stream, camera, seq)
    return PartBehind(
        *seen,
        rows.KINDS[kind],
        rows.CAUSES[cause] if cause else None,
        score,
        latency_us,
        wall,
        rows.KINDS[finding] if finding else None,
        defect_class or "",
    )
