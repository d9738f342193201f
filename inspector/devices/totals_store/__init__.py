"""What a receiver of totals keeps, in SQLite: a working example for a plant's own system.

Promises: a row that was taken stays taken over a kill or a power cut (`take` returns after the
commit); `(device, stream, seq)` is the key, so a duplicate changes nothing; whoever reads the file
meanwhile sees whole batches.
Never: goes on after a write that failed, or changes a file that is no receiver's.

The tables, for whoever wants to query them: `stream` (how far each has come, its sums), `window`
(the latest revision of each window), `received` (which rows have come), and the view `quantity`
(parts by device, recipe, lot and model as ISO 22400 counts them, golden parts left out).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from inspector.core.errors import MaintainerError
from inspector.devices.totals_store import tables
from inspector.devices.totals_store.tables import lock_file, open_file
from inspector.domain.egress.totals import Totals
from inspector.domain.receiving import (
    NEW,
    Account,
    Became,
    Counts,
    Latest,
    Row,
    Seen,
    counts_of,
    give_up,
    mark_of,
    take,
    window_of,
)


@dataclass
class Stream:
    """One stream of one device, and its account."""

    id: int
    device: str
    stream: str  # 32 hexadecimal digits
    account: Account


class TotalsStore:
    """One file, with one writer. Raises MaintainerError where it cannot be used."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._lock = None if read_only else lock_file(path)
        try:
            self._db = open_file(path, read_only)
            self._streams = {(one.device, one.stream): one for one in _streams(self._db)}
            self._newest: dict[str, str] = dict(self._db.execute(tables.LAST_HEARD).fetchall())
        except sqlite3.Error as error:
            raise self._failed(error) from None
        except MaintainerError:
            self._unlock()
            raise

    def take(self, rows: Sequence[Row], wall_ns: int) -> list[Became]:
        """Enter rows, all in one transaction that is committed when this returns."""
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                became = [self._take(row, wall_ns) for row in rows]
                changed = {(row.device, row.stream) for row in rows}
                self._keep((self._streams[one] for one in changed), wall_ns)
        except sqlite3.Error as error:
            raise self._failed(error) from None
        self._newest.update((row.device, row.stream) for row in rows)
        return became

    def give_up(self, device: str, wall_ns: int) -> int:
        """Wait no longer for the missing rows of this device. Returns how many they are."""
        streams = [one for one in self.streams() if one.device == device]
        if not streams:
            raise MaintainerError(f"{self._path}: knows no device {device!r}; see --json for all")
        missing = sum(give_up(one.account) for one in streams)
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._keep(streams, wall_ns)
        except sqlite3.Error as error:
            raise self._failed(error) from None
        return missing

    def streams(self) -> list[Stream]:
        """All streams, in the order in which they were first heard of."""
        return list(self._streams.values())

    def newest(self) -> dict[str, Stream]:
        """Of each device the stream that was heard of last: it may have gone back to an earlier
        one, whose ledger was mended."""
        return {device: self._streams[device, one] for device, one in self._newest.items()}

    def windows(self, stream: Stream) -> Iterator[Totals]:
        """The latest revision of each window of a stream, in the order of their rows."""
        decoder = msgspec.json.Decoder(Totals)
        try:
            for (message,) in self._db.execute(tables.WINDOWS, (stream.id,)):
                yield decoder.decode(message)
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            raise self._failed(error) from None

    @property
    def identity(self) -> str:
        """32 hexadecimal digits, this file's own: its session at the broker bears them."""
        ((found,),) = self._db.execute("SELECT value FROM meta WHERE key = 'identity'")
        return str(found)

    def close(self) -> None:
        self._db.close()
        self._unlock()

    def __enter__(self) -> "TotalsStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _unlock(self) -> None:
        if self._lock:
            self._lock.close()

    def _take(self, row: Row, wall_ns: int) -> Became:
        stream = self._stream(row.device, row.stream, wall_ns)
        found = self._db.execute(tables.MARK, (stream.id, row.seq)).fetchone()
        latest = self._latest(stream.id, row) if isinstance(row, Totals) else None
        became = take(stream.account, row, found[0] if found else None, latest)
        if became in NEW:
            self._db.execute(tables.KEEP_MARK, (stream.id, row.seq, mark_of(row)))
        if isinstance(row, Totals) and became in (Became.COUNTED, Became.CORRECTED):
            self._db.execute(tables.KEEP_WINDOW, _window_values(stream.id, row))
        return became

    def _latest(self, stream_id: int, row: Totals) -> Latest | None:
        found = self._db.execute(tables.LATEST, (stream_id, *window_of(row))).fetchone()
        return Latest(found[0], found[1:]) if found else None

    def _stream(self, device: str, stream: str, wall_ns: int) -> Stream:
        if known := self._streams.get((device, stream)):
            return known
        ((new,),) = self._db.execute(
            tables.ADD_STREAM, (device, stream, wall_ns, wall_ns)
        ).fetchall()
        self._streams[device, stream] = Stream(new, device, stream, Account())
        return self._streams[device, stream]

    def _keep(self, streams: Iterable[Stream], wall_ns: int) -> None:
        for one in streams:
            account = one.account
            self._db.execute(
                tables.KEEP_STREAM,
                (
                    account.seen.through,
                    account.seen.highest,
                    account.voids,
                    account.given_up,
                    account.clashes,
                    *account.counts,
                    account.cumulative_seq,
                    *account.cumulative,
                    wall_ns,
                    one.id,
                ),
            )

    def _failed(self, error: Exception) -> MaintainerError:
        return MaintainerError(
            f"{self._path}: cannot be used ({error}); mend its folder's owner, mount or free space"
        )


def _streams(db: sqlite3.Connection) -> Iterator[Stream]:
    for key, device, stream, through, voids, given_up, clashes, *sums in db.execute(tables.STREAMS):
        runs = db.execute(tables.RUNS, (key, through)).fetchall()
        counts, at, cumulative = _four(sums[:4]), sums[4], _four(sums[5:])
        account = Account(Seen(through, runs), counts, cumulative, at, voids, given_up, clashes)
        yield Stream(key, device, stream, account)


def _four(values: Sequence[int]) -> Counts:
    one, two, three, four = values
    return (one, two, three, four)


def _window_values(stream_id: int, row: Totals) -> tuple[object, ...]:
    made = row.quantities
    return (
        stream_id,
        *window_of(row),
        row.revision,
        row.seq,
        *counts_of(row.counts),
        made.produced,
        made.good,
        made.scrap,
        made.rework,
        msgspec.json.encode(row).decode(),
    )
