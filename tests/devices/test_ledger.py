"""The ledger's contents: parts once, totals from rows, reviews as revisions."""

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from support.outcomes import STREAM, WALL, mark, mixed, outcome

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.messages import Event, Outcome
from inspector.core.orders import ReviewPart
from inspector.core.terms import Box, Cause, FrameFormat, FrameRef, Heatmap, Kind, Pixel, Severity
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.devices.ledger.maintenance import export
from inspector.domain.audit import broken_at

WINDOW_S = 10
LATER = WALL + 3600 * SECOND


def commit(ledger: Ledger, *outcomes: Outcome) -> list[Outcome]:
    detailed = [(outcome, outcome.heatmap is not None) for outcome in outcomes]
    return ledger.commit(detailed, (), (), WALL)


def find(ledger: Ledger, seq: int, verdict: str = "fail", defect_class: str = "dent") -> int:
    """Anna's finding; its revision."""
    review = ReviewPart(stream=STREAM, seq=seq, verdict=verdict, defect_class=defect_class)  # type: ignore[arg-type]
    return ledger.review(review, "anna", "seen", LATER)


def full_outcome() -> Outcome:
    format = FrameFormat(width=640, height=480, pixel=Pixel.BGR8)
    return outcome(
        3,
        Kind.FAIL,
        boxes=(Box(x=1, y=2, width=3, height=4, peak=1.5),),
        heatmap=Heatmap(width=2, height=1, scale=2.5, region=(0, 0, 640, 480), data=b"\0\xff"),
        frame=FrameRef(slot=2, generation=2**62, format=format),
    )


def test_outcome_comes_back_as_it_was(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, full_outcome(), outcome(4, Kind.FAULT, cause=Cause.CAMERA))
    part = reader.part(STREAM, 3)
    assert part is not None
    assert part.outcome == full_outcome()
    fault = reader.part(STREAM, 4)
    assert fault is not None
    assert fault.outcome == outcome(4, Kind.FAULT, cause=Cause.CAMERA)
    assert reader.part(STREAM, 5) is None


def test_same_part_is_recorded_once(ledger: Ledger, reader: LedgerReader) -> None:
    assert len(commit(ledger, *map(outcome, range(5)))) == 5
    fresh = commit(ledger, outcome(3, Kind.FAIL), outcome(5), outcome(4), outcome(5))
    assert fresh == [outcome(5)]
    assert commit(ledger, outcome(0)) == []
    assert ledger.committed == 6
    assert [part.outcome for part in reader.parts(10)] == [outcome(n) for n in range(5, -1, -1)]


def test_detail_of_a_repeated_part_is_not_written(ledger: Ledger) -> None:
    commit(ledger, outcome(3))
    commit(ledger, full_outcome())
    database = sqlite3.connect(ledger.path)
    assert database.execute("SELECT count(*) FROM detail").fetchone() == (0,)
    database.close()


def test_commit_that_fails_leaves_no_trace(ledger: Ledger, reader: LedgerReader) -> None:
    broken = outcome(1, latency_us=2**70)
    with pytest.raises(OverflowError):
        commit(ledger, outcome(0, recipe="other", stream="f" * 32), broken)
    commit(ledger, outcome(0, recipe="third"), outcome(1, stream="f" * 32))
    assert {part.outcome.recipe for part in reader.parts(9)} == {"third", "plain"}
    assert ledger.committed == 2


def test_window_is_counted_when_it_is_over(ledger: Ledger) -> None:
    commit(ledger, *map(mixed, range(40)))
    end = WALL // SECOND + WINDOW_S
    assert ledger.close_windows((end + 1) * SECOND, grace_s=2) == []
    (row,) = ledger.close_windows((end + 2) * SECOND, grace_s=2)
    assert (row.row, row.revision, row.end_s, row.ledger) == (1, 1, end, ledger.id)
    assert row.totals.counts == Counter(mixed(seq).kind for seq in range(40))
    assert row.totals.causes == {Cause.LATE: 2}
    assert row.totals.latency.max_us == 10_039
    assert ledger.close_windows(LATER, 0) == []


def test_window_waits_while_outcomes_still_come(ledger: Ledger) -> None:
    ledger.commit([(outcome(1), False)], (), (), LATER)
    assert ledger.close_windows(LATER + SECOND // 2, 0) == []
    assert len(ledger.close_windows(LATER + 2 * SECOND, 0)) == 1


def test_clock_set_back_does_not_hold_a_window(ledger: Ledger) -> None:
    ledger.commit([(outcome(1), False)], (), (), LATER + 86_400 * SECOND)
    assert len(ledger.close_windows(LATER, 0)) == 1


def test_clock_that_was_years_ahead_does_not_hold_its_windows_for_years(ledger: Ledger) -> None:
    ahead = 10 * 365 * 86_400 * SECOND
    ledger.commit([(outcome(1, trigger_wall_ns=WALL + ahead), False)], (), (), WALL + ahead)
    commit(ledger, outcome(2))
    rows = ledger.close_windows(LATER, 0)
    assert [row.totals.triggers for row in rows] == [1, 1]
    assert ledger.close_windows(LATER, 0) == []
    ledger.commit([(outcome(3, trigger_wall_ns=WALL + ahead), False)], (), (), WALL + ahead)
    (again,) = ledger.close_windows(LATER + ahead, 0)
    assert (again.revision, again.totals.triggers) == (2, 2)


def test_late_outcome_revises_its_window(ledger: Ledger) -> None:
    commit(ledger, outcome(1))
    ledger.close_windows(LATER, 0)
    commit(ledger, outcome(2, Kind.FAIL))
    (row,) = ledger.close_windows(LATER, 0)
    assert (row.row, row.revision, row.totals.triggers) == (2, 2, 2)
    assert row.cumulative == {Kind.PASS: 1, Kind.FAIL: 1}


def test_recipe_lot_and_model_are_counted_apart(ledger: Ledger) -> None:
    commit(
        ledger, outcome(1), outcome(2, recipe="b"), outcome(3, lot="L2"), outcome(4, model="m@0")
    )
    rows = ledger.close_windows(LATER, 0)
    assert [row.totals.triggers for row in rows] == [1, 1, 1, 1]
    assert [row.row for row in rows] == [1, 2, 3, 4]
    assert rows[-1].cumulative == {Kind.PASS: 4}


def test_review_revises_the_totals(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, outcome(1, Kind.REVIEW), outcome(2), outcome(3, Kind.FAULT))
    ledger.close_windows(LATER, 0)
    assert find(ledger, 1) == 1
    assert find(ledger, 2) == 1
    (row,) = ledger.close_windows(LATER + 2 * SECOND, 0)
    assert row.revision == 2
    assert row.totals.counts == {Kind.FAIL: 2, Kind.FAULT: 1}
    assert row.totals.defect_classes == {"dent": 2}
    assert (row.totals.escape, row.totals.reviewed, row.totals.first_pass) == (1, 2, 0)
    part = reader.part(STREAM, 1)
    assert part is not None
    assert (part.outcome.kind, part.finding, part.reviewed_by) == (Kind.REVIEW, Kind.FAIL, "anna")


def test_second_review_overwrites_nothing(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, outcome(1, Kind.FAIL))
    find(ledger, 1)
    assert find(ledger, 1, "pass", "") == 2
    (row,) = ledger.close_windows(LATER + 2 * SECOND, 0)
    assert (row.totals.counts, row.totals.overkill) == ({Kind.PASS: 1}, 1)
    database = sqlite3.connect(ledger.path)
    rows = database.execute("SELECT revision, verdict FROM reviews ORDER BY revision").fetchall()
    database.close()
    assert rows == [(1, "fail"), (2, "pass")]
    assert [entry.action for entry in reader.audit()] == ["review", "review"]


def test_review_of_an_unknown_part_is_refused(ledger: Ledger, reader: LedgerReader) -> None:
    with pytest.raises(OperatorError, match="part 9 of stream"):
        find(ledger, 9)
    assert reader.audit() == []


def test_audit_chain_shows_a_changed_entry(ledger: Ledger, reader: LedgerReader) -> None:
    for lot in ("A", "B", "C"):
        ledger.audit("anna", "switch_recipe", {"lot": lot}, WALL)
    assert broken_at(reader.audit()) is None
    database = sqlite3.connect(ledger.path)
    database.execute("UPDATE audit SET who = 'bert' WHERE id = 2")
    database.commit()
    database.close()
    assert broken_at(reader.audit()) == 2


def test_delivery_is_marked_and_not_unmarked(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, outcome(1), outcome(2, lot="L2"), outcome(3, lot="L3"))
    ledger.close_windows(LATER, 0)
    marks = [
        mark(ledger.id, 1),
        mark(ledger.id, 1, status="quarantined"),
        mark(ledger.id, 2, status="quarantined", detail="too large"),
        mark(ledger.id, 99),
        mark("f" * 32, 3),
    ]
    ledger.commit([], (), marks, LATER)
    assert [row.row for row in reader.pending()] == [3]
    assert [row.status for row in reader.totals_from(1)] == ["delivered", "quarantined", "pending"]


def test_events_are_kept(ledger: Ledger, reader: LedgerReader) -> None:
    event = Event(service="gate", severity=Severity.ALARM, code="x", text="y", wall_ns=WALL)
    ledger.commit([], [event], (), WALL)
    assert reader.events() == [event]
    assert reader.events(severities=[Severity.INFO]) == []


def test_parts_can_be_paged_and_chosen(ledger: Ledger, reader: LedgerReader) -> None:
    commit(ledger, *map(mixed, range(60)))
    bad = reader.parts(100, kinds=[Kind.FAIL, Kind.FAULT])
    assert [part.outcome.seq for part in bad] == [53, 47, 33, 27, 13, 7]
    page = reader.parts(10, before_id=reader.parts(10)[-1].id)
    assert [part.outcome.seq for part in page] == list(range(49, 39, -1))


@pytest.mark.parametrize(
    "view", ["parts", "faults", "totals", "streams", "reviews", "events", "audit_trail"]
)
def test_views_answer_a_person(ledger: Ledger, root: Path, view: str) -> None:
    commit(ledger, *map(mixed, (*range(18), 19)))
    ledger.close_windows(LATER, 0)
    find(ledger, 3)
    ledger.commit(
        [], [Event(service="a", severity=Severity.INFO, code="b", text="c", wall_ns=WALL)], (), WALL
    )
    counts = {"parts": 19, "faults": 1}
    assert export(ledger.path, view, root / "view.json") == counts.get(view, 1)
    found = json.loads((root / "view.json").read_text())
    assert len(found) == counts.get(view, 1)
    if view == "streams":
        assert (found[0]["parts"], found[0]["missing"]) == (19, 1)
    if view == "totals":
        assert (found[0]["triggers"], found[0]["start_utc"]) == (19, "2023-11-14 22:13:20")


def test_reader_cannot_write(ledger: Ledger, reader: LedgerReader) -> None:
    with pytest.raises(MaintainerError, match="readonly"):
        reader._rows("DELETE FROM outcome")


def test_reader_without_a_ledger_says_so(root: Path) -> None:
    with pytest.raises(MaintainerError, match="is record running"):
        LedgerReader(root / "ledger.db").pending()


def test_totals_go_on_after_a_restart(root: Path) -> None:
    first = Ledger(root / "ledger.db", WINDOW_S, 0, WALL)
    commit(first, outcome(1))
    first.close_windows(LATER, 0)
    commit(first, outcome(2, lot="L2"))
    first.close()
    second = Ledger(root / "ledger.db", WINDOW_S, 0, WALL)
    assert (second.id, second.committed) == (first.id, 2)
    commit(second, outcome(2, lot="L2"), outcome(3))
    rows = second.close_windows(LATER, 0)
    assert [(row.row, row.revision) for row in rows] == [(2, 2), (3, 1)]
    assert rows[-1].cumulative == {Kind.PASS: 3}
    second.close()
