"""Receiving totals, as the plant's MES would: every row once, each window's latest revision, and
what is missing.

Promises: a row counts once, however often and in whatever order rows come; of a window the highest
revision stands; the gaps are exactly the rows that have not come; nothing beyond the first gap is
acknowledged; a row that contradicts itself, its topic or an earlier row is told of and not counted.
Never: knows where rows come from or where they are kept, or reads a clock.

What has to be kept, for each `(device, stream)`: which `seq` have come, the latest revision of each
window `(start, end, recipe, lot, model)`, and an `Account`.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from inspector.core.errors import EngineerError
from inspector.core.terms import Kind
from inspector.domain.egress.letter import MAX_BYTES
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.totals import (
    KindCounts,
    Totals,
    VoidTotals,
    check_sums,
    quantities,
)

MOST_PARTS = 2**40  # in one window, which is a day at the longest; more is nonsense

Row = Totals | VoidTotals
Counts = tuple[int, int, int, int]  # pass, fail, review, fault
Run = tuple[int, int]  # the first and the last of some rows without a gap
Window = tuple[str, str, str, str, str]  # start, end, recipe, lot, model
VOID = 0  # the mark of a void row, where a row that counts has its digest
NOTHING: Counts = (0, 0, 0, 0)

_totals = msgspec.json.Decoder(Totals)
_void = msgspec.json.Decoder(VoidTotals)


class Seen:
    """Which rows of one stream have come: all up to `through`, and the runs `later`."""

    def __init__(self, through: int = 0, later: Iterable[Run] = ()) -> None:
        self.through = through
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in later:
            self._firsts.append(first)
            self._lasts.append(last)

    def __contains__(self, seq: int) -> bool:
        at = bisect_right(self._firsts, seq) - 1
        return seq <= self.through or (at >= 0 and seq <= self._lasts[at])

    @property
    def highest(self) -> int:
        """The highest row that has come; 0 before the first."""
        return self._lasts[-1] if self._lasts else self.through

    def add(self, seq: int) -> bool:
        """Note a row, from 1. True when it had not come before."""
        if seq in self:
            return False
        at = bisect_right(self._firsts, seq)
        joins_left = at > 0 and self._lasts[at - 1] == seq - 1
        joins_right = at < len(self._firsts) and self._firsts[at] == seq + 1
        first = self._firsts[at - 1] if joins_left else seq
        last = self._lasts[at] if joins_right else seq
        span = slice(at - joins_left, at + joins_right)
        self._firsts[span], self._lasts[span] = [first], [last]
        self._advance()
        return True

    def gaps(self) -> list[Run]:
        """The rows that have not come although a later one has, in order."""
        ends = [self.through, *self._lasts]
        return [(end + 1, first - 1) for end, first in zip(ends, self._firsts, strict=False)]

    def give_up(self) -> int:
        """Wait no longer for what is missing. Returns how many rows that are."""
        missing = sum(last - first + 1 for first, last in self.gaps())
        self.through, self._firsts, self._lasts = self.highest, [], []
        return missing

    def _advance(self) -> None:
        if self._firsts and self._firsts[0] == self.through + 1:
            self.through = self._lasts[0]
            del self._firsts[0], self._lasts[0]


@dataclass
class Account:
    """What has come of one stream. `counts` are the sums of the windows' latest revisions,
    `cumulative` what the sender itself had counted with row `cumulative_seq`."""

    seen: Seen = field(default_factory=Seen)
    counts: Counts = NOTHING
    cumulative: Counts = NOTHING
    cumulative_seq: int = 0
    voids: int = 0  # rows that exist and could not leave
    given_up: int = 0  # rows that nobody waits for any longer
    clashes: int = 0  # rows that came a second time and said something else

    @property
    def difference(self) -> Counts:
        """Parts that the sender has counted and that are not in `counts`, by kind. Below 0 where
        a correction is missing."""
        return minus(self.cumulative, self.counts)

    @property
    def whole(self) -> bool:
        """Every row up to the highest has come, with what it says."""
        return not (self.seen.gaps() or self.voids or self.given_up)

    @property
    def contradicts(self) -> bool:
        """The sender's cumulative counts are not the sum of its windows, although all came."""
        return self.whole and self.difference != NOTHING


class Became(StrEnum):
    """What became of a row that came."""

    COUNTED = "counted"  # it is the latest of its window
    CORRECTED = "corrected"  # and took the place of an earlier revision
    OUTDATED = "outdated"  # a higher revision had come before it
    VOID = "void"
    DUPLICATE = "duplicate"
    CLASH = "clash"  # this row had come before and said something else: two senders, one identity


NEW = frozenset({Became.COUNTED, Became.CORRECTED, Became.OUTDATED, Became.VOID})


@dataclass(frozen=True, slots=True)
class Latest:
    """The revision of a window that stands."""

    revision: int
    counts: Counts


def read_row(topic: str, data: bytes) -> Row | None:
    """The row in these bytes, or None: no totals of this schema, of another device than the topic
    names, or with sums that do not add up. Raises on no bytes whatever."""
    row = _decoded(data)
    if row is None or topic != Topics(row.device).totals or row.seq < 1:
        return None
    return row if isinstance(row, VoidTotals) or _adds_up(row) else None


def take(account: Account, row: Row, mark: int | None, latest: Latest | None) -> Became:
    """Enter one row. `mark`: what is noted under its seq (`mark_of`), None where nothing is;
    `latest`: what stands for its window. On COUNTED and CORRECTED the caller puts the row in the
    window's place; on all but DUPLICATE and CLASH it notes the row's mark."""
    if mark is not None and (isinstance(row, VoidTotals) or mark != VOID):
        clash = isinstance(row, Totals) and mark != mark_of(row)
        account.clashes += clash
        return Became.CLASH if clash else Became.DUPLICATE
    _enter(account, row.seq, mark)
    if isinstance(row, VoidTotals):
        account.voids += 1
        return Became.VOID
    if row.seq > account.cumulative_seq:
        account.cumulative, account.cumulative_seq = counts_of(row.cumulative), row.seq
    if latest and latest.revision >= row.revision:
        return Became.OUTDATED
    before = latest.counts if latest else NOTHING
    account.counts = plus(minus(account.counts, before), counts_of(row.counts))
    return Became.CORRECTED if latest else Became.COUNTED


def give_up(account: Account) -> int:
    """Wait no longer for the rows that are missing; should one come all the same, it counts.
    Returns how many they are."""
    missing = account.seen.give_up()
    account.given_up += missing
    return missing


def mark_of(row: Row) -> int:
    """What is noted under a row's seq: VOID, or a digest of what it counts, 1 to 2**63 - 1."""
    if isinstance(row, VoidTotals):
        return VOID
    said = (*window_of(row), row.revision, *counts_of(row.counts), *counts_of(row.cumulative))
    digest = hashlib.sha256(repr(said).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1 or 1


def window_of(row: Totals) -> Window:
    """What a later revision replaces."""
    return (row.start, row.end, row.recipe, row.lot, row.model)


def counts_of(counts: KindCounts) -> Counts:
    return (counts.pass_, counts.fail, counts.review, counts.fault)


def plus(one: Counts, two: Counts) -> Counts:
    return (one[0] + two[0], one[1] + two[1], one[2] + two[2], one[3] + two[3])


def minus(one: Counts, two: Counts) -> Counts:
    return (one[0] - two[0], one[1] - two[1], one[2] - two[2], one[3] - two[3])


def _enter(account: Account, seq: int, mark: int | None) -> None:
    if mark == VOID:  # it was told of as void, and comes after all
        account.voids -= 1
    elif not account.seen.add(seq):  # nobody waited for it any longer
        account.given_up -= 1


def _decoded(data: bytes) -> Row | None:
    if len(data) > MAX_BYTES:
        return None
    for decoder in (_totals, _void):
        try:
            return decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    return None


def _adds_up(row: Totals) -> bool:
    try:
        check_sums(row)
    except EngineerError:
        return False
    kinds = dict(zip(Kind, counts_of(row.counts), strict=True))
    return (
        row.revision >= 1
        and row.start < row.end
        and row.counts.parts <= MOST_PARTS
        and row.quantities == quantities(kinds, row.lot)
    )
