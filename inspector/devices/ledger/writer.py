"""The ledger's one writer.

Promises: each method is one transaction, synced to the disk when it returns and without any trace
when it raises; on a full disk the ballast is given up and the work tried once more.
Never: is used by two processes, or from two threads.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.messages import Delivered, Event, Kind, Outcome, Review
from inspector.devices.ledger import rows, sql
from inspector.devices.ledger.ballast import Ballast
from inspector.devices.ledger.opening import Opened, is_damage, open_ledger
from inspector.domain import audit
from inspector.domain.tally import (
    TotalsRow,
    cumulate,
    is_over,
    needs_revision,
    tally,
    window_start,
)

T = TypeVar("T")

QUIET_S = 1.0  # a window is counted when no outcome has come to it for so long
FULL_BYTES = 1 << 20  # a disk with less than this free counts as full
CACHED_IDS = 1000
LATEST = f"SELECT {rows.TOTAL_COLUMNS} {sql.LATEST_OF_SPAN}"
TOTAL = f"SELECT {rows.TOTAL_COLUMNS} {sql.ROW}"


class CannotWrite(MaintainerError):
    """Nothing was written; the same may succeed later. `full`: for want of room."""

    def __init__(self, text: str, full: bool) -> None:
        super().__init__(text)
        self.full = full


class Damaged(MaintainerError):
    """The file itself is damaged; opening it again sets it aside."""


class Ledger:
    """Opened for writing. `set_aside` names a damaged predecessor, `damage` what was wrong."""

    def __init__(
        self, path: Path, window_s: int, ballast_mb: int, wall_ns: int, damage: str | None = None
    ) -> None:
        """Open or begin the ledger. `damage`: what was found wrong while it was open; it is then
        set aside whatever a check says. Raises MaintainerError."""
        self.path = path
        self.ballast = Ballast(path.with_name(f"{path.stem}.ballast"), ballast_mb << 20)
        self._window_s = window_s
        opened = self._opened(path, wall_ns, damage)
        self.id, self.set_aside, self.damage = opened.ledger, opened.set_aside, opened.damage
        self._db = opened.connection
        self._next = self._number(sql.LAST_OUTCOME) + 1
        self.committed = self._number(sql.COUNT_OUTCOMES)
        self._streams: dict[str, int] = {}
        self._spans: dict[tuple[int, str, str, str], int] = {}
        self.ballast.take()

    def commit(
        self,
        outcomes: Sequence[tuple[Outcome, bool]],
        events: Sequence[Event] = (),
        delivered: Sequence[Delivered] = (),
        wall_ns: int = 0,
    ) -> list[Outcome]:
        """Record outcomes (each with: keep its heatmap and boxes?), events and delivery marks;
        a mark that was meant for another ledger is passed over.

        Returns the outcomes that were not there before. Raises CannotWrite or Damaged.
        """
        fresh = self._write(lambda: self._commit(outcomes, events, delivered, wall_ns))
        self._next += len(outcomes)
        self.committed += len(fresh)
        return fresh

    def close_windows(self, wall_ns: int, grace_s: float) -> list[TotalsRow]:
        """Count windows that are over and have changed, at most 32. Returns the new rows."""
        return self._write(lambda: self._close_windows(wall_ns, grace_s))

    def review(self, review: Review, wall_ns: int) -> int:
        """Add a person's finding. Returns its revision, from 1. Raises OperatorError when there
        is no such part."""
        return self._write(lambda: self._review(review, wall_ns))

    def audit(self, who: str, action: str, detail: Mapping[str, str], wall_ns: int) -> None:
        """Add to the audit chain what a person changed."""
        self._write(lambda: self._audit(who, action, detail, wall_ns))

    def checkpoint(self) -> None:
        """Move the log into the file, as far as readers and the disk let it; the rest stays."""
        with suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        self._db.close()

    def _opened(self, path: Path, wall_ns: int, damage: str | None) -> Opened:
        try:
            return open_ledger(path, wall_ns, damage)
        except MaintainerError:
            # Opening writes as well; on a full disk that needs the reserve.
            if not _is_full(path) or not self.ballast.release():
                raise
            return open_ledger(path, wall_ns, damage)

    def _write(self, work: Callable[[], T]) -> T:
        try:
            return self._attempt(work)
        except CannotWrite as error:
            if not (error.full and self.ballast.release()):
                raise
            return self._attempt(work)

    def _attempt(self, work: Callable[[], T]) -> T:
        with self._transaction():
            return work()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        done = False
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
            done = True
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from None
        finally:
            if not done:
                self._undo()

    def _undo(self) -> None:
        """Forget ids that the failed transaction gave out, and end it unless SQLite has already."""
        self._streams.clear()
        self._spans.clear()
        if self._db.in_transaction:
            with suppress(sqlite3.Error):  # the failure that led here is the one to tell of
                self._db.execute("ROLLBACK")

    def _explained(self, error: sqlite3.DatabaseError) -> MaintainerError:
        if is_damage(error):
            return Damaged(f"{self.path}: is damaged ({error})")
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL or _is_full(self.path)
        return CannotWrite(f"{self.path}: cannot be written ({error}); make room or mend it", full)

    def _commit(
        self,
        outcomes: Sequence[tuple[Outcome, bool]],
        events: Sequence[Event],
        delivered: Sequence[Delivered],
        wall_ns: int,
    ) -> list[Outcome]:
        fresh = self._add_outcomes(outcomes, wall_ns) if outcomes else []
        self._db.executemany(
            sql.ADD_EVENT,
            ((e.wall_ns, e.service, e.severity.value, e.code, e.text) for e in events),
        )
        marks = [(d.status, wall_ns, d.detail, d.row) for d in delivered if d.ledger == self.id]
        self._db.executemany(sql.MARK_DELIVERED, marks)
        return fresh

    def _add_outcomes(
        self, outcomes: Sequence[tuple[Outcome, bool]], wall_ns: int
    ) -> list[Outcome]:
        first = self._next
        numbered = list(enumerate((outcome for outcome, _ in outcomes), first))
        new_rows = [
            rows.outcome_row(id, self._stream_id(outcome), self._span_id(outcome), outcome)
            for id, outcome in numbered
        ]
        added = self._db.executemany(sql.ADD_OUTCOME, new_rows).rowcount
        fresh = numbered
        if added != len(outcomes):
            present = {id for (id,) in self._db.execute(sql.NEW_OUTCOMES, (first,))}
            fresh = [(id, outcome) for id, outcome in numbered if id in present]
        details = [
            rows.detail_row(id, outcome)
            for (id, outcome), (_, detailed) in zip(numbered, outcomes, strict=True)
            if detailed
        ]
        self._db.executemany(sql.ADD_DETAIL, details)
        touched = {self._span_id(outcome) for _, outcome in fresh}
        self._db.executemany(sql.TOUCH_WINDOW, ((span, wall_ns) for span in touched))
        return [outcome for _, outcome in fresh]

    def _stream_id(self, outcome: Outcome) -> int:
        if (known := self._streams.get(outcome.stream)) is not None:
            return known
        _trim(self._streams)
        found = self._find_or_add(
            sql.FIND_STREAM, (outcome.stream,), sql.ADD_STREAM, (outcome.stream, outcome.camera)
        )
        self._streams[outcome.stream] = found
        return found

    def _span_id(self, outcome: Outcome) -> int:
        start = window_start(outcome.trigger_wall_ns, self._window_s)
        key = (start, outcome.recipe, outcome.lot, outcome.model)
        if (known := self._spans.get(key)) is not None:
            return known
        _trim(self._spans)
        values = (start, start + self._window_s, *key[1:])
        self._spans[key] = self._find_or_add(sql.FIND_SPAN, values, sql.ADD_SPAN, values)
        return self._spans[key]

    def _find_or_add(self, find: str, by: rows.Row, add: str, values: rows.Row) -> int:
        found = self._db.execute(find, by).fetchone()
        if found:
            return int(found[0])
        return int(self._db.execute(add, values).lastrowid or 0)

    def _close_windows(self, wall_ns: int, grace_s: float) -> list[TotalsRow]:
        quiet = wall_ns - int(QUIET_S * SECOND)
        due = self._db.execute(sql.DUE_WINDOWS, {"quiet": quiet, "now": wall_ns}).fetchall()
        over = [span for span, end_s in due if is_over(end_s, wall_ns, grace_s)]
        counted = [self._count(span, wall_ns) for span in over]
        self._db.executemany(sql.CLEAN_WINDOW, ((span,) for span in over))
        return [row for row in counted if row is not None]

    def _count(self, span: int, wall_ns: int) -> TotalsRow | None:
        latest = self._total(LATEST, span)
        totals = tally(map(rows.part_of, self._db.execute(sql.PARTS_OF_SPAN, (span,))))
        before = latest.totals if latest else None
        if not needs_revision(before, totals):
            return None
        last, *sums = self._db.execute(sql.LAST_ROW).fetchone() or (0, 0, 0, 0, 0)
        cumulative = cumulate(dict(zip(Kind, sums, strict=True)), before, totals)
        revision = latest.revision + 1 if latest else 1
        values = (last + 1, span, revision, wall_ns, *rows.totals_values(totals))
        self._db.execute(sql.ADD_TOTAL, (*values, *cumulative.values()))
        return self._total(TOTAL, last + 1)

    def _total(self, query: str, key: int) -> TotalsRow | None:
        row = self._db.execute(query, (key,)).fetchone()
        return rows.totals_row_of(self.id, row) if row else None

    def _review(self, review: Review, wall_ns: int) -> int:
        part = self._db.execute(sql.FIND_PART, (review.stream, review.seq)).fetchone()
        if part is None:
            raise OperatorError(
                f"part {review.seq} of stream {review.stream}: is not recorded; check its number"
            )
        outcome_id, span = part
        revision = self._number(sql.LAST_REVISION, outcome_id) + 1
        found = (review.verdict, review.defect_class, review.who, review.reason)
        self._db.execute(sql.ADD_REVIEW, (outcome_id, revision, wall_ns, *found))
        self._db.execute(sql.TOUCH_WINDOW, (span, wall_ns))
        detail = {
            "stream": review.stream,
            "seq": str(review.seq),
            "revision": str(revision),
            "verdict": review.verdict,
            "defect_class": review.defect_class,
            "reason": review.reason,
        }
        self._audit(review.who, "review", detail, wall_ns)
        return revision

    def _audit(self, who: str, action: str, detail: Mapping[str, str], wall_ns: int) -> None:
        last, previous = self._db.execute(sql.LAST_AUDIT).fetchone() or (0, audit.START)
        entry = audit.link(previous, last + 1, wall_ns, who, action, rows.to_json(dict(detail)))
        values = (entry.id, wall_ns, who, action, entry.detail, previous, entry.hash)
        self._db.execute(sql.ADD_AUDIT, values)

    def _number(self, query: str, *values: int) -> int:
        return int(self._db.execute(query, values).fetchone()[0])


def _trim(ids: dict[T, int]) -> None:
    if len(ids) >= CACHED_IDS:
        ids.clear()


def _is_full(path: Path) -> bool:
    return shutil.disk_usage(path.parent).free < FULL_BYTES
