"""What waits to be committed while the disk refuses, and how the gate learns what it missed."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.outcomes import FakeGate, outcome
from support.recording import prepare, until

from inspector.core.clock import SystemClock
from inspector.core.config import load_station
from inspector.core.messages import Departed, Event
from inspector.core.pulse import Pulse
from inspector.core.terms import Severity
from inspector.devices.bus import Bus
from inspector.devices.ledger import CannotWrite, LedgerReader
from inspector.services.record.journal import MOST
from inspector.services.record.process import Record


class Bench:
    """record in this process, with a disk that refuses when the test says so."""

    def __init__(self, root: Path, bus: Bus) -> None:
        paths = prepare(root)
        self.record = Record(load_station(paths.station_file), paths, bus, SystemClock())
        self.gate = FakeGate(paths, bus)
        self.reader = LedgerReader(paths.ledger)
        self.full = False
        self._commit = self.record._ledger.commit
        self.record._ledger.commit = self.commit  # type: ignore[method-assign]

    def commit(self, *values: Any) -> Any:
        if self.full:
            raise CannotWrite("ledger.db: cannot be written (full)", True)
        return self._commit(*values)

    @property
    def stalled(self) -> bool:
        return bool(self.record._journal.stalled)

    def turn(self) -> bool:
        """A turn of each side; True, for conditions."""
        self.gate.step()
        return self.record.turn()

    def parts(self) -> int:
        return len(self.reader.parts(100_000))


@pytest.fixture
def bench(root: Path) -> Iterator[Bench]:
    with Bus() as bus:
        made = Bench(root, bus)
        with closing(made.reader):
            yield made
        made.record._pictures.close()
        made.record._ledger.close()


def stall_with_a_full_batch(bench: Bench) -> None:
    bench.gate.add(outcome(0))
    until(lambda: bench.turn() and not bench.gate.pending)
    bench.full = True
    bench.gate.add(*map(outcome, range(1, 3 * MOST)))
    while len(bench.record._journal._batch.outcomes) < MOST:
        bench.gate.step(0)
        bench.record._gather()
    bench.record._commit()
    assert bench.stalled


def test_stalled_record_with_a_full_batch_still_hears_and_sleeps(bench: Bench) -> None:
    stall_with_a_full_batch(bench)
    waiting = len(bench.record._journal._batch.outcomes)
    event = Event(service="gate", severity=Severity.ALARM, code="x", text="y", wall_ns=1)
    assert bench.gate.record.send(event)
    pulse = Pulse("gate", time.monotonic_ns(), 1.0)
    assert bench.gate.record.send(pulse.beat(time.monotonic_ns(), "running"))
    until(lambda: bench.record.turn() and "x" in {one.code for one in bench.record._alarms.shown()})
    until(lambda: bench.record.turn() and not bench.record._hearing.wait(0))
    assert len(bench.record._journal._batch.outcomes) == waiting
    worked, began = time.process_time(), time.monotonic()
    for _ in range(10):
        bench.record.turn()
    assert time.process_time() - worked < (time.monotonic() - began) / 2


def test_after_a_stall_all_is_committed_though_new_parts_keep_coming(bench: Bench) -> None:
    """Each new part is acknowledged in less than the second of silence after which the gate
    would begin again by itself."""
    stall_with_a_full_batch(bench)
    until(lambda: bench.turn() and not bench.record._hearing.wait(0))
    session = bench.record._journal.session
    bench.full = False
    until(lambda: bench.turn() and not bench.stalled)
    assert bench.record._journal.session != session
    late = iter(range(3 * MOST, 10_000))

    def caught_up() -> bool:
        bench.gate.add(outcome(next(late)))
        bench.turn()
        return len(bench.gate.pending) < 10

    until(caught_up)
    until(lambda: bench.turn() and not bench.gate.pending)
    assert bench.parts() == next(late)


def test_gap_is_not_acknowledged_over_and_over(bench: Bench) -> None:
    """A part that was lost on its way: silence lets the gate begin again."""
    bench.gate.add(outcome(0), outcome(1))
    until(lambda: bench.turn() and not bench.gate.pending)
    bench.gate.add(outcome(2), outcome(3))
    bench.gate._sent = 1  # the first is lost
    late = iter(range(4, 10_000))

    def caught_up() -> bool:
        bench.gate.add(outcome(next(late)))
        bench.turn()
        return bench.gate.pending[0].number > 3

    until(caught_up)
    until(lambda: bench.turn() and not bench.gate.pending)
    assert bench.parts() == next(late)


def test_departure_is_not_logged_while_the_disk_refuses(bench: Bench) -> None:
    """Nor later, from a queue: publish tells of it again for as long as it waits."""
    stall_with_a_full_batch(bench)
    message = Departed(wall_ns=7, topic="t", payload="{}", bytes=2)
    assert bench.gate.record.send(message)
    until(lambda: bench.turn() and not bench.record._hearing.wait(0))
    bench.full = False
    until(lambda: bench.turn() and not bench.gate.pending)
    assert bench.reader.departures(10) == []
    assert bench.gate.record.send(message)
    until(lambda: bench.turn() and bench.reader.departures(10))
    assert bench.reader.sums().departed == 1
