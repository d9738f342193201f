"""What capture must not forget of its earlier runs."""

from pathlib import Path

import pytest

from inspector.core.errors import MaintainerError
from inspector.devices.unfinished import EndedRun, Unfinished


def run(number: int) -> EndedRun:
    return EndedRun(f"stream{number}", number, 5)


def test_runs_outlive_the_process_until_they_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "ring-top.ended"
    first = Unfinished(path, 8)
    first.add(run(1))
    first.add(run(2))
    first.add(run(1))  # found again by a process that was killed before it had a ring
    second = Unfinished(path, 8)
    assert list(second) == [run(1), run(2)]
    second.remove("stream1")
    second.remove("unknown")
    assert list(Unfinished(path, 8)) == [run(2)]


def test_list_is_bounded_and_the_oldest_go(tmp_path: Path) -> None:
    runs = Unfinished(tmp_path / "ended", 3)
    for number in range(5):
        runs.add(run(number))
    assert list(Unfinished(tmp_path / "ended", 3)) == [run(2), run(3), run(4)]


@pytest.mark.parametrize("content", [b"", b"{", b'[{"stream":"s","last_seq":-2,"wall_ns":0}]'])
def test_damaged_file_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ended"
    path.write_bytes(content)
    assert len(Unfinished(path, 3)) == 0


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    runs = Unfinished(tmp_path / "gone" / "ended", 3)
    with pytest.raises(MaintainerError, match="ended"):
        runs.add(run(1))
    runs.remove("stream1")
    assert len(runs) == 0
