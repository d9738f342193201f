"""A receiver's totals equal the sender's, in whatever order and however often rows come."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from support.totals_stream import Sender, message, payload, topic, void

from inspector.core.terms import Kind
from inspector.domain.egress.totals import Quantities, Totals
from inspector.domain.receiving import (
    NEW,
    NOTHING,
    Account,
    Became,
    Latest,
    Row,
    Seen,
    counts_of,
    give_up,
    mark_of,
    read_row,
    take,
    window_of,
)

KINDS = st.lists(st.sampled_from(Kind), min_size=1, max_size=6)
WINDOWS = st.lists(st.tuples(st.integers(0, 8), KINDS), min_size=1, max_size=25)


class Receiver:
    """The rule with its notes kept in memory."""

    def __init__(self) -> None:
        self.account = Account()
        self.marks: dict[int, int] = {}
        self.windows: dict[tuple[str, ...], Totals] = {}

    def take(self, row: Row) -> Became:
        standing = self.windows.get(window_of(row)) if isinstance(row, Totals) else None
        latest = Latest(standing.revision, counts_of(standing.counts)) if standing else None
        became = take(self.account, row, self.marks.get(row.seq), latest)
        if became in NEW:
            self.marks[row.seq] = mark_of(row)
        if isinstance(row, Totals) and became in (Became.COUNTED, Became.CORRECTED):
            self.windows[window_of(row)] = row
        return became


def four(counts: dict[Kind, int]) -> tuple[int, ...]:
    return tuple(counts[kind] for kind in Kind)


def sender_of(windows: list[tuple[int, list[Kind]]]) -> Sender:
    sender = Sender()
    for number, kinds in windows:
        sender.window(number, kinds)
    return sender


@given(WINDOWS, st.data())
def test_totals_equal_the_senders_in_any_order_with_duplicates(
    windows: list[tuple[int, list[Kind]]], data: st.DataObject
) -> None:
    sender = sender_of(windows)
    rows = [message(row) for row in sender.rows]
    repeated = data.draw(st.lists(st.sampled_from(rows), max_size=20))
    receiver = Receiver()
    for row in data.draw(st.permutations(rows + repeated)):
        receiver.take(row)
    assert receiver.account.counts == four(sender.counts()) == receiver.account.cumulative
    assert receiver.account.seen.through == len(rows)
    assert receiver.account.whole
    assert not receiver.account.contradicts
    assert not receiver.account.clashes
    assert {row.revision for row in receiver.windows.values()} == {
        row.revision for row in sender._latest.values()
    }


@given(WINDOWS, st.data())
def test_gaps_are_exactly_the_rows_that_are_missing(
    windows: list[tuple[int, list[Kind]]], data: st.DataObject
) -> None:
    sender = sender_of(windows)
    lost = data.draw(st.sets(st.integers(1, len(sender.rows))))
    receiver = Receiver()
    came = [message(row) for row in sender.rows if row.row not in lost]
    for row in data.draw(st.permutations(came)):
        receiver.take(row)
    highest = max((row.seq for row in came), default=0)
    missing = {
        seq for first, last in receiver.account.seen.gaps() for seq in range(first, last + 1)
    }
    assert missing == {seq for seq in lost if seq < highest}
    assert receiver.account.seen.through == min(lost | {highest + 1}) - 1
    # What is missing is told in parts too, by the sender's own count.
    if came:
        told = tuple(sender.rows[highest - 1].cumulative.get(kind, 0) for kind in Kind)
        assert receiver.account.cumulative == told
    for row in sender.rows:  # and once they come, all is well
        receiver.take(message(row))
    assert receiver.account.difference == NOTHING
    assert not receiver.account.seen.gaps()


@given(WINDOWS, st.data())
def test_void_rows_close_their_gap_and_are_told_in_parts(
    windows: list[tuple[int, list[Kind]]], data: st.DataObject
) -> None:
    sender = sender_of(windows)
    voids = data.draw(st.sets(st.integers(1, len(sender.rows))))
    rows: list[Row] = [void(row) if row.row in voids else message(row) for row in sender.rows]
    receiver = Receiver()
    for row in data.draw(st.permutations(rows)):
        receiver.take(row)
    assert receiver.account.seen.through == len(rows)
    assert receiver.account.voids == len(voids)
    assert receiver.account.whole == (not voids)
    assert not receiver.account.contradicts
    for row in sender.rows:  # a void row that comes after all counts
        receiver.take(message(row))
    assert receiver.account.voids == 0
    assert receiver.account.counts == four(sender.counts())


@given(WINDOWS, st.data())
def test_given_up_rows_are_no_gap_and_still_count_when_they_come(
    windows: list[tuple[int, list[Kind]]], data: st.DataObject
) -> None:
    sender = sender_of(windows)
    lost = data.draw(st.sets(st.integers(1, len(sender.rows))))
    receiver = Receiver()
    for row in sender.rows:
        if row.row not in lost:
            receiver.take(message(row))
    gaps = sum(last - first + 1 for first, last in receiver.account.seen.gaps())
    assert give_up(receiver.account) == gaps == receiver.account.given_up
    assert not receiver.account.seen.gaps()
    assert not receiver.account.contradicts
    for row in sender.rows:
        receiver.take(message(row))
    assert receiver.account.given_up == 0
    assert receiver.account.counts == four(sender.counts())


@settings(max_examples=300)
@given(st.lists(st.integers(1, 40), max_size=60))
def test_seen_knows_what_a_set_knows(seqs: list[int]) -> None:
    seen, known = Seen(), set[int]()
    for seq in seqs:
        assert seen.add(seq) == (seq not in known)
        known.add(seq)
        missing = set(range(1, max(known) + 1)) - known
        assert {n for first, last in seen.gaps() for n in range(first, last + 1)} == missing
        assert seen.through == min(missing, default=max(known) + 1) - 1
        assert seen.highest == max(known)
        assert all((n in seen) == (n in known) for n in range(1, 45))


def test_two_senders_with_one_identity_are_told() -> None:
    one, two, receiver = Sender(), Sender(), Receiver()
    one.window(0, [Kind.PASS])
    two.window(0, [Kind.FAIL])
    assert receiver.take(message(one.rows[0])) is Became.COUNTED
    assert receiver.take(message(two.rows[0])) is Became.CLASH
    assert receiver.account.clashes == 1
    assert receiver.account.counts == (1, 0, 0, 0)


def test_sums_that_the_sender_contradicts_are_told() -> None:
    sender, receiver = Sender(), Receiver()
    sender.window(0, [Kind.PASS, Kind.PASS])
    row = message(sender.rows[0])
    receiver.take(structs.replace(row, cumulative=structs.replace(row.cumulative, pass_=3)))
    assert receiver.account.contradicts
    assert receiver.account.difference == (1, 0, 0, 0)


def test_the_very_bytes_that_leave_are_read() -> None:
    sender = Sender()
    row = message(sender.window(0, [Kind.PASS, Kind.FAULT, Kind.REVIEW]))
    assert read_row(topic(), payload(row)) == row
    assert read_row(topic(), payload(void(sender.rows[0]))) == void(sender.rows[0])
    golden = message(sender.window(1, [Kind.PASS], lot="challenge"))
    assert read_row(topic(), payload(golden)) == golden


def test_foreign_messages_on_the_topic_are_not_counted() -> None:
    row = message(Sender().window(0, [Kind.PASS]))
    good = payload(row)
    other = "acme/lyon/press/l1/c8"
    assert read_row(topic(other), good) is None, "another device's topic"
    assert read_row(topic() + "/x", good) is None
    for data in (b"", b"{}", b"null", b"[1]", b"\xff\xd8\xff\xe0", good[:-1], good + b" " * 5000):
        assert read_row(topic(), data) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 0},
        {"revision": 0},
        {"end": "2023-11-14T22:13:20Z"},
        {"quantities": Quantities(produced=2, good=2)},
        {"quantities": Quantities()},
        {"first_pass": -1},
        {"schema": 2},
        {"counts": {"pass": 2}},
        {"counts": {"fault": 1}},
        {"counts": {"pass": 2**41}, "cumulative": {"pass": 2**41}},
        {"picture": "iVBORw0KGgo="},
    ],
)
def test_a_row_that_contradicts_itself_is_not_counted(changes: dict[str, Any]) -> None:
    row = message(Sender().window(0, [Kind.PASS]))
    changed = msgspec.to_builtins(row) | msgspec.to_builtins(changes)
    assert read_row(topic(), msgspec.json.encode(changed)) is None
