"""Totals and committed rows agree, whatever is done in whatever order."""

from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support.outcomes import STREAM, WALL, mixed

from inspector.core.clock import SECOND
from inspector.core.errors import OperatorError
from inspector.core.messages import Kind, Review
from inspector.devices.ledger import Ledger

WINDOW_S = 10
LATER = WALL + 3600 * SECOND

work = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(0, 40), st.integers(0, 30)),
        st.tuples(st.just("review"), st.integers(0, 40), st.booleans()),
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
            spread = [
                mixed(seq, trigger_wall_ns=WALL + seq * SECOND) for seq in range(number, more)
            ]
            ledger.commit([(part, False) for part in spread], (), (), WALL)
        elif name == "review":
            try_review(ledger, number, bool(more))
        else:
            ledger.close_windows(WALL + number * SECOND, 0)
    while ledger.close_windows(LATER, 0):
        pass
    assert_sums(ledger)
    ledger.close()


def try_review(ledger: Ledger, seq: int, good: bool) -> None:
    verdict = "pass" if good else "fail"
    review = Review(
        stream=STREAM, seq=seq, verdict=verdict, defect_class="dent", who="anna", reason=""
    )
    try:
        ledger.review(review, WALL)
    except OperatorError:
        return


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
