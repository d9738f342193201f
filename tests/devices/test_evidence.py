"""Images on disk: whole, within the quota, never in the way."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.disks import fill, small_disk
from support.outcomes import STREAM, WALL, outcome

from inspector.core.config import Evidence
from inspector.core.messages import Event
from inspector.core.terms import Kind
from inspector.devices import evidence
from inspector.devices.evidence import EvidenceStore, Shelf
from inspector.devices.evidence.disk import EvidenceDisk

DAY = 86_400 * 10**9
KB = 1 << 10


def picture(channels: int = 1) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.integers(0, 255, (60, 80, channels), np.uint8)


@pytest.fixture
def store(root: Path) -> Iterator[Callable[..., EvidenceStore]]:
    """Makes stores in `root`, closed afterwards."""
    made: list[EvidenceStore] = []

    def make(folder: Path = root, **settings: Any) -> EvidenceStore:
        settings = {"image": "png", "keep_free_mb": 0, **settings}
        made.append(EvidenceStore(folder, Evidence(**settings), lambda: WALL, hold_s=0.05))
        return made[-1]

    yield make
    for each in made:
        each.close()


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("did not happen within 10 s")


@pytest.mark.parametrize("channels", [1, 3])
def test_image_is_kept_under_its_name(root: Path, store: Any, channels: int) -> None:
    kept = store()
    assert kept.offer(outcome(42, Kind.FAIL), picture(channels))
    kept.close()
    assert files(root) == [f"2023-11-14/{STREAM}-000000042-fail.png"]
    flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
    again = cv2.imread(str(root / files(root)[0]), flag)
    assert np.array_equal(again.reshape(60, 80, channels), picture(channels))


def test_jpeg_has_its_quality(root: Path, store: Any) -> None:
    for quality, seq in ((10, 1), (95, 2)):
        each = store(image="jpeg", jpeg_quality=quality)
        each.offer(outcome(seq, Kind.FAIL), picture())
        each.close()
    low, high = (root / name for name in files(root))
    assert low.suffix == ".jpg"
    assert low.stat().st_size < high.stat().st_size / 2


def test_nothing_is_kept_when_nothing_is_wanted(root: Path, store: Any) -> None:
    kept = store(image="none")
    assert not kept.has_room()
    assert not kept.offer(outcome(1, Kind.FAIL), picture())


def test_full_queue_is_counted_and_never_waits(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    encode = cv2.imencode

    def slow(*arguments: Any) -> Any:
        gate.wait(10)
        return encode(*arguments)

    monkeypatch.setattr(evidence.cv2, "imencode", slow)
    kept = store(queue=2)
    taken = [kept.offer(outcome(seq, Kind.FAIL), picture()) for seq in range(10)]
    assert 2 <= sum(taken) <= 3
    assert kept.dropped == 10 - sum(taken)
    gate.set()
    kept.close()
    assert kept.saved == sum(taken)


def shelve(shelf: Shelf, day: int, seq: int, kind: str, size: int = 10 * KB) -> bool:
    fits = shelf.make_room(size)
    shelf.put(f"2025-01-{day:02}/s-{seq:09}-{kind}.jpg", b"x" * size)
    return fits


def test_oldest_passes_go_first_then_the_oldest_of_all_else(root: Path) -> None:
    shelf = Shelf(root, quota=100 * KB, keep_free=0)
    order = [(1, 0, "fail"), (1, 1, "pass"), (2, 2, "pass"), (2, 3, "fault"), (3, 4, "review")]
    for day, seq, kind in order:
        shelve(shelf, day, seq, kind)
    for seq in range(5, 10):
        shelve(shelf, 3, seq, "fail")
    assert shelf.used == 100 * KB
    gone = []
    for seq in range(10, 14):
        before = set(files(root))
        shelve(shelf, 4, seq, "fail")
        gone.append(sorted(before - set(files(root))))
    assert gone == [
        ["2025-01-01/s-000000001-pass.jpg", "2025-01-02/s-000000002-pass.jpg"],
        [],
        ["2025-01-01/s-000000000-fail.jpg", "2025-01-02/s-000000003-fault.jpg"],
        [],
    ]
    assert not (root / "2025-01-01").exists()


def test_quota_holds_for_long(root: Path) -> None:
    shelf = Shelf(root, quota=200 * KB, keep_free=0)
    for seq in range(300):
        shelve(shelf, 1 + seq // 60, seq, "pass" if seq % 3 else "fail", 2 * KB + seq)
        assert shelf.used <= 200 * KB
    assert shelf.used == sum(path.stat().st_size for path in root.rglob("*.jpg"))


def test_state_is_found_again_at_the_start(root: Path) -> None:
    shelf = Shelf(root, quota=100 * KB, keep_free=0)
    shelve(shelf, 1, 1, "pass")
    shelve(shelf, 2, 2, "fail")
    (root / "2025-01-01" / "s-3-fail.jpg.part").write_bytes(b"torn")
    (root / "2025-01-01" / "s-4-fail.jpg").touch()
    (root / "notes").mkdir()
    (root / "notes" / "mine.jpg").write_bytes(b"not ours")
    again = Shelf(root, quota=100 * KB, keep_free=0)
    assert again.used == 20 * KB
    assert files(root) == [
        "2025-01-01/s-000000001-pass.jpg",
        "2025-01-02/s-000000002-fail.jpg",
        "notes/mine.jpg",
    ]


def test_same_image_twice_is_counted_once(root: Path) -> None:
    shelf = Shelf(root, quota=100 * KB, keep_free=0)
    shelve(shelf, 1, 1, "fail")
    shelve(shelf, 1, 1, "fail", 5 * KB)
    assert shelf.used == 5 * KB


def test_images_deleted_by_hand_are_forgotten(root: Path) -> None:
    shelf = Shelf(root, quota=50 * KB, keep_free=0)
    for seq in range(5):
        shelve(shelf, 1, seq, "fail")
    for path in root.rglob("*.jpg"):
        path.unlink()
    assert shelve(shelf, 1, 9, "fail")
    assert shelf.used == 10 * KB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with small_disk(tmp_path, "2m"):
        yield tmp_path


def test_free_room_is_kept_by_deleting(disk: Path) -> None:
    shelf = Shelf(disk, quota=4 << 20, keep_free=1 << 20)
    for seq in range(300):
        assert shelve(shelf, 1, seq, "pass")
    left = os.statvfs(disk)
    assert left.f_bavail * left.f_frsize >= (1 << 20) - 64 * KB


def test_full_disk_is_told_of_once_and_when_it_works_again(disk: Path, store: Any) -> None:
    kept = store(disk)
    filler = fill(disk)
    for seq in range(3):
        until(kept.has_room)
        before = kept.dropped
        kept.offer(outcome(seq, Kind.FAIL), picture())
        until(lambda before=before: kept.dropped > before)
    filler.unlink()
    until(kept.has_room)
    kept.offer(outcome(9, Kind.FAIL), picture())
    kept.close()
    said: list[Event] = []
    while not kept.events.empty():
        said.append(kept.events.get())
    assert [event.code for event in said] == ["evidence_on_hold", "evidence_resumed"]
    assert "no older image to delete" in said[0].text
    assert [Path(name).name for name in files(disk)] == [f"{STREAM}-000000009-fail.png"]


def test_disk_without_its_free_room_holds_evidence(root: Path, store: Any) -> None:
    kept = store(keep_free_mb=1 << 40)
    kept.offer(outcome(1, Kind.FAIL), picture())
    until(lambda: kept.dropped == 1)
    assert "keep_free_mb" in kept.events.get(timeout=5).text
    assert files(root) == []


def test_days_follow_the_trigger(root: Path, store: Any) -> None:
    kept = store()
    kept.offer(outcome(1, Kind.FAIL, trigger_wall_ns=WALL + DAY), picture())
    kept.close()
    assert files(root)[0].startswith("2023-11-15/")


def test_note_that_cannot_be_looked_at_is_a_problem_and_no_end_of_it(root: Path) -> None:
    assert "is gone" in EvidenceDisk(root / "images", root / ("n" * 300)).problem()
