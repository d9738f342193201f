"""Totals and committed rows agree, whatever is done in whatever order."""

from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support.outcomes import STREAM, WALL, mixed

from inspector.core.clock import SECOND
from inspector.core.errors import OperatorError
from inspector.core.messages import Departed, Outcome
from inspector.core.orders import ReviewPart
from inspector.core.terms import FrameFormat, FrameRef, Kind, Pixel
from inspector.devices.ledger import Ledger, Sums
from inspector.devices.ledger.sums import read_sums

WINDOW_S = 10
LATER = WALL + 3600 * SECOND
FRAME = FrameRef(slot=0, generation=1, format=FrameFormat(width=10, height=7, pixel=Pixel.BGR8))

work = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(0, 40), st.integers(0, 30)),
        st.tuples(st.just("review"), st.integers(0, 40), st.integers(0, 2)),
        st.tuples(st.just("depart"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("close"), st.integers(0, 60), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(work)
def test_latest_totals_sum_to_the_committed_rows(steps: list[tuple[str, int, int]]) -> None:
    """Whatever is committed, repeated, reviewed and closed in whatever order."""
    ledger = Ledger(Path(":memory:"), WINDOW_S, 0, WALL)
    for name, number, more in steps:
        if name == "commit":
            ledger.commit([(part(seq), False) for seq in range(number, more)], (), (), WALL)
        elif name == "review":
            try_review(ledger, number, more)
        elif name == "depart":
            message = Departed(wall_ns=number, topic="t", payload="ü" * more, bytes=2 * more)
            ledger.commit([], departed=[message, message])
        else:
            ledger.close_windows(WALL + number * SECOND, 0)
    while ledger.close_windows(LATER, 0):
        pass
    assert_sums(ledger)
    assert_kept_sums(ledger)
    ledger.close()


def part(seq: int) -> Outcome:
    """Every third has a frame, and some belong to a test with golden parts."""
    return mixed(
        seq,
        trigger_wall_ns=WALL + seq * SECOND,
        frame=FRAME if seq % 3 == 0 else None,
        lot="challenge" if seq in (7, 11) else "L1",
    )


def try_review(ledger: Ledger, seq: int, which: int) -> None:
    verdict = ("pass", "fail", "withdrawn")[which]
    review = ReviewPart(stream=STREAM, seq=seq, verdict=verdict, defect_class="dent")  # type: ignore[arg-type]
    try:
        ledger.review(review, "anna", "", WALL)
    except OperatorError:
        return


def assert_kept_sums(ledger: Ledger) -> None:
    """What is kept in memory and in rows is what the rows add up to."""
    database = ledger._db
    waiting = database.execute(
        "SELECT id FROM parts WHERE kind IN ('fail', 'review') AND reviewed_as IS NULL"
        " AND lot <> 'challenge' ORDER BY id"
    ).fetchall()
    assert database.execute("SELECT outcome_id FROM to_review ORDER BY 1").fetchall() == waiting
    (frames,) = database.execute(
        "SELECT count(*) FROM outcome WHERE frame_format IS NOT NULL"
    ).fetchone()
    (parts,) = database.execute("SELECT count(*) FROM outcome").fetchone()
    count, size = database.execute(
        "SELECT count(*), coalesce(sum(length(CAST(payload AS BLOB))), 0) FROM departures"
    ).fetchone()
    assert ledger.sums() == Sums(len(waiting), frames * 10 * 7 * 3, count, size, parts)
    assert read_sums(database) == ledger.sums()


def assert_sums(ledger: Ledger) -> None:
    database = ledger._db
    latest = database.execute(
        "SELECT coalesce(sum(passed), 0), coalesce(sum(failed), 0), coalesce(sum(review), 0),"
        " coalesce(sum(fault), 0) FROM totals"
    ).fetchone()
    rows = Counter(
        kind for (kind,) in database.execute("SELECT coalesce(reviewed_as, kind) FROM parts")
    )
    assert latest == tuple(rows[kind.value] for kind in Kind)
    numbers = [row for (row,) in database.execute('SELECT "row" FROM window_total ORDER BY 1')]
    assert numbers == list(range(1, len(numbers) + 1))
    if numbers:
        cumulative = database.execute(
            "SELECT cumulative_passed, cumulative_failed, cumulative_review, cumulative_fault"
            ' FROM window_total ORDER BY "row" DESC LIMIT 1'
        ).fetchone()
        assert cumulative == latest
