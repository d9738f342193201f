"""Shift, lot and drift over the days of a station, with a clock that the test moves."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.outcomes import STREAM, outcome
from support.recording import prepare

from inspector.core.clock import SECOND, ManualClock
from inspector.core.config import load_station
from inspector.core.current import Current
from inspector.core.live import Live, WorkshopState
from inspector.core.messages import Outcome
from inspector.core.orders import ReviewPart
from inspector.core.terms import Kind
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.services.record.board import Board
from inspector.services.record.statistics import Statistics

HOUR = 3600 * SECOND
MORNING = int(datetime(2025, 6, 10, 13, 50, tzinfo=UTC).timestamp()) * SECOND


@dataclass
class Bench:
    """Statistics over a real ledger."""

    root: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(wall=MORNING))
    seq: int = 0
    lot: str = "L1"
    words: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        alarms = {"drift_parts": 50, "drift": 0.25}
        self.config = load_station(prepare(self.root, alarms=alarms).station_file)
        self.ledger = Ledger(self.root / "ledger.db", 60, 0, MORNING)
        self.begin()

    def begin(self) -> None:
        """As record starts."""
        self.statistics = Statistics(self.config, self.clock, UTC)
        self.turn()

    def turn(self) -> None:
        self.ledger.close_windows(self.clock.wall, 1.0)
        for word in self.statistics.turn(self.lot, self.ledger):
            self.words.append((word.code, word.begins))

    def part(self, kind: Kind = Kind.PASS, **more: object) -> Outcome:
        self.clock.advance_ms(1000)
        self.seq += 1
        made = outcome(self.seq, kind, lot=self.lot, trigger_wall_ns=self.clock.wall, **more)
        fresh = self.ledger.commit([(made, False)], wall_ns=self.clock.wall)
        for word in self.statistics.count(fresh, self.ledger):
            self.words.append((word.code, word.begins))
        return made

    def review(self, part: Outcome, verdict: str) -> None:
        order = ReviewPart(stream=STREAM, seq=part.seq, verdict=verdict)  # type: ignore[arg-type]
        self.ledger.review(order, "anna", "", self.clock.wall)
        self.statistics.recount()
        self.turn()

    def shift(self) -> dict[Kind, int]:
        return {kind: count for kind, count in self.statistics.shift.counts.items() if count}

    def of_lot(self) -> dict[Kind, int]:
        return {kind: count for kind, count in self.statistics.lot.counts.items() if count}


@pytest.fixture
def bench(root: Path) -> Iterator[Bench]:
    made = Bench(root)
    yield made
    made.ledger.close()


def test_new_shift_begins_at_nothing_and_the_lot_goes_on(bench: Bench) -> None:
    first = bench.part(Kind.FAIL)
    bench.part()
    assert (bench.shift(), bench.of_lot()) == ({Kind.FAIL: 1, Kind.PASS: 1},) * 2
    bench.clock.advance_ms(20 * 60_000)  # past 14:00
    bench.turn()
    assert bench.shift() == {}
    assert bench.statistics.shift.since_wall_ns == MORNING + 600 * SECOND
    second = bench.part(Kind.FAIL)
    assert (bench.shift(), bench.of_lot()) == ({Kind.FAIL: 1}, {Kind.FAIL: 2, Kind.PASS: 1})
    bench.review(first, "pass")  # of the shift before
    assert (bench.shift(), bench.of_lot()) == ({Kind.FAIL: 1}, {Kind.FAIL: 1, Kind.PASS: 2})
    bench.review(second, "pass")
    assert bench.shift() == {Kind.PASS: 1}
    assert (bench.statistics.shift.first_pass, bench.statistics.shift.rejected) == (0, 1)
    before = bench.statistics.shift, bench.statistics.lot
    bench.begin()
    assert (bench.statistics.shift, bench.statistics.lot) == before


def test_clock_set_back_into_the_shift_before_shows_that_shift(bench: Bench) -> None:
    bench.part()
    bench.clock.advance_ms(20 * 60_000)
    bench.turn()
    bench.part(Kind.FAIL)
    assert bench.shift() == {Kind.FAIL: 1}
    bench.clock.wall -= HOUR
    bench.turn()
    assert bench.shift() == {Kind.PASS: 1, Kind.FAIL: 1}
    bench.part()
    assert bench.shift() == {Kind.PASS: 2, Kind.FAIL: 1}


def live(bench: Bench, board: Board) -> Live:
    now, wall = bench.clock.monotonic_ns(), bench.clock.wall
    current = Current("plain", bench.lot)
    return board.live(now, wall, current, bench.ledger, bench.statistics, (), None)


def test_workshop_that_fell_silent_is_not_shown_at_work(bench: Bench) -> None:
    board = Board(bench.config, bench.clock.monotonic_ns())
    board.show(WorkshopState(job="teaching"), bench.clock.monotonic_ns())
    assert live(bench, board).workshop == WorkshopState(job="teaching")
    bench.clock.advance_ms(6000)
    assert live(bench, board).workshop is None


def test_clock_set_back_leaves_no_parts_of_the_future_in_the_rate(bench: Bench) -> None:
    board = Board(bench.config, bench.clock.monotonic_ns())

    def per_minute() -> float:
        return live(bench, board).per_minute

    board.count([bench.part() for _ in range(100)])
    assert per_minute() == 60.0
    bench.clock.wall -= HOUR
    assert per_minute() == 0.0
    board.count([bench.part() for _ in range(100)])
    assert per_minute() == 60.0  # and not all 100, kept behind those of the future


def test_new_lot_begins_at_nothing_and_the_shift_goes_on(bench: Bench) -> None:
    bench.part()
    bench.lot = "L2"
    bench.turn()
    bench.part(Kind.REVIEW)
    assert (bench.of_lot(), bench.shift()) == ({Kind.REVIEW: 1}, {Kind.PASS: 1, Kind.REVIEW: 1})
    bench.begin()
    assert bench.of_lot() == {Kind.REVIEW: 1}


def test_ledger_that_cannot_be_read_now_is_counted_a_second_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = bench.part(Kind.FAIL)

    def refuse(_work: object) -> None:
        raise CannotWrite("locked", False)

    monkeypatch.setattr(bench.ledger, "write", refuse)
    bench.statistics.recount()
    bench.turn()
    assert bench.shift() == {Kind.FAIL: 1}
    monkeypatch.undo()
    bench.review(part, "pass")
    assert bench.shift() == {Kind.PASS: 1}


def test_scores_that_move_are_drift_and_another_model_begins_anew(bench: Bench) -> None:
    for seq in range(60):
        bench.part(score=0.2 + 0.01 * (seq % 10))
        bench.turn()
    assert (bench.statistics.drift or 0) < 0.25
    for seq in range(50):
        bench.part(score=0.3 + 0.01 * (seq % 10))
    bench.turn()
    assert (bench.statistics.drift or 0) > 0.25
    assert ("drift", True) in bench.words
    bench.begin()  # the scores of before count after a restart, too
    bench.part(score=0.3)
    bench.turn()
    assert (bench.statistics.drift or 0) > 0.25
    bench.words.clear()
    bench.part(model="tiny@ffffffffffff")
    bench.turn()
    assert bench.statistics.drift is None
    assert bench.words == [("drift", False)]
