"""A sender of totals without a station: rows as a ledger makes them.

Promises: rows are numbered without gaps, revisions replace earlier windows, cumulative counts are
the sums of the latest revisions.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from inspector.core.terms import Cause, Kind
from inspector.domain.egress.letter import letter
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.totals import Totals, VoidTotals, totals_of, void_of
from inspector.domain.tally import Part, TotalsRow, cumulate, tally

DEVICE = "acme/lyon/press/l1/c7"
STREAM = "0123456789abcdef" * 2
WINDOW_S = 10
START_S = 1_700_000_000
MODEL = "cap@0123456789ab"


@dataclass
class Sender:
    """One ledger's rows, in memory."""

    device: str = DEVICE
    stream: str = STREAM
    rows: list[TotalsRow] = field(default_factory=list)
    _latest: dict[tuple[int, str], TotalsRow] = field(default_factory=dict)

    def window(self, number: int, kinds: Sequence[Kind], lot: str = "L-1") -> TotalsRow:
        """The next row: this window's parts, as a correction where the window has a row."""
        before = self._latest.get((number, lot))
        totals = tally(
            Part(kind, Cause.LATE if kind is Kind.FAULT else None, 12_000) for kind in kinds
        )
        last = self.rows[-1].cumulative if self.rows else {}
        row = TotalsRow(
            ledger=self.stream,
            row=len(self.rows) + 1,
            start_s=START_S + number * WINDOW_S,
            end_s=START_S + (number + 1) * WINDOW_S,
            recipe="cap",
            lot=lot,
            model=MODEL,
            revision=before.revision + 1 if before else 1,
            totals=totals,
            cumulative=cumulate(last, before.totals if before else None, totals),
        )
        self.rows.append(row)
        self._latest[number, lot] = row
        return row

    def windows(self, count: int, seed: int = 0) -> list[TotalsRow]:
        """So many windows more, of some parts each."""
        draw = random.Random(seed)
        first = len(self._latest)
        return [
            self.window(first + number, draw.choices(list(Kind), k=draw.randint(1, 9)))
            for number in range(count)
        ]

    def counts(self) -> dict[Kind, int]:
        """The sums of the latest revisions."""
        latest = [row.totals.counts for row in self._latest.values()]
        return {kind: sum(one.get(kind, 0) for one in latest) for kind in Kind}


def message(row: TotalsRow, device: str = DEVICE) -> Totals:
    return totals_of(device, row)


def void(row: TotalsRow, device: str = DEVICE) -> VoidTotals:
    return void_of(device, row)


def payload(row: Totals | VoidTotals) -> bytes:
    """The bytes that leave."""
    return letter(row, Topics(row.device).totals).payload


def topic(device: str = DEVICE) -> str:
    return Topics(device).totals


def sums(rows: Iterable[Totals]) -> dict[str, int]:
    """Parts by kind, of some windows."""
    found = dict.fromkeys(map(str, Kind), 0)
    for row in rows:
        for kind, count in msgspec.to_builtins(row.counts).items():
            found[kind] += count
    return found
