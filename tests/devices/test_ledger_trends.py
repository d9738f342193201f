"""Trends out of the ledger: what a point counted, and the parts behind it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.outcomes import STREAM, WALL, mixed, outcome

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.core.messages import Outcome
from inspector.core.orders import ReviewPart
from inspector.core.terms import Box, Cause, Kind
from inspector.devices.ledger import Ledger, trends
from inspector.devices.ledger.reading import open_read_only
from inspector.devices.ledger.trends import Behind, Point, Span, TrendReader
from inspector.domain.challenge import LOT

WINDOW_S = 10
START = WALL // SECOND
HOUR = Span(START, START + 3600)
LATER = WALL + 2 * 3600 * SECOND


@pytest.fixture
def ledger(root: Path) -> Iterator[Ledger]:
    opened = Ledger(root / "ledger.db", WINDOW_S, 0, WALL)
    yield opened
    opened.close()


@pytest.fixture
def reader(ledger: Ledger) -> TrendReader:
    return TrendReader(ledger.path)


def at(second: float, seq: int, kind: Kind = Kind.PASS, **changes: object) -> Outcome:
    """A part `second` seconds after START."""
    return outcome(seq, kind, **({"trigger_wall_ns": WALL + int(second * SECOND)} | changes))


def keep(ledger: Ledger, *outcomes: Outcome) -> None:
    """Commit, and count the windows."""
    ledger.commit([(one, bool(one.boxes)) for one in outcomes], (), (), WALL)
    while ledger.close_windows(LATER, 1.5):
        pass


def find(ledger: Ledger, seq: int, verdict: str, defect: str = "") -> None:
    review = ReviewPart(stream=STREAM, seq=seq, verdict=verdict, defect_class=defect)  # type: ignore[arg-type]
    ledger.review(review, "anna", "", WALL)
    while ledger.close_windows(LATER, 1.5):
        pass


def parts_of(points: tuple[Point, ...]) -> list[tuple[int, int]]:
    return [(point.parts, point.first_pass) for point in points]


def test_points_count_their_windows(ledger: Ledger, reader: TrendReader) -> None:
    keep(ledger, at(1, 0), at(15, 1, Kind.FAIL), at(25, 2), at(3599, 3, Kind.REVIEW))
    found = reader.trend(HOUR, 20)
    assert len(found.points) == 180
    assert parts_of(found.points[:3]) == [(2, 1), (1, 1), (0, 0)]
    assert parts_of(found.points[-1:]) == [(1, 0)]
    assert [point.start_s for point in found.points[:2]] == [START, START + 20]
    assert found.points[-1].end_s == HOUR.end_s


def test_what_lies_outside_the_span_is_not_counted(ledger: Ledger, reader: TrendReader) -> None:
    keep(ledger, at(0, 0), at(50, 1), at(100, 2))
    found = reader.trend(Span(START + 10, START + 100), 30)
    assert sum(point.parts for point in found.points) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.integers(WINDOW_S, 500), st.integers(1, 60))
def test_every_counted_part_is_in_one_point(root: Path, step_s: int, gap: int) -> None:
    (root / "ledger.db").unlink(missing_ok=True)
    with closing(Ledger(root / "ledger.db", WINDOW_S, 0, WALL)) as ledger:
        keep(ledger, *(mixed(seq, trigger_wall_ns=WALL + seq * gap * SECOND) for seq in range(60)))
        found = TrendReader(ledger.path).trend(HOUR, step_s)
    assert sum(point.parts for point in found.points) == 60
    assert sum(point.first_pass for point in found.points) == 51
    assert found.causes == {"late": 3}


def test_golden_parts_of_a_challenge_are_left_out(ledger: Ledger, reader: TrendReader) -> None:
    golden = [at(2, seq, Kind.FAIL, lot=LOT, score=9.0) for seq in (1, 2, 3)]
    keep(ledger, at(1, 0), *golden)
    assert parts_of(reader.trend(HOUR, 3600).points) == [(1, 1)]
    scores = reader.scores(HOUR)
    assert scores is not None
    assert [part.score for part in scores.now] == [0.25]
    for kind in ("failing", "slowest"):
        behind = reader.behind(HOUR, Behind(kind), 10)  # type: ignore[arg-type]
        assert not {1, 2, 3} & {part.seq for part in behind}


def test_paused_parts_are_left_out(ledger: Ledger, reader: TrendReader) -> None:
    paused = [at(3, seq, Kind.FAULT, cause=Cause.PAUSED) for seq in range(5)]
    keep(ledger, *paused, at(4, 9), at(5, 10, Kind.FAULT))
    found = reader.trend(HOUR, 3600)
    assert parts_of(found.points) == [(2, 1)]
    assert found.causes == {"late": 1}
    assert [part.seq for part in reader.behind(HOUR, Behind(), 10)] == [10]


def test_window_of_a_pause_alone_is_no_point(ledger: Ledger, reader: TrendReader) -> None:
    keep(ledger, at(3, 0, Kind.FAULT, cause=Cause.PAUSED))
    assert parts_of(reader.trend(HOUR, 3600).points) == [(0, 0)]


def test_finding_changes_the_point_and_what_lies_behind(
    ledger: Ledger, reader: TrendReader
) -> None:
    keep(ledger, at(1, 0), at(2, 1), at(3, 2, Kind.FAIL))
    find(ledger, 0, "fail", "dent")
    found = reader.trend(HOUR, 3600)
    assert parts_of(found.points) == [(3, 1)]
    assert found.classes == {"dent": 1}
    behind = reader.behind(HOUR, Behind(), 10)
    assert [(part.seq, part.finding) for part in behind] == [(2, None), (0, Kind.FAIL)]
    assert [part.seq for part in reader.behind(HOUR, Behind("class", "dent"), 10)] == [0]
    find(ledger, 0, "withdrawn")
    assert parts_of(reader.trend(HOUR, 3600).points) == [(3, 2)]
    assert [part.seq for part in reader.behind(HOUR, Behind(), 10)] == [2]


def test_behind_a_point_lie_as_many_parts_as_failed(ledger: Ledger, reader: TrendReader) -> None:
    keep(ledger, *(mixed(seq, trigger_wall_ns=WALL + seq * SECOND) for seq in range(400)))
    for seq in (3, 7, 11, 13, 100):
        find(ledger, seq, "fail", "scratch")
    found = reader.trend(HOUR, 60)
    for point in found.points:
        behind = reader.behind(Span(point.start_s, point.end_s), Behind(), 100)
        assert len(behind) == point.failing
    for name, count in found.causes.items():
        assert len(reader.behind(HOUR, Behind("cause", name), 100)) == count
    for name, count in found.classes.items():
        assert len(reader.behind(HOUR, Behind("class", name), 100)) == count


def labelled(seq: int, *boxes: tuple[str, float], kind: Kind = Kind.FAIL) -> Outcome:
    """A part with boxes of these labels and peaks."""
    found = tuple(Box(x=1, y=2, width=3, height=4, peak=peak, label=name) for name, peak in boxes)
    return at(1, seq, kind, boxes=found)


def test_class_that_the_model_names_counts_until_a_person_says_another(
    ledger: Ledger, reader: TrendReader
) -> None:
    keep(
        ledger,
        labelled(0, ("dent", 0.8), ("scratch", 0.9), ("", 3.0)),
        labelled(1, ("dent", 0.8)),
        labelled(2, ("", 0.9)),  # an anomaly has no name
        labelled(3, ("dent", 0.9), kind=Kind.REVIEW),  # nobody has failed it
        labelled(4, ("dent", 0.9)),
        labelled(5, ("chip", 0.5), ("chip", 0.2), kind=Kind.REVIEW),
        labelled(6, ("dent", 0.7)),
    )
    find(ledger, 4, "pass")
    find(ledger, 5, "fail", "")  # and says no class
    find(ledger, 6, "fail", "stain")
    found = reader.trend(HOUR, 3600)
    assert found.classes == {"scratch": 1, "dent": 1, "chip": 1, "stain": 1}
    for name, seq in (("scratch", 0), ("dent", 1), ("chip", 5), ("stain", 6)):
        (part,) = reader.behind(HOUR, Behind("class", name), 10)
        assert (part.seq, part.defect_class) == (seq, name)
    find(ledger, 4, "withdrawn")
    assert reader.trend(HOUR, 3600).classes["dent"] == 2
    assert [part.seq for part in reader.behind(HOUR, Behind("class", "dent"), 10)] == [4, 1]


def test_lot_is_its_own_parts_from_its_first_window(ledger: Ledger, reader: TrendReader) -> None:
    keep(ledger, at(1, 0, lot="L1"), at(31, 1, lot="L2"), at(55, 2, Kind.FAIL, lot="L2"))
    assert reader.lot_span("L2", LATER) == (START + 30, START + 60)
    assert reader.lot_span("L3", LATER) is None
    span = Span(START, START + 3600, "L2")
    assert parts_of(reader.trend(span, 3600).points) == [(2, 1)]
    assert [part.seq for part in reader.behind(span, Behind("slowest"), 10)] == [2, 1]


def test_latency_of_a_point_is_of_its_windows(ledger: Ledger, reader: TrendReader) -> None:
    quick = [at(1, seq, latency_us=5_000) for seq in range(20)]
    slow = [at(11, 100 + seq, latency_us=9_000) for seq in range(2)]
    keep(ledger, *quick, *slow, at(21, 200, latency_us=80_000))
    (point,) = reader.trend(HOUR, 3600).points
    assert (point.p50_us, point.p95_us, point.max_us) == (5_000, 5_000, 80_000)
    slowest = reader.behind(HOUR, Behind("slowest"), 3)
    assert [part.latency_us for part in slowest] == [80_000, 9_000, 9_000]


def test_scores_are_the_newest_and_the_first_of_the_last_model(
    ledger: Ledger, reader: TrendReader
) -> None:
    old = [at(seq, seq, score=5.0, model="cap@old") for seq in range(5)]
    new = [at(100 + seq, 100 + seq, score=seq / 100, model="cap@new") for seq in range(30)]
    keep(ledger, *old, *new, at(140, 200, Kind.FAULT, model="cap@new"))
    found = reader.scores(HOUR, most=10, first=3)
    assert found is not None
    assert (found.model, found.recipe) == ("cap@new", "plain")
    assert [part.score for part in found.now] == [seq / 100 for seq in range(29, 19, -1)]
    assert [part.score for part in found.first] == [0.0, 0.01, 0.02]
    behind = reader.behind(HOUR, Behind("score", "cap@new", 0.05, 0.08), 10)
    assert [part.score for part in behind] == [0.07, 0.06, 0.05]


def test_nothing_made_is_points_without_parts(ledger: Ledger, reader: TrendReader) -> None:
    found = reader.trend(HOUR, 600)
    assert parts_of(found.points) == [(0, 0)] * 6
    assert (found.classes, found.causes) == ({}, {})
    assert reader.scores(HOUR) is None
    assert reader.behind(HOUR, Behind(), 10) == []


def test_missing_or_broken_ledger_is_one_line(root: Path) -> None:
    reader = TrendReader(root / "ledger.db")
    with pytest.raises(MaintainerError, match=r"ledger\.db: cannot be read"):
        reader.trend(HOUR, 60)
    (root / "ledger.db").write_bytes(b"no database " * 400)
    with pytest.raises(MaintainerError, match=r"ledger\.db: cannot be read"):
        reader.scores(HOUR)


@pytest.mark.parametrize(
    "query",
    [trends.COUNTED, trends.NEWEST_SCORES, trends.FIRST_SCORES, *trends.BEHIND.values()],
)
def test_no_query_walks_all_outcomes(ledger: Ledger, query: str) -> None:
    values = dict.fromkeys(("start", "end", "lot", "name", "low", "high", "limit"), 0)
    given_values = values if ":start" in query else (0, 0, "", 10)
    with closing(open_read_only(ledger.path)) as db:
        plan = [row[3] for row in explained(db, query, given_values)]
    assert plan
    assert not [step for step in plan if step.startswith("SCAN outcome")]


def explained(db: sqlite3.Connection, query: str, values: object) -> list[tuple[str, ...]]:
    return db.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()  # type: ignore[arg-type]
