"""A ledger with days of windows in it, made in seconds by a clock that runs faster.

Promises: every part, review and window goes through the real ledger's own writer, in the order and
with the times at which a station would have written them while it was offline.
Never: writes a row of totals itself.
"""

import uuid
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

from inspector.core.clock import SECOND
from inspector.core.messages import Outcome
from inspector.core.orders import ReviewPart
from inspector.core.paths import Paths
from inspector.core.terms import Cause, Kind
from inspector.devices.ledger import Ledger
from support.outcomes import outcome

WINDOW_S = 10
PARTS = 3  # in each window
CHUNK = 32  # windows counted in one transaction
REVIEWED = 50  # of so many windows one is reviewed a while after it was counted
GRACE_S = 1.0
CAUSES = (Cause.LATE, Cause.CAMERA, Cause.FRAME)


@dataclass
class Past:
    """What was made."""

    windows: int
    rows: int = 0
    revisions: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)  # as people left them
    stream: str = field(default_factory=lambda: uuid.uuid4().hex)


def make_past(paths: Paths, windows: int, until_s: int, recipe: str = "plain") -> Past:
    """A ledger whose last of so many windows ends at `until_s`, or a little before."""
    past = Past(windows)
    first_s = until_s // WINDOW_S * WINDOW_S - windows * WINDOW_S
    paths.create()
    with closing(Ledger(paths.ledger, WINDOW_S, 0, first_s * SECOND)) as ledger:
        for start in range(0, windows, CHUNK):
            chunk = range(start, min(start + CHUNK, windows))
            now = (first_s + chunk.stop * WINDOW_S) * SECOND
            parts = [part for window in chunk for part in _parts(past, first_s, window, recipe)]
            ledger.commit([(part, False) for part in parts], wall_ns=now)
            _review(ledger, past, start - CHUNK, now)
            past.kinds.update(part.kind for part in parts)
            _count(ledger, past, now + 2 * SECOND)
        _count(ledger, past, now + 4 * SECOND)
        ledger.checkpoint()
    return past


def _parts(past: Past, first_s: int, window: int, recipe: str) -> list[Outcome]:
    begin = (first_s + window * WINDOW_S) * SECOND
    return [
        outcome(
            seq,
            _kind(seq),
            cause=CAUSES[seq % 3] if _kind(seq) is Kind.FAULT else None,
            stream=past.stream,
            trigger_wall_ns=begin + (seq % PARTS) * WINDOW_S * SECOND // PARTS,
            recipe=recipe,
            lot=f"L{window // 500}",
        )
        for seq in range(window * PARTS, (window + 1) * PARTS)
    ]


def _kind(seq: int) -> Kind:
    kinds = {0: Kind.FAIL, 7: Kind.FAIL, 11: Kind.REVIEW, 13: Kind.FAULT}
    return kinds.get(seq % 17, Kind.PASS)


def _review(ledger: Ledger, past: Past, first: int, now: int) -> None:
    """People look at some of the parts of the chunk that was counted last."""
    for window in range(max(0, first), first + CHUNK):
        if window % REVIEWED:
            continue
        seq = window * PARTS + 1
        found = Kind.FAIL if _kind(seq) is Kind.PASS else Kind.PASS
        defect = "scratch" if found is Kind.FAIL else ""
        finding = ReviewPart(stream=past.stream, seq=seq, verdict=found.value, defect_class=defect)
        ledger.review(finding, "anna", "", now)
        past.kinds[_kind(seq)] -= 1
        past.kinds[found] += 1


def _count(ledger: Ledger, past: Past, now: int) -> None:
    while rows := ledger.close_windows(now, GRACE_S):
        past.rows += len(rows)
        past.revisions += sum(row.revision > 1 for row in rows)
