"""Counting outcomes: windows of time, their totals, and how a total is revised.

Promises: every outcome falls into exactly one window; triggers = pass + fail + review + fault in
every total; the latest revisions of all windows, and the newest cumulative counts, both sum to
the outcomes counted. A person's finding moves a part to pass or fail and is counted as such.
Never: reads a clock, forgets a revision, or counts from anything but the parts given.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from inspector.core.clock import SECOND
from inspector.core.errors import EngineerError
from inspector.core.terms import Cause, Kind

STRANDED_NS = 3600 * SECOND  # no two clocks of one station are so far apart


@dataclass(frozen=True, slots=True)
class Part:
    """What counting needs to know of one committed outcome and its latest review."""

    kind: Kind
    cause: Cause | None
    latency_us: int
    finding: Kind | None = None  # PASS or FAIL, by a person
    defect_class: str = ""  # of a failed part: a person's word, else the model's where it has one
    stream: int = 0  # which run of a camera
    seq: int = 0  # within it
    wall_ns: int = 0  # of the trigger


@dataclass(frozen=True, slots=True)
class Latency:
    """Trigger to output in microseconds, by nearest rank, faults included; 0 without parts."""

    p50_us: int = 0
    p95_us: int = 0
    max_us: int = 0


@dataclass(frozen=True, slots=True)
class Cycle:
    """From one trigger of a camera to its next, microseconds, by nearest rank; 0 where there are
    not two, one right after the other, in the window."""

    p50_us: int = 0
    max_us: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """One window's counts. `counts` and `causes` hold only what occurred."""

    counts: Mapping[Kind, int] = field(default_factory=dict)
    causes: Mapping[Cause, int] = field(default_factory=dict)  # of the parts that are still faults
    defect_classes: Mapping[str, int] = field(default_factory=dict)  # of failed parts, where known
    first_pass: int = 0  # passed by the model, and by nobody found bad
    reviewed: int = 0
    overkill: int = 0  # failed by the model, found good
    escape: int = 0  # passed by the model, found bad
    latency: Latency = field(default_factory=Latency)
    cycle: Cycle = field(default_factory=Cycle)

    @property
    def triggers(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class TotalsRow:
    """One totals row as committed. Times are whole seconds since 1970-01-01 UTC, end exclusive."""

    ledger: str  # 32 hexadecimal digits; new with every new ledger
    row: int  # from 1, without gaps
    start_s: int
    end_s: int
    recipe: str
    lot: str
    model: str
    revision: int  # from 1; a higher one of the same window, recipe, lot and model replaces it
    totals: Totals
    cumulative: Mapping[Kind, int]  # of the whole ledger, up to this row
    status: str = "pending"  # pending, delivered, quarantined
    sent: bool = False  # the broker has it; whether the receiver has is another question


def window_start(wall_ns: int, window_s: int) -> int:
    """The second at which the window of `wall_ns` begins: a multiple of `window_s`."""
    return wall_ns // SECOND // window_s * window_s


def next_window(start_s: int, end_s: int, window_s: int) -> tuple[int, int]:
    """The window for parts that come to one that is closed for good: a second shorter, or else
    the one after it."""
    return (start_s + 1, end_s) if start_s + 1 < end_s else (end_s, end_s + window_s)


def is_over(end_s: int, now_wall_ns: int, grace_s: float) -> bool:
    """True when no outcome of a window that ends at `end_s` is to be expected any more."""
    return now_wall_ns >= (end_s + grace_s) * SECOND


def is_stranded(start_s: int, now_wall_ns: int) -> bool:
    """True when a window begins so far ahead that the clock must have been set back since: to
    wait for its end may take years. Should the clock come there again, it is counted anew."""
    return start_s * SECOND > now_wall_ns + STRANDED_NS


def final_kind(part: Part) -> Kind:
    """What the part is counted as: a person's finding, or else what happened to it."""
    return part.finding or part.kind


def tally(parts: Iterable[Part]) -> Totals:
    """The totals of one window's parts, in one pass."""
    counts: Counter[Kind] = Counter()
    causes: Counter[Cause] = Counter()
    classes: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    latencies = array("q")  # 8 bytes each: a window may hold a day's parts
    triggers = array("q")  # stream, seq, time
    for part in parts:
        latencies.append(part.latency_us)
        triggers.extend((part.stream, part.seq, part.wall_ns))
        final = final_kind(part)
        counts[final] += 1
        if final is Kind.FAULT:
            causes[_cause(part)] += 1
        if part.finding:
            moved += Counter(_moves(part))
        if final is Kind.FAIL and part.defect_class:
            classes[part.defect_class] += 1
    passed_by_model = counts[Kind.PASS] - moved["found_good"]
    return Totals(
        counts={kind: counts[kind] for kind in Kind if counts[kind]},
        causes={cause: causes[cause] for cause in Cause if causes[cause]},
        defect_classes=dict(sorted(classes.items())),
        first_pass=passed_by_model,
        reviewed=moved["reviewed"],
        overkill=moved["overkill"],
        escape=moved["escape"],
        latency=latency_of(latencies),
        cycle=cycle_of(triggers),
    )


def latency_of(latencies_us: Sequence[int]) -> Latency:
    """p50, p95 (nearest rank) and maximum."""
    count = len(latencies_us)
    if not count:
        return Latency()
    ordered = np.sort(np.asarray(latencies_us, np.int64))
    p50, p95 = (int(ordered[math.ceil(count * share / 100) - 1]) for share in (50, 95))
    return Latency(p50, p95, int(ordered[-1]))


def cycle_of(triggers: Sequence[int]) -> Cycle:
    """p50 (nearest rank) and maximum of the times between triggers that follow each other.
    `triggers`: stream, seq and wall time in ns, of one part after another, in any order."""
    if len(triggers) < 6:
        return Cycle()
    stream, seq, wall_ns = np.asarray(triggers, np.int64).reshape(-1, 3).T
    order = np.lexsort((wall_ns, seq, stream))
    steps = np.diff(wall_ns[order])
    # A part that is counted elsewhere leaves a gap, and a clock set back a step that was none.
    follows = (np.diff(stream[order]) == 0) & (np.diff(seq[order]) == 1) & (steps >= 0)
    ordered = np.sort(steps[follows]) // 1000
    if not len(ordered):
        return Cycle()
    return Cycle(int(ordered[math.ceil(len(ordered) / 2) - 1]), int(ordered[-1]))


def first_pass_yield(totals: Totals) -> float | None:
    """Share of triggers (0 to 1) that were good the first time; None without triggers."""
    return totals.first_pass / totals.triggers if totals.triggers else None


def needs_revision(latest: Totals | None, counted: Totals) -> bool:
    """True when `counted` says something that the window's latest row does not."""
    return latest != counted if latest else counted.triggers > 0


def cumulate(before: Mapping[Kind, int], latest: Totals | None, counted: Totals) -> dict[Kind, int]:
    """The cumulative counts of a row that puts `counted` in the place of the window's `latest`.

    Raises EngineerError when a count would fall below zero: rows are missing or doubled.
    """
    old = latest.counts if latest else {}
    after = {
        kind: before.get(kind, 0) - old.get(kind, 0) + counted.counts.get(kind, 0) for kind in Kind
    }
    if min(after.values()) < 0:
        raise EngineerError(f"totals: the cumulative counts fall below zero ({after})")
    return after


def _cause(part: Part) -> Cause:
    """A fault's cause. One without, which no gate sends, counts as lost rather than vanish."""
    return part.cause or Cause.LOST


def _moves(part: Part) -> list[str]:
    """What a person's finding says of the model's verdict. A model's pass that is confirmed
    stays a first pass; every other part found good is good only by the person."""
    found = ["reviewed"]
    if part.finding is Kind.PASS and part.kind is not Kind.PASS:
        found.append("found_good")
    if part.finding is Kind.PASS and part.kind is Kind.FAIL:
        found.append("overkill")
    if part.finding is Kind.FAIL and part.kind is Kind.PASS:
        found.append("escape")
    return found
