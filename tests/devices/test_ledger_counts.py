"""What a shift and a lot come to, against counting each part by hand."""

import random
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from support.outcomes import STREAM, WALL, outcome

from inspector.core.clock import SECOND
from inspector.core.messages import Outcome
from inspector.core.orders import ReviewPart
from inspector.core.terms import Cause, Kind, Lane
from inspector.devices.ledger import Ledger, counts, reviewed, scores
from inspector.devices.ledger.counts import MOST_S, Counts, counts_since, lot_begin, nothing_since
from inspector.devices.ledger.reading import open_read_only
from inspector.devices.ledger.scores import scores_of
from inspector.domain.challenge import LOT

LATER = WALL + 10**6 * SECOND


def parts(count: int, rng: random.Random) -> list[Outcome]:
    """Parts of some lots over many windows of a second: of every kind, paused and golden ones."""
    made = []
    for seq in range(count):
        kind = rng.choice([Kind.PASS] * 5 + [Kind.FAIL, Kind.REVIEW, Kind.FAULT])
        cause = rng.choice([Cause.LATE, Cause.PAUSED]) if kind is Kind.FAULT else None
        lot = rng.choice(["A", "B", LOT])
        lane = Lane.ACCEPT if kind is Kind.PASS and lot != LOT else Lane.REJECT
        wall = WALL + seq * SECOND // 5
        made.append(
            outcome(seq, kind, cause=cause, lot=lot, lane=lane, trigger_wall_ns=wall, score=seq)
        )
    return made


def by_hand(
    made: list[Outcome], found: dict[int, Kind], since: int, lot: str | None = None
) -> Counts:
    expected = nothing_since(since, lot)
    for part in made:
        if part.trigger_wall_ns < since or part.lot == LOT or lot not in (None, part.lot):
            continue
        final = found.get(part.seq) or part.kind
        if final is Kind.FAULT and part.cause is Cause.PAUSED:
            expected.paused += 1
            continue
        expected.counts[final] += 1
        expected.rejected += part.lane is Lane.REJECT
        expected.first_pass += final is Kind.PASS and part.kind is Kind.PASS
    return expected


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db", 1, 0, WALL)


def count_windows(ledger: Ledger, wall: int = LATER) -> None:
    while ledger.close_windows(wall, 0):
        pass


@pytest.mark.parametrize("counted", [False, True])
def test_tallies_agree_with_the_parts(ledger: Ledger, counted: bool) -> None:
    rng = random.Random(5)
    made = parts(400, rng)
    ledger.commit([(part, False) for part in made], wall_ns=WALL)
    if counted:
        count_windows(ledger)
    found: dict[int, Kind] = {}
    for turn in range(3):
        for seq in rng.sample(range(400), 30):
            verdict = rng.choice(["pass", "fail"])
            review = ReviewPart(stream=STREAM, seq=seq, verdict=verdict)  # type: ignore[arg-type]
            ledger.review(review, "anna", "", LATER)
            found[seq] = Kind(verdict)
        for since in (WALL, WALL + 37 * SECOND // 10, WALL + 40 * SECOND, LATER):
            for lot in (None, "A", "B"):
                told = ledger.write(lambda db: counts_since(db, since, lot))  # noqa: B023
                assert told.tally() == by_hand(made, found, since, lot).tally()
        if counted and turn == 1:
            count_windows(ledger, 2 * LATER)


def test_increments_agree_with_a_new_count(ledger: Ledger) -> None:
    made = parts(300, random.Random(6))
    since = WALL + 11 * SECOND
    for lot in (None, "A"):
        growing = nothing_since(since, lot)
        growing.add(made)
        assert growing.tally() == by_hand(made, {}, since, lot).tally()


def test_withdrawn_finding_counts_no_more(ledger: Ledger) -> None:
    ledger.commit([(outcome(1, Kind.FAIL), False)], wall_ns=WALL)
    for verdict in ("pass", "withdrawn"):
        review = ReviewPart(stream=STREAM, seq=1, verdict=verdict)  # type: ignore[arg-type]
        ledger.review(review, "anna", "", LATER)
    told = ledger.write(lambda db: counts_since(db, WALL)).tally()
    assert (told.counts[Kind.FAIL], told.counts[Kind.PASS], told.rejected) == (1, 0, 1)


def test_accepted_reviews_are_no_rejects(ledger: Ledger) -> None:
    part = outcome(1, Kind.REVIEW, lane=Lane.ACCEPT)
    ledger.commit([(part, False)], wall_ns=WALL)
    for _ in range(2):
        assert ledger.write(lambda db: counts_since(db, WALL, None, True)).rejected == 0
        count_windows(ledger)


def test_lot_begins_after_the_last_other_one(ledger: Ledger) -> None:
    lots = ["A", "A", "B", LOT, "A", LOT, "A"]
    for seq, lot in enumerate(lots):
        part = outcome(seq, lot=lot, trigger_wall_ns=WALL + seq * 10 * SECOND)
        ledger.commit([(part, False)], wall_ns=WALL)
    now = WALL + 100 * SECOND
    begins = {lot: ledger.write(lambda db: lot_begin(db, lot, now)) for lot in "ABC"}  # noqa: B023
    assert begins == {"A": WALL + 40 * SECOND, "B": now, "C": now}


def test_lot_that_nobody_changes_is_not_counted_for_years(ledger: Ledger) -> None:
    now = WALL + 2 * MOST_S * SECOND
    for seq, wall in enumerate((WALL, now - 5 * SECOND)):
        ledger.commit([(outcome(seq, trigger_wall_ns=wall), False)], wall_ns=WALL)
    assert ledger.write(lambda db: lot_begin(db, "L1", now)) == now - 5 * SECOND


def test_first_and_newest_scores_of_a_model(ledger: Ledger) -> None:
    made = parts(200, random.Random(7))
    made += [outcome(seq, model="other@0", score=5.0) for seq in range(200, 220)]
    ledger.commit([(part, False) for part in made], wall_ns=WALL)
    counted = [
        float(part.seq)
        for part in made[:200]
        if part.kind in (Kind.PASS, Kind.FAIL) and part.lot != LOT
    ]
    model = made[0].model
    first, newest = ledger.write(lambda db: scores_of(db, model, 20))
    assert first == counted[:20]
    assert newest == counted[-20:]
    assert ledger.write(lambda db: scores_of(db, "none@0", 20)) == ([], [])


def test_counts_of_all_kinds_are_shown_even_where_there_are_none(ledger: Ledger) -> None:
    told = ledger.write(lambda db: counts_since(db, WALL)).tally()
    assert told.counts == dict.fromkeys(Kind, 0)
    assert Counter(told.counts).total() == told.inspected == 0


@pytest.mark.parametrize(
    "query",
    [
        counts.COUNTED,
        counts.ACCEPTED_REVIEWS,
        counts.PARTS,
        counts.OPEN,
        scores.FIRST,
        scores.NEWEST,
        reviewed.REVIEWED,
    ],
)
def test_no_question_of_record_costs_more_with_every_part(ledger: Ledger, query: str) -> None:
    named = dict.fromkeys(("since_s", "begun_s", "lot", "golden"), 0)
    values = named if ":golden" in query else (0,) * query.count("?")
    with closing(open_read_only(ledger.path)) as db:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert plan
    assert not [step for step in plan if step.startswith("SCAN outcome")]
    # All parts of a model or a lot, to be put in order, are as good as all.
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan or query == reviewed.REVIEWED
