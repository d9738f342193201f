"""The output of a station without a PLC: a log that never stands in the line's way."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inspector.core.clock import SECOND, ManualClock
from inspector.core.terms import Kind, Lane
from inspector.devices.outputs import VirtualOutput
from inspector.domain.release import LaneCommand


def part(
    seq: int, lane: Lane = Lane.ACCEPT, kind: Kind = Kind.PASS, deadline_ns: int = 60 * SECOND
) -> LaneCommand:
    return LaneCommand(lane, kind, 0, "abc", seq, deadline_ns)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "did not come true"
        time.sleep(0.002)


def test_one_line_per_part_in_order(tmp_path: Path) -> None:
    clock = ManualClock(mono=5)
    output = VirtualOutput(tmp_path / "output.log", clock)
    output.drive(part(0))
    clock.advance_ms(1.5)
    output.drive(part(1, Lane.REJECT, Kind.FAULT))
    output.tick()
    output.close()
    assert (tmp_path / "output.log").read_text().splitlines() == [
        "2023-11-14T22:13:20.000000Z 5 accept pass abc 0",
        "2023-11-14T22:13:20.001500Z 1500005 reject fault abc 1",
    ]
    assert output.healthy


def test_accept_after_the_deadline_is_a_reject(tmp_path: Path) -> None:
    output = VirtualOutput(tmp_path / "output.log", ManualClock(mono=7))
    output.drive(part(0, deadline_ns=7))
    output.close()
    assert (tmp_path / "output.log").read_text().endswith(" 7 reject pass abc 0\n")


def test_log_is_bounded(tmp_path: Path) -> None:
    output = VirtualOutput(tmp_path / "output.log", ManualClock(), most_bytes=1000)
    for seq in range(200):
        output.drive(part(seq))
    output.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["output.log", "output.log.1"]
    assert all(file.stat().st_size < 1100 for file in files)
    assert (tmp_path / "output.log").read_text().endswith(" 199\n")


def test_log_goes_on_after_a_restart(tmp_path: Path) -> None:
    for seq in range(2):
        output = VirtualOutput(tmp_path / "output.log", ManualClock())
        output.drive(part(seq))
        output.close()
    assert len((tmp_path / "output.log").read_text().splitlines()) == 2


def test_hung_disk_never_holds_the_gate_up(tmp_path: Path) -> None:
    """A pipe that nobody reads is a disk that does not answer."""
    pipe = tmp_path / "output.log"
    os.mkfifo(pipe)
    output = VirtualOutput(pipe, ManualClock(), depth=10)
    for seq in range(10_000):
        output.drive(part(seq))
        output.tick()
    assert not output.healthy
    assert "does not keep up" in output.problem()
    assert output.problem() == ""
    with pipe.open() as reader:  # and the disk is back
        output.close()
        seqs = [int(line.split()[-1]) for line in reader]
    assert seqs == sorted(set(seqs))
    assert 10 <= len(seqs) <= 12


def test_full_disk_is_told_once_and_raises_nothing() -> None:
    output = VirtualOutput(Path("/dev/full"), ManualClock())
    output.drive(part(0))
    until(lambda: not output.healthy)
    assert "/dev/full" in output.problem()
    output.drive(part(1))
    output.close()
    assert output.problem() == ""
    assert not output.healthy


@pytest.mark.parametrize("missing", ["no/folder/output.log"])
def test_disk_that_comes_back_is_used_again(tmp_path: Path, missing: str) -> None:
    path = tmp_path / missing
    output = VirtualOutput(path, ManualClock())
    output.drive(part(0))
    until(output.problem)
    path.parent.mkdir(parents=True)
    output.drive(part(1))
    output.close()
    assert output.healthy
