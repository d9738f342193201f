"""What record is to note of rows that are done, and whether the ledger shows it.

Promises: a mark is told to record, in batches, until the ledger shows it; a row that was marked
by the broker's word alone is marked delivered as soon as the receiver's word covers it.
Never: reads a clock, or knows what a row says.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from inspector.core.clock import SECOND
from inspector.core.messages import Delivered

AGAIN_NS = 5 * SECOND  # a mark not seen in the ledger by then is sent to record again
BATCH = 1000  # rows of one message

Lane = Literal["totals", "events"]
Status = Literal["sent", "delivered", "quarantined"]


def delivered_through(ledger: str, through: int) -> Delivered:
    """Every totals row up to this one that was ever sent is delivered."""
    return Delivered(ledger=ledger, lane="totals", rows=(), status="delivered", through=through)


@dataclass
class _Mark:
    status: Status
    detail: str
    due_ns: int
    told: bool = False


class Marks:
    """Of the rows of one ledger. Times are monotonic nanoseconds."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._marks: dict[int, _Mark] = {}

    def __len__(self) -> int:
        return len(self._marks)

    def __contains__(self, row: int) -> bool:
        return row in self._marks

    @property
    def oldest(self) -> int | None:
        """The lowest row whose mark has not been seen."""
        return min(self._marks, default=None)

    def done(self, row: int, status: Status, detail: str, now: int) -> None:
        """The row is done with; record is to be told now."""
        self._marks[row] = _Mark(status, detail, now)

    def due(self, ledger: str, now: int) -> list[Delivered]:
        """What to tell record now."""
        alike: defaultdict[tuple[Status, str], list[int]] = defaultdict(list)
        for row, mark in self._marks.items():
            if now >= mark.due_ns:
                alike[mark.status, mark.detail].append(row)
        return [
            Delivered(
                ledger=ledger,
                lane=self._lane,
                rows=tuple(rows[begin : begin + BATCH]),
                status=status,
                detail=detail,
            )
            for (status, detail), rows in alike.items()
            for begin in range(0, len(rows), BATCH)
        ]

    def told(self, message: Delivered, now: int) -> None:
        """Record was told; once more if the ledger does not show it."""
        for row in message.rows:
            if mark := self._marks.get(row):
                mark.due_ns, mark.told = now + AGAIN_NS, True

    def received(self, through: int) -> None:
        """The receiver has every row up to this one: what is told again is told so."""
        for row, mark in self._marks.items():
            if row <= through and mark.status == "sent":
                mark.status = "delivered"

    def seen(self, first: int, shown: Collection[int], whole: bool) -> None:
        """The ledger was read from row `first` on and shows these as unmarked, in order; `whole`:
        they are all there are. What it does not show is marked; but not so before record was told,
        where it shows a mark of an earlier time that the row went."""
        last = max(shown, default=0)
        for row in [row for row in self._marks if row >= first and row not in shown]:
            if self._marks[row].told and (whole or row < last):
                del self._marks[row]

    def clear(self) -> None:
        self._marks.clear()
