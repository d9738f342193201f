"""The output of a station without a PLC: a log that never stands in the line's way."""

from pathlib import Path

import pytest

from inspector.core.clock import ManualClock
from inspector.core.messages import Kind, Lane
from inspector.devices.outputs import VirtualOutput


def test_one_line_per_part_in_order(tmp_path: Path) -> None:
    clock = ManualClock(mono=5)
    output = VirtualOutput(tmp_path / "output.log", clock)
    output.drive(Lane.ACCEPT, Kind.PASS, "abc", 0)
    clock.advance_ms(1.5)
    output.drive(Lane.REJECT, Kind.FAULT, "abc", 1)
    output.tick()
    output.close()
    assert (tmp_path / "output.log").read_text().splitlines() == [
        "2023-11-14T22:13:20.000000Z 5 accept pass abc 0",
        "2023-11-14T22:13:20.001500Z 1500005 reject fault abc 1",
    ]
    assert output.healthy


def test_log_is_bounded(tmp_path: Path) -> None:
    output = VirtualOutput(tmp_path / "output.log", ManualClock(), most_bytes=1000)
    for seq in range(200):
        output.drive(Lane.ACCEPT, Kind.PASS, "abc", seq)
    output.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["output.log", "output.log.1"]
    assert all(file.stat().st_size < 1100 for file in files)
    assert (tmp_path / "output.log").read_text().endswith(" 199\n")


def test_log_goes_on_after_a_restart(tmp_path: Path) -> None:
    for seq in range(2):
        output = VirtualOutput(tmp_path / "output.log", ManualClock())
        output.drive(Lane.ACCEPT, Kind.PASS, "abc", seq)
        output.close()
    assert len((tmp_path / "output.log").read_text().splitlines()) == 2


def test_full_disk_is_told_once_and_raises_nothing() -> None:
    output = VirtualOutput(Path("/dev/full"), ManualClock())
    for seq in range(3):
        output.drive(Lane.ACCEPT, Kind.PASS, "abc", seq)
    assert "/dev/full" in output.problem()
    assert output.problem() == ""
    assert not output.healthy
    output.close()


@pytest.mark.parametrize("missing", ["no/folder/output.log"])
def test_disk_that_comes_back_is_used_again(tmp_path: Path, missing: str) -> None:
    path = tmp_path / missing
    output = VirtualOutput(path, ManualClock())
    output.drive(Lane.ACCEPT, Kind.PASS, "abc", 0)
    assert output.problem()
    path.parent.mkdir(parents=True)
    output.drive(Lane.ACCEPT, Kind.PASS, "abc", 1)
    assert output.healthy
    output.close()
