"""What record looks after once a second, and what it then calls a person for."""

import logging
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from support.recording import prepare

from inspector.core.clock import ManualClock
from inspector.core.config import load_station
from inspector.core.current import read_current
from inspector.devices.bus import Outlet
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.domain.health import Survey
from inspector.domain.part_alarms import Word
from inspector.services.record.alarms import Alarms
from inspector.services.record.changeover import Changeover
from inspector.services.record.events import Events
from inspector.services.record.housekeeping import SHORT_LOOKS, Housekeeping
from inspector.services.record.journal import Journal
from inspector.services.record.pictures import Pictures

Usage = namedtuple("Usage", "total used free")
MB = 1 << 20


class Nobody:
    """An outlet that nobody hears."""

    def send(self, _message: object) -> bool:
        return False


class Bench:
    def __init__(self, root: Path) -> None:
        paths = prepare(root, evidence={"keep_free_mb": 100})
        config, clock = load_station(paths.station_file), ManualClock()
        nobody = cast(Outlet, Nobody())
        self.alarms = Alarms()
        journal = Journal(nobody)
        events = Events(logging.getLogger("record"), journal, self.alarms, clock)
        current = read_current(paths.current, config.line)
        self.changeover = Changeover(paths.current, current, nobody, nobody)
        self.pictures = Pictures(paths, config.evidence, clock)
        self.ledger = Ledger(paths.ledger, 60, 0, clock.wall_ns())
        self.housekeeping = Housekeeping(
            config, paths, self.changeover, self.pictures, self.alarms, events, clock
        )

    def turn(self, times: int = 1) -> list[str]:
        """The codes that stand after so many turns."""
        for _ in range(times):
            self.housekeeping.turn(self.ledger, False)
        return [alarm.code for alarm in self.alarms.shown()]


@pytest.fixture
def bench(root: Path) -> Iterator[Bench]:
    made = Bench(root)
    yield made
    made.pictures.close()
    made.ledger.close()


def test_disk_that_stays_short_of_room_is_an_alarm_until_there_is_some(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [99 * MB]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, free[0]))
    assert bench.turn(SHORT_LOOKS - 1) == []  # old evidence may be on its way out
    assert bench.turn() == ["disk"]
    assert bench.turn(5) == ["disk"]
    free[0] = 100 * MB
    assert bench.turn() == []
    free[0] = 1
    assert bench.turn(SHORT_LOOKS) == ["disk"]


def test_current_that_cannot_be_written_is_an_alarm_until_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.changeover, "tidy", lambda: None)
    bench.changeover.problem = "current.json: cannot be written"
    assert bench.turn(3) == ["current_unwritten"]
    bench.changeover.problem = ""
    assert bench.turn() == []


def test_totals_that_wait_are_a_note_until_they_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CannotWrite("ledger.db: cannot be written", True)

    monkeypatch.setattr(bench.ledger, "close_windows", refuse)
    assert bench.turn(2) == ["totals_wait"]
    monkeypatch.undo()
    assert bench.turn() == []


def test_silent_services_are_alarms_of_their_own_and_a_silent_capture_is_a_blind_camera(
    bench: Bench,
) -> None:
    bench.housekeeping.look_after(Survey((), ("capture-top", "detect", "publish"), ()))
    standing = {(alarm.code, alarm.service) for alarm in bench.alarms.shown()}
    assert standing == {
        ("camera", "capture-top"),
        ("service_silent", "detect"),
        ("service_silent", "publish"),
    }
    bench.housekeeping.look_after(Survey((), (), ("capture-top", "publish")))
    assert [alarm.service for alarm in bench.alarms.shown()] == ["detect"]


def test_what_the_parts_call_for_begins_and_ends(bench: Bench) -> None:
    bench.housekeeping.say(Word("drift", "record", "index 0.3"))
    assert bench.turn() == ["drift"]
    bench.housekeeping.say(Word("drift", "record"))
    assert bench.turn() == []
