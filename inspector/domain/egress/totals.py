"""Totals as they leave: one window's counts of one recipe, lot and model.

Promises: `(device, stream, seq)` is unique, and `seq` has no gaps within a stream: a row that may
not leave is told of as void. A higher `revision` of the same window, recipe, lot and model
replaces the lower one. A total whose sums do not add up does not leave.
Never: names a class of defects that the station's configuration does not list.

Quantities are those of ISO 22400-2: produced = good + scrap + rework. Here good is what passed,
scrap what failed, and rework what nobody has decided yet (reviews to come, faults), which has to
be inspected again. Golden parts of a challenge test (lot `challenge`) are no production.
"""

from collections.abc import Collection, Mapping
from typing import Literal

from inspector.core.errors import EngineerError
from inspector.core.terms import GOLDEN_LOT, Cause, Kind
from inspector.domain.egress.words import (
    OTHER,
    Closed,
    Count,
    DeviceId,
    Hex32,
    Instant,
    Lot,
    Milliseconds,
    ModelId,
    Name,
    RecipeName,
    Sparse,
    rfc3339,
    safe_lot,
    safe_model,
    safe_recipe,
)
from inspector.domain.tally import TotalsRow


class Quantities(Sparse, frozen=True, kw_only=True):
    """Parts as ISO 22400-2 counts them. What is left out is 0."""

    produced: Count = 0
    good: Count = 0
    scrap: Count = 0
    rework: Count = 0


class KindCounts(Sparse, frozen=True, kw_only=True, rename={"pass_": "pass"}):
    """Parts by what happened to them. What is left out is 0."""

    pass_: Count = 0
    fail: Count = 0
    review: Count = 0
    fault: Count = 0

    @property
    def parts(self) -> int:
        return self.pass_ + self.fail + self.review + self.fault


class CauseCounts(Sparse, frozen=True, kw_only=True):
    """Faults by their cause. What is left out is 0."""

    late: Count = 0
    lost: Count = 0
    camera: Count = 0
    frame: Count = 0
    overrun: Count = 0
    overload: Count = 0
    engine: Count = 0
    model: Count = 0
    record: Count = 0
    paused: Count = 0

    @property
    def faults(self) -> int:
        return sum(getattr(self, cause) for cause in Cause)


class Reviewed(Sparse, frozen=True, kw_only=True):
    """What people found of the parts they looked at. What is left out is 0."""

    parts: Count = 0
    overkill: Count = 0  # failed by the model, found good
    escape: Count = 0  # passed by the model, found bad


class Cycle(Closed, frozen=True, kw_only=True):
    """From one trigger of a camera to its next, milliseconds, within the window; all 0 where
    there are not two."""

    p50_ms: Milliseconds
    max_ms: Milliseconds


class Latency(Closed, frozen=True, kw_only=True):
    """Trigger to output, milliseconds, over the window's parts; all 0 where there are none."""

    p50_ms: Milliseconds
    p95_ms: Milliseconds
    max_ms: Milliseconds


class Totals(Closed, frozen=True, kw_only=True):
    """One window's totals of one recipe, lot and model."""

    schema: Literal[1]
    device: DeviceId
    stream: Hex32  # the ledger's own identity: a new one begins when the ledger does
    seq: Count  # from 1, without gaps within the stream
    revision: Count  # from 1
    start: Instant
    end: Instant  # exclusive
    recipe: RecipeName
    lot: Lot
    model: ModelId
    quantities: Quantities  # of this window
    counts: KindCounts  # of this window
    causes: CauseCounts  # of this window
    classes: dict[Name, Count]  # failed parts by class of defect
    first_pass: Count  # passed by the model, and by nobody found bad
    reviewed: Reviewed
    cumulative: KindCounts  # of the whole stream, up to this row
    cycle: Cycle
    latency: Latency


class VoidTotals(Closed, frozen=True, kw_only=True):
    """This row exists and may not leave: a receiver waits for it no longer."""

    schema: Literal[1]
    device: DeviceId
    stream: Hex32
    seq: Count
    void: Literal[True]


def totals_of(device: str, row: TotalsRow, classes: Collection[str] = ()) -> Totals:
    """The totals that leave for one committed row; only `classes` are named."""
    counted, latency, cycle = row.totals, row.totals.latency, row.totals.cycle
    return Totals(
        schema=1,
        device=device,
        stream=row.ledger,
        seq=row.row,
        revision=row.revision,
        start=rfc3339(row.start_s),
        end=rfc3339(row.end_s),
        recipe=safe_recipe(row.recipe),
        lot=safe_lot(row.lot),
        model=safe_model(row.model),
        quantities=quantities(counted.counts, row.lot),
        counts=kind_counts(counted.counts),
        causes=cause_counts(counted.causes),
        classes=named(counted.defect_classes, classes),
        first_pass=counted.first_pass,
        reviewed=Reviewed(parts=counted.reviewed, overkill=counted.overkill, escape=counted.escape),
        cumulative=kind_counts(row.cumulative),
        cycle=Cycle(p50_ms=cycle.p50_us / 1000, max_ms=cycle.max_us / 1000),
        latency=Latency(
            p50_ms=latency.p50_us / 1000, p95_ms=latency.p95_us / 1000, max_ms=latency.max_us / 1000
        ),
    )


def void_of(device: str, row: TotalsRow) -> VoidTotals:
    """What leaves in the place of a row that may not."""
    return VoidTotals(schema=1, device=device, stream=row.ledger, seq=row.row, void=True)


def quantities(counts: Mapping[Kind, int], lot: str) -> Quantities:
    """The quantities of ISO 22400-2; none for golden parts."""
    if lot == GOLDEN_LOT:
        return Quantities()
    good, scrap = counts.get(Kind.PASS, 0), counts.get(Kind.FAIL, 0)
    rework = counts.get(Kind.REVIEW, 0) + counts.get(Kind.FAULT, 0)
    return Quantities(produced=good + scrap + rework, good=good, scrap=scrap, rework=rework)


def kind_counts(counts: Mapping[Kind, int]) -> KindCounts:
    """Counts by kind, 0 for a kind that is not there."""
    return KindCounts(
        pass_=counts.get(Kind.PASS, 0),
        fail=counts.get(Kind.FAIL, 0),
        review=counts.get(Kind.REVIEW, 0),
        fault=counts.get(Kind.FAULT, 0),
    )


def cause_counts(counts: Mapping[Cause, int]) -> CauseCounts:
    """Counts by cause, 0 for a cause that is not there."""
    return CauseCounts(**{cause.value: counts.get(cause, 0) for cause in Cause})


def named(counts: Mapping[str, int], classes: Collection[str]) -> dict[str, int]:
    """Counts by class of defect; all that are not in `classes` together as `other`."""
    found: dict[str, int] = {}
    for name, count in counts.items():
        known = name if name in classes else OTHER
        found[known] = found.get(known, 0) + count
    return dict(sorted(found.items()))


def check_sums(totals: Totals) -> None:
    """Raises EngineerError when the counts contradict each other."""
    row, faults, causes = totals.seq, totals.counts.fault, totals.causes.faults
    if faults != causes:
        raise EngineerError(
            f"totals row {row}: {faults} faults, but {causes} causes; it does not leave"
        )
    if totals.counts.parts > totals.cumulative.parts:
        raise EngineerError(
            f"totals row {row}: {totals.counts.parts} parts in the window, but only "
            f"{totals.cumulative.parts} in all; it does not leave"
        )
