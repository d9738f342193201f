"""Promise 7: kill anything, any time. The gate's journal under kills, damage and a full folder."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.core.errors import EngineerError
from inspector.core.messages import Outcome
from inspector.core.terms import Cause, Kind, Lane, Timing
from inspector.devices.spool import WINDOW, Spool
from inspector.domain.streams import MOST_STREAMS

WRITER = """
import sys
from pathlib import Path
from test_spool import outcome
from inspector.devices.spool import Spool
spool = Spool(Path(sys.argv[1]), segment_bytes=20_000)
print("ready", flush=True)
while True:
    assert spool.append(outcome(spool.next_number))
    sys.stdout.write(f"{spool.next_number}\\n")
    sys.stdout.flush()
"""


def outcome(number: int, stream: str = "s", seq: int | None = None) -> Outcome:
    return Outcome(
        number=number,
        camera="top",
        stream=stream,
        seq=number if seq is None else seq,
        trigger_wall_ns=1,
        kind=Kind.FAULT,
        cause=Cause.LATE,
        reason="no decision",
        lane=Lane.REJECT,
        score=None,
        boxes=(),
        heatmap=None,
        model="m",
        recipe="r",
        lot="",
        latency_us=1,
        timing=Timing(),
        frame=None,
        source="",
    )


def fill(spool: Spool, count: int) -> None:
    for _ in range(count):
        assert spool.append(outcome(spool.next_number))


def numbers(spool: Spool, most: int = 10_000) -> list[int]:
    return [each.number for each in spool.unsent(most)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def tiny_disk() -> Iterator[Path]:
    """A tmpfs of 64 KB. Needs the right to mount."""
    with tempfile.TemporaryDirectory() as name:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", name], capture_output=True
        )
        if mounted.returncode:
            pytest.skip("no right to mount a tmpfs here")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def test_outcomes_survive_a_restart(folder: Path) -> None:
    first = Spool(folder, first_number=7)
    fill(first, 5)
    second = Spool(folder)
    assert second.next_number == 12
    assert list(second.unsent(10)) == [outcome(n) for n in range(7, 12)]
    assert 11 in second.settled()["s"]


def test_acknowledged_outcomes_are_not_sent_again(folder: Path) -> None:
    first = Spool(folder)
    fill(first, 5)
    assert first.ack(2)
    second = Spool(folder)
    assert numbers(second) == [3, 4]
    assert all(seq in second.settled()["s"] for seq in range(5))


def test_settled_parts_are_known_long_after_their_segments_are_gone(folder: Path) -> None:
    spool = Spool(folder, segment_bytes=2000)
    for _ in range(60):
        fill(spool, 50)
        spool.ack(spool.next_number - 1)
    assert spool.append(outcome(spool.next_number, seq=spool.next_number + 3))
    assert len(list(folder.iterdir())) <= 3
    settled = Spool(folder).settled()["s"]
    assert (settled.floor, settled.above) == (3000, [3003])


def test_settled_parts_are_a_view_bounded_to_the_last_streams(folder: Path) -> None:
    spool = Spool(folder, segment_bytes=100_000)
    settled = spool.settled()
    assert spool.append(outcome(0, "first", 0))
    assert 0 in settled["first"]
    for number in range(1, MOST_STREAMS + 1):
        assert spool.append(outcome(number, f"stream{number}", 0))
    spool.close()
    again = Spool(folder).settled()
    assert settled.keys() == again.keys() == {f"stream{n}" for n in range(1, MOST_STREAMS + 1)}


def test_sending_is_in_order_and_bounded(folder: Path) -> None:
    spool = Spool(folder)
    fill(spool, WINDOW + 5)
    assert numbers(spool, 3) == [0, 1, 2]
    assert numbers(spool) == list(range(3, WINDOW))
    assert numbers(spool) == []
    spool.ack(9)
    assert numbers(spool) == list(range(WINDOW, WINDOW + 5))
    spool.rewind()
    assert numbers(spool, 1) == [10]


def test_outcome_that_could_not_be_sent_is_next_again(folder: Path) -> None:
    spool = Spool(folder)
    fill(spool, 3)
    for each in spool.unsent(3):
        if each.number == 1:
            break
    assert numbers(spool) == [1, 2]


def test_acknowledgement_of_what_was_never_sent_is_refused(folder: Path) -> None:
    spool = Spool(folder)
    fill(spool, 2)
    assert not spool.ack(2)
    assert spool.pending == 2


def test_outcome_out_of_turn_is_refused(folder: Path) -> None:
    with pytest.raises(EngineerError):
        Spool(folder).append(outcome(1))


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_torn_tail_loses_only_the_torn_outcome(folder: Path, cut: int) -> None:
    fill(Spool(folder), 3)
    newest = max(folder.iterdir())
    with newest.open("r+b") as file:
        file.truncate(newest.stat().st_size - cut)
    spool = Spool(folder)
    assert numbers(spool) == [0, 1]
    assert spool.damaged == 1
    fill(spool, 1)
    assert Spool(folder).pending == 3


def test_flipped_bit_is_noticed(folder: Path) -> None:
    fill(Spool(folder), 3)
    newest = max(folder.iterdir())
    data = bytearray(newest.read_bytes())
    data[-20] ^= 1
    newest.write_bytes(data)
    assert numbers(Spool(folder)) == [0, 1]


def test_limit_is_reported_and_lifted_by_acknowledgement(folder: Path) -> None:
    spool = Spool(folder, capacity=20_000, segment_bytes=4000)
    while not spool.full:
        fill(spool, 1)
    while spool.append(outcome(spool.next_number)):
        pass
    held = spool.pending
    assert "limit" in spool.problem()
    assert spool.problem() == ""
    spool.ack(spool.next_number - 1)
    assert spool.append(outcome(spool.next_number))
    assert not spool.full
    assert held > 10


def test_full_disk_is_reported_and_not_raised(tiny_disk: Path) -> None:
    spool = Spool(tiny_disk, segment_bytes=8000)
    while spool.append(outcome(spool.next_number)):
        pass
    assert spool.full
    assert "space" in spool.problem()
    kept = spool.next_number
    spool.close()  # or its open files would still take their room
    again = Spool(tiny_disk, segment_bytes=8000)
    assert again.pending == kept
    assert not again.append(outcome(kept))
    again.ack(kept // 2)
    assert again.append(outcome(kept))
    again.close()


def test_full_disk_is_used_over_again_once_all_is_acknowledged(tiny_disk: Path) -> None:
    spool = Spool(tiny_disk)
    while spool.append(outcome(spool.next_number)):
        pass
    kept = spool.next_number
    spool.ack(kept - 1)
    assert not spool.full
    fill(spool, 3)
    spool.close()
    again = Spool(tiny_disk)
    assert numbers(again) == [kept, kept + 1, kept + 2]
    assert again.settled()["s"].floor == kept + 3
    again.close()


def test_killed_writer_loses_no_outcome_it_had_written(folder: Path) -> None:
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(200)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().splitlines()
        writer.wait()
        writer.stdout.close()
        said = int([line for line in lines if line.strip().isdigit()][-1])
        spool = Spool(folder)
        assert spool.next_number >= said
        assert all(seq in spool.settled()["s"] for seq in range(spool.next_number))
        assert spool.pending == spool.next_number
