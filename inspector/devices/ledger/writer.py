"""The ledger's one writer.

Promises: each method is one transaction, synced to the disk when it returns and without any trace
when it raises; on a full disk the ballast is given up and the work tried once more.
Never: is used by two processes, or from two threads.
"""

import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from inspector.core.errors import MaintainerError
from inspector.core.messages import Delivered, Departed, Event, LaneAt, Outcome
from inspector.core.metrics import Sample
from inspector.core.orders import ReviewPart
from inspector.devices.ledger import rows, sql
from inspector.devices.ledger.auditing import add_audit, latest_action
from inspector.devices.ledger.ballast import Ballast
from inspector.devices.ledger.copying import Alive, nothing
from inspector.devices.ledger.departures import add_departures
from inspector.devices.ledger.failing import CannotWrite, Damaged
from inspector.devices.ledger.marks import add_marks, put_lanes
from inspector.devices.ledger.metrics import add_samples
from inspector.devices.ledger.notices import making_of, note_changes
from inspector.devices.ledger.opening import Opened, is_damage, open_ledger
from inspector.devices.ledger.reviews import add_review, enqueue
from inspector.devices.ledger.sums import Sums, add_to_sums, pixel_bytes, read_sums
from inspector.devices.ledger.thinning import Thinned
from inspector.devices.ledger.windows import close_windows
from inspector.domain.making import Making, follow
from inspector.domain.tally import TotalsRow, next_window, window_start

T = TypeVar("T")

FULL_BYTES = 1 << 20  # a disk with less than this free counts as full
CACHED_IDS = 1000


class Ledger:
    """Opened for writing. `set_aside` names a damaged predecessor, `damage` what was wrong."""

    def __init__(
        self,
        path: Path,
        window_s: int,
        ballast_mb: int,
        wall_ns: int,
        damage: str | None = None,
        backups: Path | None = None,
        alive: Alive = nothing,
    ) -> None:
        """Open or begin the ledger. `damage`: what was found wrong while it was open; it is then
        set aside whatever a check says. `backups`: where those are that may take the place of a
        damaged one, `alive`: called while that goes on. Raises CannotWrite, and MaintainerError
        when it was written by a newer program."""
        self.path = path
        self.ballast = Ballast(path.with_name(f"{path.stem}.ballast"), ballast_mb << 20)
        self._window_s = window_s
        self._how = damage, backups, alive
        self.opened = opened = self._opened(path, wall_ns)
        self.id, self.set_aside, self.damage = opened.ledger, opened.set_aside, opened.damage
        self._db = opened.connection
        self._next = self._number(sql.LAST_OUTCOME) + 1
        self._sums = read_sums(self._db)
        self._making = making_of(self._db)
        self._streams: dict[str, int] = {}
        self._spans: dict[tuple[int, str, str, str], int] = {}
        self.ballast.take()

    def commit(
        self,
        outcomes: Sequence[tuple[Outcome, bool]],
        events: Sequence[Event] = (),
        delivered: Sequence[Delivered] = (),
        wall_ns: int = 0,
        departed: Sequence[Departed] = (),
        lanes: Sequence[LaneAt] = (),
        samples: Sequence[Sample] = (),
    ) -> list[Outcome]:
        """Record outcomes (each with: keep its heatmap and boxes?), events, delivery marks, what
        is about to leave, how far lanes have got, and the station in figures; a mark that was
        meant for another ledger is passed over. A change of what is made is noted with the
        first part that shows it.

        Returns the outcomes that were not there before. Raises CannotWrite or Damaged.
        """
        fresh, grown, making = self._write(
            lambda: self._commit(outcomes, events, delivered, wall_ns, departed, lanes, samples)
        )
        self._making = making
        self._next += len(outcomes)
        self._sums += grown
        return fresh

    def sums(self) -> Sums:
        """Sums as committed; kept in memory."""
        return self._sums

    @property
    def committed(self) -> int:
        """How many outcomes were ever recorded here, those that have gone since among them."""
        return self._sums.committed

    @property
    def model(self) -> str:
        """The model of the last part that one has judged; empty before the first."""
        return self._making.now.model if self._making.now else ""

    def close_windows(self, wall_ns: int, grace_s: float) -> list[TotalsRow]:
        """Count windows that are over and have changed, at most 32. Returns the new rows."""
        return self._write(lambda: close_windows(self._db, wall_ns, grace_s))

    def review(self, review: ReviewPart, who: str, reason: str, wall_ns: int) -> int:
        """Add a person's finding, or take the last one back. Returns its revision, from 1.
        Raises OperatorError when there is no such part, or nothing to be taken back."""
        revision, grown = self._write(lambda: add_review(self._db, review, who, reason, wall_ns))
        self._sums += grown
        return revision

    def audit(self, who: str, action: str, detail: Mapping[str, str], wall_ns: int) -> None:
        """Add to the audit chain what a person changed."""
        self._write(lambda: add_audit(self._db, who, action, detail, wall_ns))

    def latest_action(self, who: str, actions: Collection[str]) -> str:
        """The newest of these audited actions of this person, or nothing."""
        return self._write(lambda: latest_action(self._db, who, actions))

    def thin(self, work: Callable[[sqlite3.Connection], Thinned]) -> Thinned:
        """Let go what is old, in one transaction: `work` says what has gone."""
        done = self._write(lambda: work(self._db))
        self._sums += Sums(to_review=-done.to_review)
        if done.deleted:
            self._spans.clear()
        return done

    def size(self) -> int:
        """Bytes that hold something; pages that were given back are used again."""
        pages, free, each = (
            self._number(f"PRAGMA {one}") for one in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * each

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction: for the other rooms of the ledger. Raises CannotWrite or
        Damaged; an error of its own undoes the whole."""
        return self._write(lambda: work(self._db))

    def checkpoint(self) -> None:
        """Move the log into the file, as far as readers and the disk let it; the rest stays."""
        with suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        self._db.close()

    def _opened(self, path: Path, wall_ns: int) -> Opened:
        try:
            return open_ledger(path, wall_ns, *self._how)
        except MaintainerError:
            # Opening writes as well; on a full disk that needs the reserve.
            if not _is_full(path) or not self.ballast.release():
                raise
            return open_ledger(path, wall_ns, *self._how)

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
        departed: Sequence[Departed],
        lanes: Sequence[LaneAt],
        samples: Sequence[Sample],
    ) -> tuple[list[Outcome], Sums, Making]:
        """The outcomes that are new, by how much the sums have grown, and what is made now."""
        fresh = self._add_outcomes(outcomes, wall_ns) if outcomes else []
        new = [outcome for _, outcome in fresh]
        self._db.executemany(
            sql.ADD_EVENT,
            ((e.wall_ns, e.service, e.severity.value, e.code, e.text) for e in events),
        )
        add_marks(self._db, delivered, wall_ns)
        put_lanes(self._db, lanes)
        making, changes = follow(self._making, new)
        note_changes(self._db, changes)
        add_samples(self._db, samples)
        seen = Sums(pixel_bytes=pixel_bytes(new), committed=len(new))
        grown = seen + add_departures(self._db, departed)
        add_to_sums(self._db, grown)
        return new, grown + enqueue(self._db, fresh), making

    def _add_outcomes(
        self, outcomes: Sequence[tuple[Outcome, bool]], wall_ns: int
    ) -> list[tuple[int, Outcome]]:
        """Those that were not there before, each with its id."""
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
        return fresh

    def _stream_id(self, outcome: Outcome) -> int:
        if (known := self._streams.get(outcome.stream)) is not None:
            return known
        _trim(self._streams)
        row = self._db.execute(sql.FIND_STREAM, (outcome.stream,)).fetchone()
        added = sql.ADD_STREAM, (outcome.stream, outcome.camera)
        found = row[0] if row else self._db.execute(*added).lastrowid
        self._streams[outcome.stream] = int(found or 0)
        return self._streams[outcome.stream]

    def _span_id(self, outcome: Outcome) -> int:
        start = window_start(outcome.trigger_wall_ns, self._window_s)
        key = (start, outcome.recipe, outcome.lot, outcome.model)
        if (known := self._spans.get(key)) is not None:
            return known
        _trim(self._spans)
        self._spans[key] = self._open_span(*key)
        return self._spans[key]

    def _open_span(self, start: int, *made: str) -> int:
        """The window that begins then; where that is closed, the next that is not."""
        end = start + self._window_s
        while found := self._db.execute(sql.FIND_SPAN, (start, end, *made)).fetchone():
            id, closed = found
            if not closed:
                return int(id)
            start, end = next_window(start, end, self._window_s)
        return int(self._db.execute(sql.ADD_SPAN, (start, end, *made)).lastrowid or 0)

    def _number(self, query: str, *values: int) -> int:
        return int(self._db.execute(query, values).fetchone()[0])


def _trim(ids: dict[T, int]) -> None:
    if len(ids) >= CACHED_IDS:
        ids.clear()


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < FULL_BYTES
    except OSError:  # the disk is gone
        return False
