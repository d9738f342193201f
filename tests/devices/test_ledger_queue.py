"""Findings taken back, the queue of parts to look at, and what the sums say of them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.outcomes import STREAM, WALL, mixed, outcome

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.messages import Outcome
from inspector.core.orders import ReviewPart
from inspector.core.terms import Cause, FrameFormat, FrameRef, Kind, Pixel
from inspector.devices.ledger import CannotWrite, Ledger, LedgerReader, Sums
from inspector.domain.challenge import LOT

LATER = WALL + 3600 * SECOND
MINUTE = 60 * SECOND
FRAME = FrameRef(slot=1, generation=5, format=FrameFormat(width=640, height=480, pixel=Pixel.MONO8))


def commit(ledger: Ledger, *outcomes: Outcome) -> list[Outcome]:
    return ledger.commit([(outcome, False) for outcome in outcomes], (), (), WALL)


def find(ledger: Ledger, seq: int, verdict: str = "fail", defect_class: str = "dent") -> int:
    review = ReviewPart(stream=STREAM, seq=seq, verdict=verdict, defect_class=defect_class)  # type: ignore[arg-type]
    return ledger.review(review, "anna", "seen", LATER)


def queue(reader: LedgerReader) -> list[int]:
    return [part.outcome.seq for part in reader.to_review(1000)]


def test_withdrawn_finding_counts_as_if_it_had_never_been(
    ledger: Ledger, reader: LedgerReader
) -> None:
    commit(ledger, outcome(1, Kind.FAIL), outcome(2))
    (before,) = ledger.close_windows(LATER, 0)
    find(ledger, 1, "pass")
    (found,) = ledger.close_windows(LATER + 2 * SECOND, 0)
    assert (found.revision, found.totals.counts, found.totals.overkill) == (2, {Kind.PASS: 2}, 1)
    assert find(ledger, 1, "withdrawn") == 2
    (after,) = ledger.close_windows(LATER + 4 * SECOND, 0)
    assert (after.revision, after.totals, after.cumulative) == (3, before.totals, before.cumulative)
    part = reader.part(STREAM, 1)
    assert part is not None
    assert (part.finding, part.defect_class, part.reviewed_by) == (None, "", "")
    assert reader.parts(10)[1].finding is None
    with closing(sqlite3.connect(ledger.path)) as database:
        assert database.execute("SELECT DISTINCT reviewed_as FROM parts").fetchall() == [(None,)]
        told = database.execute("SELECT verdict FROM reviews ORDER BY revision").fetchall()
    assert told == [("pass",), ("withdrawn",)]
    assert len(reader.audit()) == 2


def test_finding_after_a_withdrawn_one_counts(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, outcome(1, Kind.FAIL))
    find(ledger, 1, "pass")
    find(ledger, 1, "withdrawn")
    assert find(ledger, 1, "fail", "scratch") == 3
    (row,) = ledger.close_windows(LATER + 2 * SECOND, 0)
    assert row.totals.defect_classes == {"scratch": 1}
    part = reader.part(STREAM, 1)
    assert part is not None
    assert (part.finding, part.defect_class) == (Kind.FAIL, "scratch")


def test_nothing_to_take_back_is_refused(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, outcome(1, Kind.FAIL))
    with pytest.raises(OperatorError, match="no finding to take back"):
        find(ledger, 1, "withdrawn")
    find(ledger, 1)
    find(ledger, 1, "withdrawn")
    with pytest.raises(OperatorError, match="no finding to take back"):
        find(ledger, 1, "withdrawn")
    assert queue(reader) == [1]


def test_queue_holds_what_did_not_pass_until_somebody_has_looked(
    ledger: Ledger, reader: LedgerReader
) -> None:
    commit(ledger, *map(mixed, range(40)))
    assert queue(reader) == [31, 27, 11, 7]
    find(ledger, 11)
    find(ledger, 27, "pass")
    find(ledger, 27)  # thought better of
    find(ledger, 3)  # one that had passed
    assert queue(reader) == [31, 7]
    find(ledger, 11, "withdrawn")
    find(ledger, 3, "withdrawn")
    assert queue(reader) == [31, 11, 7]
    assert ledger.sums().to_review == reader.sums().to_review == 3
    commit(ledger, *map(mixed, range(40)))  # sent again
    assert reader.sums().to_review == 3


def test_queue_is_paged_from_the_newest(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, *(outcome(seq, Kind.REVIEW) for seq in range(10)))
    first = reader.to_review(4)
    second = reader.to_review(4, before_id=first[-1].id)
    assert [part.outcome.seq for part in first + second] == [9, 8, 7, 6, 5, 4, 3, 2]


def test_golden_part_never_enters_the_queue(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, outcome(1, Kind.FAIL, lot=LOT), outcome(2, Kind.REVIEW, lot=LOT))
    find(ledger, 1, "pass")
    find(ledger, 1, "withdrawn")
    assert queue(reader) == []
    assert ledger.sums().to_review == 0


def test_fault_is_nothing_to_look_at(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, outcome(1, Kind.FAULT, cause=Cause.LATE))
    find(ledger, 1, "pass")
    find(ledger, 1, "withdrawn")
    assert queue(reader) == []


def test_pixels_are_added_up_once(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, outcome(1, frame=FRAME), outcome(2), outcome(3, frame=FRAME))
    commit(ledger, outcome(3, frame=FRAME))
    assert reader.sums() == ledger.sums() == Sums(pixel_bytes=2 * 640 * 480, committed=3)


def test_commit_that_fails_leaves_the_sums_as_they_were(
    ledger: Ledger, reader: LedgerReader
) -> None:
    commit(ledger, outcome(1, Kind.FAIL, frame=FRAME))
    before = ledger.sums()
    ledger._db.execute("PRAGMA query_only = 1")
    with pytest.raises(CannotWrite):
        commit(ledger, outcome(2, Kind.FAIL, frame=FRAME))
    with pytest.raises(CannotWrite):
        find(ledger, 1)
    ledger._db.execute("PRAGMA query_only = 0")
    assert ledger.sums() == reader.sums() == before
    commit(ledger, outcome(2, Kind.FAIL, frame=FRAME))
    assert ledger.sums() == reader.sums()


def test_sums_are_known_after_a_restart(ledger: Ledger) -> None:
    commit(ledger, outcome(1, Kind.FAIL, frame=FRAME))
    with closing(Ledger(ledger.path, 10, 0, WALL)) as again:
        assert again.sums() == ledger.sums() != Sums()


def test_classes_are_those_of_findings_that_stand(ledger: Ledger, reader: LedgerReader) -> None:
    assert reader.classes() == []
    commit(ledger, *(outcome(seq, Kind.FAIL) for seq in range(6)))
    for seq, name in enumerate(("scratch", "dent", "dent", "typo", "")):
        find(ledger, seq, "fail", name)
    find(ledger, 5, "pass", "of no meaning here")
    find(ledger, 3, "withdrawn")
    find(ledger, 1, "pass")
    assert reader.classes() == ["dent", "scratch"]


def test_parts_of_a_time_can_be_paged_and_chosen(ledger: Ledger, reader: LedgerReader) -> None:
    parts = [mixed(seq, trigger_wall_ns=WALL + seq * SECOND) for seq in range(200)]
    commit(ledger, *parts[:150])
    commit(ledger, outcome(500, trigger_wall_ns=WALL + 60 * SECOND))  # the clock was set back
    commit(ledger, *parts[150:])
    between = (WALL + 45 * SECOND, WALL + 75 * SECOND)
    found = [part.outcome.seq for part in reader.parts(100, between=between)]
    assert found == [500, *range(74, 44, -1)]
    chosen = reader.parts(100, kinds=[Kind.FAIL, Kind.REVIEW], between=between)
    assert [part.outcome.seq for part in chosen] == [71, 67, 51, 47]
    passed = reader.parts(100, kinds=[Kind.PASS], between=between)
    assert {part.outcome.kind for part in passed} == {Kind.PASS}
    first = reader.parts(10, between=between)
    second = reader.parts(10, before_id=first[-1].id, between=between)
    assert [part.outcome.seq for part in first + second] == found[:20]
    assert reader.parts(10, between=(WALL - MINUTE, WALL)) == []
    assert reader.parts(10, between=(LATER, LATER + MINUTE)) == []


def test_parts_of_a_time_before_the_first_second_of_a_long_window(root: Path) -> None:
    with closing(Ledger(root / "long.db", 86_400, 0, WALL)) as ledger:
        commit(ledger, *(outcome(n, trigger_wall_ns=WALL + n * MINUTE) for n in range(100)))
        with closing(LedgerReader(ledger.path)) as reader:
            found = reader.parts(10, between=(WALL + 50 * MINUTE, WALL + 52 * MINUTE))
    assert [part.outcome.seq for part in found] == [51, 50]


@pytest.mark.parametrize("ask", ["to_review", "sums", "classes", "departures", "challenges"])
def test_ledger_that_is_empty_is_answered_in_one_line(root: Path, ask: str) -> None:
    path = root / "ledger.db"
    path.write_bytes(b"")
    _assert_one_line(path, ask, "has ledger version 0.*start record of this program first")


@pytest.mark.parametrize("ask", ["to_review", "sums", "classes", "departures", "challenges"])
def test_ledger_that_is_newer_is_answered_in_one_line(ledger: Ledger, ask: str) -> None:
    ledger._db.execute("PRAGMA user_version = 99")
    _assert_one_line(ledger.path, ask, "has ledger version 99, this program reads")


def test_ledger_that_is_locked_is_answered_in_one_line(ledger: Ledger) -> None:
    commit(ledger, outcome(1))
    path = ledger.path
    ledger.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        _assert_one_line(path, "sums", r"cannot be read \(database is locked\)")


def test_ledger_of_rubbish_is_answered_in_one_line(root: Path) -> None:
    path = root / "ledger.db"
    path.write_bytes(b"this is no database at all" * 400)
    _assert_one_line(path, "sums", r"cannot be read \(file is not a database\)")


def _assert_one_line(path: Path, ask: str, words: str) -> None:
    arguments = () if ask in ("sums", "classes") else (10,)
    with (
        closing(LedgerReader(path)) as reader,
        pytest.raises(MaintainerError, match=words) as error,
    ):
        getattr(reader, ask)(*arguments)
    assert "\n" not in str(error.value)
