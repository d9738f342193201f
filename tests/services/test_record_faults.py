"""The recording process: what it acknowledges is on the disk, whatever happens to it."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.disks import fill, small_disk
from support.outcomes import STREAM, FakeGate, mixed, outcome
from support.recording import Station, live, prepare, recorded, running, until

from inspector.core.clock import SystemClock
from inspector.core.config import load_station
from inspector.core.terms import Severity
from inspector.devices.bus import Bus
from inspector.devices.ledger import LedgerReader
from inspector.services.record.process import Record

pytestmark = pytest.mark.line


@pytest.fixture
def station(root: Path) -> Iterator[Station]:
    with running(prepare(root)) as running_station:
        yield running_station


def test_record_killed_in_the_middle_has_every_acked_outcome_once(station: Station) -> None:
    rng = random.Random(1)
    station.gate.window = 40  # many small commits
    for start in range(0, 3000, 500):
        station.gate.add(*map(mixed, range(start, start + 500)))
        goal = len(station.gate.acked) + rng.randrange(1, 400)
        until(lambda goal=goal: station.gate.step() or len(station.gate.acked) >= goal)
        station.kill()
        assert station.gate.pending
        rows = recorded(station)
        assert all(rows[part.stream, part.seq] == 1 for part in station.gate.acked)
        station.start()
    station.settle()
    assert recorded(station) == Counter((STREAM, seq) for seq in range(3000))
    assert station.rows("SELECT missing FROM streams") == [(0,)]
    assert len(set(station.gate.sessions)) == 7  # six kills


def test_gate_killed_and_sending_again_is_recorded_once(station: Station) -> None:
    station.settle(*map(mixed, range(100)))
    again = [mixed(seq, number=10_000 + seq) for seq in range(50, 150)]
    station.settle(*again)
    assert recorded(station) == Counter((STREAM, seq) for seq in range(150))


def test_newer_ledger_is_refused(station: Station) -> None:
    station.settle(outcome(1))
    station.stop()
    with closing(sqlite3.connect(station.paths.ledger)) as database:
        database.execute("PRAGMA user_version = 99")
    before = station.paths.ledger.read_bytes()
    station.start()
    code, said = station.ended()
    assert code == 78
    assert said.startswith("inspector record: ")
    assert "ledger version 99" in said
    assert len(said.splitlines()) == 1
    assert station.paths.ledger.read_bytes() == before


def test_damaged_ledger_is_set_aside_and_said_loudly(station: Station) -> None:
    station.settle(*map(outcome, range(300)))
    station.stop()
    size = station.paths.ledger.stat().st_size
    with station.paths.ledger.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    station.start()
    station.settle(*(outcome(seq) for seq in range(300, 400)))
    assert len(recorded(station)) == 100
    (event,) = station.reader.events(severities=[Severity.ALARM])
    (aside,) = station.paths.state.glob("ledger.db.corrupt-*")
    assert event.code == "ledger_set_aside"
    assert str(aside) in event.text
    code, said = station.stop()
    assert code == 0
    assert "was damaged" in said


def test_ledger_damaged_while_running_is_set_aside(root: Path) -> None:
    paths = prepare(root)
    with Bus() as bus, closing(LedgerReader(paths.ledger)) as reader:
        record = Record(load_station(paths.station_file), paths, bus, SystemClock())
        gate = FakeGate(paths, bus)
        gate.add(*map(outcome, range(300)))
        until(lambda: gate.step() or not record.turn() or not gate.pending)
        record._ledger.checkpoint()
        record._ledger._db.execute("PRAGMA cache_size = 0")
        with paths.ledger.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (paths.ledger.stat().st_size - 4096))
        gate.add(*(outcome(seq) for seq in range(300, 400)))
        until(lambda: gate.step() or not record.turn() or not gate.pending)
        record.stop()
        assert [part.outcome.seq for part in reader.parts(1000)] == list(range(399, 299, -1))
        assert "ledger_set_aside" in [event.code for event in reader.events()]


def test_full_disk_loses_nothing(root: Path) -> None:
    paths = prepare(root, record={"window_s": 1, "ballast_mb": 1})
    with small_disk(paths.state, "48m"):  # room for ledger and log of all, once the filler is gone
        paths.create()
        with running(paths) as station:
            station.settle(*map(mixed, range(100)))
            assert (paths.state / "ledger.ballast").exists()
            filler = fill(paths.state)
            many = [mixed(seq, reason="r" * 1000) for seq in range(100, 6100)]
            station.gate.add(*many)
            for _ in range(600):
                station.gate.step()
            assert len(station.gate.pending) > 0
            acked = len(station.gate.acked)
            assert not (paths.state / "ledger.ballast").exists()
            until(lambda: live(station).alarms)
            filler.unlink()
            station.settle()
            assert acked < 6100
            assert recorded(station) == Counter((STREAM, seq) for seq in range(6100))
            codes = [event.code for event in station.reader.events()]
            assert "ledger_stalled" in codes
            assert "ledger_resumed" in codes
            station.stop()


def test_second_record_is_refused(station: Station) -> None:
    station.settle(outcome(1))
    second = Station.__new__(Station)
    second.paths = station.paths
    second.start()
    code, said = second.ended()
    assert code == 78
    assert "already running" in said
