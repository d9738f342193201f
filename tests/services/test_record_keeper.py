"""The ledger's keeper in a real record: unclean stops, checks beside the line, restores, time."""

import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import pytest
from support.outcomes import WALL, FakeGate, mixed, outcome
from support.recording import prepare, until

from inspector.core.clock import SECOND, ManualClock, SystemClock
from inspector.core.config import load_station
from inspector.core.messages import Event
from inspector.core.paths import Paths
from inspector.core.terms import Severity
from inspector.devices.bus import Bus, Outlet
from inspector.devices.clock_floor import read_floor, write_floor
from inspector.devices.ledger import Ledger, LedgerReader, opening
from inspector.devices.ledger.backup import make_backup
from inspector.services.record import keeper
from inspector.services.record.alarms import Alarms
from inspector.services.record.backups import wanted
from inspector.services.record.events import Events
from inspector.services.record.journal import Journal
from inspector.services.record.process import Record
from inspector.services.record.retaining import Retaining
from inspector.services.record.timekeeping import Timekeeping

KILLED = """
import os, sys, time
from pathlib import Path
from inspector.devices.ledger import Ledger
from support.outcomes import outcome
ledger = Ledger(Path(sys.argv[1]), 60, 0, time.time_ns())
ledger.commit([(outcome(seq), False) for seq in range(3000)], wall_ns=time.time_ns())
os._exit(9)
"""


def left_by_a_kill(paths: Paths) -> None:
    command = [sys.executable, "-c", KILLED, str(paths.ledger)]
    assert subprocess.run(command, cwd=Path(__file__).parents[1], check=False).returncode == 9


@contextmanager
def record_in(paths: Paths) -> Iterator[tuple[Record, FakeGate, LedgerReader]]:
    with Bus() as bus, closing(LedgerReader(paths.ledger)) as reader:
        record = Record(load_station(paths.station_file), paths, bus, SystemClock())
        yield record, FakeGate(paths, bus), reader
        record.stop()


def told(record: Record, reader: LedgerReader, code: str) -> Event:
    def look() -> Event | None:
        record.turn()
        return next((one for one in reader.events(1000) if one.code == code), None)

    return cast(Event, until(look))


def test_after_an_unclean_stop_a_large_ledger_is_checked_beside_the_line(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = prepare(root)
    left_by_a_kill(paths)
    monkeypatch.setattr(opening, "CHECK_S", -1.0)  # as if there were far too much to check
    monkeypatch.setattr(opening, "CHECK_STEPS", 1)
    with record_in(paths) as (record, gate, reader):
        assert "found whole" in told(record, reader, "ledger_checked").text
        gate.add(mixed(5000))
        until(lambda: gate.step() or not record.turn() or not gate.pending)
        assert reader.sums().committed == 3001


def test_ledger_closed_in_order_is_not_checked_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = prepare(root)
    with record_in(paths):
        pass
    monkeypatch.setattr(opening, "CHECK_S", -1.0)
    monkeypatch.setattr(opening, "CHECK_STEPS", 1)
    with record_in(paths):
        assert "check" not in [thread.name for thread in threading.enumerate()]


def test_damage_that_the_check_finds_beside_the_line_is_restored_from_the_backup(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = prepare(root)
    left_by_a_kill(paths)
    with closing(Ledger(paths.ledger, 60, 0, WALL)) as ledger:
        make_backup(paths.backups, wanted(paths), WALL, 7)
        ledger.checkpoint()
        (page,) = ledger._db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'outcome_by_span'"
        ).fetchone()
    with paths.ledger.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    paths.ledger.with_name("ledger.db-wal").write_bytes(b"")
    monkeypatch.setattr(opening, "find_damage", _nothing_yet)
    with record_in(paths) as (record, gate, reader):
        gap = told(record, reader, "ledger_restored")
        assert gap.severity is Severity.ALARM
        gate.add(outcome(9000))
        until(lambda: gate.step() or not record.turn() or not gate.pending)
        assert reader.sums().committed == 3001
        assert "ledger_set_aside" in [one.code for one in reader.events(1000)]


def _nothing_yet(path: Path, look: object = None) -> None:
    """A check that was broken off before it came to the damage."""
    del path
    if look is not None:
        look.broken_off = True  # type: ignore[attr-defined]


class Nobody:
    """An outlet that nobody hears."""

    def send(self, _message: object) -> bool:
        return False


class Bench:
    """Events that are told, over nothing."""

    def __init__(self) -> None:
        self.clock, self.alarms = ManualClock(wall=WALL), Alarms()
        self.journal = Journal(cast(Outlet, Nobody()))
        self.events = Events(logging.getLogger("record"), self.journal, self.alarms, self.clock)

    @property
    def standing(self) -> list[str]:
        return sorted(one.code for one in self.alarms.shown() if one.active)


def test_clock_of_1970_after_a_start_goes_on_from_the_time_on_the_disk(root: Path) -> None:
    paths = prepare(root)
    assert write_floor(paths.clock_floor, WALL)
    bench = Bench()
    bench.clock.wall = 5 * SECOND
    synchronised = [False]
    time = Timekeeping(bench.clock, paths, lambda: synchronised[0])
    assert time.clock.wall_ns() == WALL
    time.turn(bench.events)
    assert bench.standing == ["clock_behind"]
    bench.clock.advance_ms(10_000)
    part = time.stamped(outcome(1, trigger_wall_ns=bench.clock.wall))
    assert part.trigger_wall_ns == WALL + 10 * SECOND
    synchronised[0] = True
    bench.clock.wall = WALL + 86_400 * SECOND
    time.turn(bench.events)
    assert bench.standing == []
    assert read_floor(paths.clock_floor) == time.clock.wall_ns() == WALL + 86_400 * SECOND


def test_clock_floor_that_is_damaged_is_none(root: Path) -> None:
    for content in ("", "x", "-5", str(2**63)):
        (root / "clock").write_text(content)
        assert read_floor(root / "clock") == 0
    assert not write_floor(Path("/proc/clock"), WALL)


def step_until(retaining: Retaining, bench: Bench, ledger: Ledger, done: Callable[[], bool]) -> int:
    """Steps that it took."""
    for step in range(5000):
        if done():
            return step
        bench.clock.mono += SECOND
        retaining.turn(ledger)
    raise AssertionError("was not done in 5000 steps")


def inspected(ledger: Ledger, parts: int) -> None:
    """Ten parts a minute, for a while before now."""
    made = [
        outcome(seq, trigger_wall_ns=WALL - (parts - seq) * 6 * SECOND, reason="r" * 2000)
        for seq in range(parts)
    ]
    for begin in range(0, parts, 5000):
        ledger.commit([(one, False) for one in made[begin : begin + 5000]], wall_ns=WALL)


def test_ledger_beyond_its_quota_lets_the_oldest_go_and_says_when_it_cannot(root: Path) -> None:
    paths = prepare(root, retention={"ledger_mb": 64}, publish={"host": "127.0.0.1"})
    bench, config = Bench(), load_station(paths.station_file)
    with closing(Ledger(paths.ledger, 60, 0, WALL)) as ledger:
        inspected(ledger, 20_000)
        assert ledger.size() > 64 << 20
        retaining = Retaining(config, bench.events, bench.clock, bench.clock.wall_ns)
        step_until(retaining, bench, ledger, lambda: "retention_waits" in bench.standing)
        assert ledger._db.execute("SELECT count(*) FROM outcome").fetchone() == (20_000,)
        while ledger.close_windows(WALL + 600 * SECOND, 1.0):
            pass
        ledger._db.execute("UPDATE window_total SET status = 'delivered'")
        step_until(retaining, bench, ledger, lambda: bench.standing == [])
        assert ledger.size() <= 64 << 20
        (left, oldest) = ledger._db.execute("SELECT count(*), min(seq) FROM outcome").fetchone()
        assert left + oldest == 20_000  # the oldest went, and nothing in between
        assert left > 10_000
        with pytest.raises(sqlite3.IntegrityError):
            ledger._db.execute("INSERT INTO detail VALUES (1, '', NULL, NULL)")


def test_time_between_two_looks_follows_a_clock_that_is_set_right(root: Path) -> None:
    """What was added to a clock of 1970 is not added to the right one, not for a moment."""
    paths = prepare(root)
    write_floor(paths.clock_floor, WALL)
    bench = Bench()
    bench.clock.wall = 5 * SECOND
    time = Timekeeping(bench.clock, paths, lambda: True)
    bench.clock.wall = WALL + 3600 * SECOND
    assert time.clock.wall_ns() == WALL + 3600 * SECOND
    part = outcome(1, trigger_wall_ns=WALL + 3600 * SECOND)
    assert time.stamped(part).trigger_wall_ns == WALL + 3600 * SECOND


def test_part_of_before_the_clock_fell_back_is_not_years_ahead(root: Path) -> None:
    bench = Bench()
    time = Timekeeping(bench.clock, prepare(root), lambda: False)
    part = outcome(1, trigger_wall_ns=bench.clock.wall)
    bench.clock.wall = 5 * SECOND
    time.turn(bench.events)
    assert time.stamped(part).trigger_wall_ns == WALL


def test_clock_years_ahead_for_a_minute_lets_nothing_go(root: Path) -> None:
    paths = prepare(root)
    bench, config = Bench(), load_station(paths.station_file)
    time = Timekeeping(bench.clock, paths, lambda: False)
    with closing(Ledger(paths.ledger, 60, 0, WALL)) as ledger:
        inspected(ledger, 200)
        retaining = Retaining(config, bench.events, bench.clock, time.sure_ns)
        bench.clock.wall += 20 * 365 * 86_400 * SECOND
        for _ in range(60):
            bench.clock.advance_ms(1000)
            time.turn(bench.events)
            ledger.close_windows(time.clock.wall_ns(), 1.0)
            retaining.turn(ledger)
        assert ledger._db.execute("SELECT count(*) FROM outcome").fetchone() == (200,)


def test_late_word_of_a_check_is_not_taken_for_one_of_the_restored_ledger(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit met the damage first; the check of the ledger that was set aside goes on."""
    paths = prepare(root)
    left_by_a_kill(paths)
    found, go_on = threading.Event(), threading.Event()

    def slow_check(_path: Path) -> str:
        go_on.wait(20)
        found.set()
        return "row 7 missing from index"

    monkeypatch.setattr(opening, "CHECK_S", -1.0)
    monkeypatch.setattr(opening, "CHECK_STEPS", 1)
    monkeypatch.setattr(keeper, "check_open", slow_check)
    with record_in(paths) as (record, gate, reader):
        record._keeper.begin_anew("a commit found it")
        go_on.set()
        assert found.wait(20)
        gate.add(outcome(9000))
        until(lambda: gate.step() or not record.turn() or not gate.pending)
        told(record, reader, "ledger_set_aside")
        for _ in range(5):
            record.turn()
        aside = [one.name for one in paths.state.glob("ledger.db.corrupt-*")]
        assert len([name for name in aside if not name.endswith(("-wal", "-shm"))]) == 1
