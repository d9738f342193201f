"""The ring: a whole frame or none, whatever the speeds, and counts that outlive the writer."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.terms import FrameFormat, FrameRef, Pixel
from inspector.devices.ring import (
    Count,
    RingReader,
    RingWriter,
    as_frame,
    last_count,
    slots_for,
)

SMALL = FrameFormat(width=64, height=48, pixel=Pixel.BGR8)


def write(ring: RingWriter, value: int) -> FrameRef:
    with ring.write() as (pixels, ref):
        pixels[:] = value
    return ref


def test_frame_is_read_in_place_and_whole(root: Path) -> None:
    ring = RingWriter(root / "ring", SMALL, 4, "s")
    reader = RingReader(root / "ring")
    ref = write(ring, 7)
    frame = reader.view(ref)
    assert frame is not None
    assert frame.shape == (48, 64, 3)
    assert (frame == 7).all()
    assert reader.still(ref)


def test_overwritten_frame_is_refused(root: Path) -> None:
    ring = RingWriter(root / "ring", SMALL, 3, "s")
    reader = RingReader(root / "ring")
    first = write(ring, 1)
    view = reader.view(first)
    for value in range(2, 5):
        write(ring, value)
    assert view is not None
    assert not reader.still(first)
    assert reader.view(first) is None
    assert reader.copy(first) is None


def test_frame_being_written_is_refused(root: Path) -> None:
    ring = RingWriter(root / "ring", SMALL, 3, "s")
    reader = RingReader(root / "ring")
    with ring.write() as (_, ref):
        assert reader.view(ref) is None
    assert reader.view(ref) is not None


def test_reader_finds_the_ring_of_a_restarted_camera(root: Path) -> None:
    reader = RingReader(root / "ring")
    old = write(RingWriter(root / "ring", SMALL, 3, "a"), 1)
    assert reader.view(old) is not None
    larger = FrameFormat(width=128, height=96, pixel=Pixel.MONO8)
    new = write(RingWriter(root / "ring", larger, 3, "b"), 2)
    frame = reader.view(new)
    assert frame is not None
    assert frame.shape == (96, 128, 1)
    assert reader.view(old) is None


def test_restarted_camera_takes_over_its_ring(root: Path) -> None:
    """Memory need not hold two rings, and no frame of the last run is taken for a new one."""
    reader = RingReader(root / "ring")
    first = RingWriter(root / "ring", SMALL, 3, "a")
    first.count_trigger()
    old = write(first, 1)
    assert reader.view(old) is not None
    inode = (root / "ring").stat().st_ino
    second = RingWriter(root / "ring", SMALL, 3, "b")
    assert (root / "ring").stat().st_ino == inode
    assert last_count(root / "ring") == Count("b", 0)
    new = write(second, 2)
    frame = reader.view(new)
    assert frame is not None
    assert (frame == 2).all()
    assert reader.view(old) is None


def test_ring_of_the_same_size_and_another_shape_is_not_taken_over(root: Path) -> None:
    reader = RingReader(root / "ring")
    old = write(RingWriter(root / "ring", SMALL, 3, "a"), 1)
    assert reader.view(old) is not None
    turned = FrameFormat(width=48, height=64, pixel=Pixel.BGR8)
    new = write(RingWriter(root / "ring", turned, 3, "b"), 2)
    frame = reader.view(new)
    assert frame is not None
    assert frame.shape == (64, 48, 3)


def test_reader_cannot_reach_the_writer(root: Path) -> None:
    ring = RingWriter(root / "ring", SMALL, 3, "s")
    ref = write(ring, 5)
    slip = RingReader(root / "ring").view(ref)
    assert slip is not None
    slip[:] = 9
    honest = RingReader(root / "ring").view(ref)
    assert honest is not None
    assert (honest == 5).all()


def test_count_outlives_the_writer(root: Path) -> None:
    ring = RingWriter(root / "ring", SMALL, 3, "stream-1")
    for _ in range(5):
        ring.count_trigger()
    assert last_count(root / "ring") == Count("stream-1", 5)


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\0" * 8192])
def test_rubbish_is_no_ring(root: Path, content: bytes) -> None:
    (root / "ring").write_bytes(content)
    assert last_count(root / "ring") is None
    ref = FrameRef(slot=0, generation=1, format=SMALL)
    assert RingReader(root / "ring").view(ref) is None


def test_no_room_in_memory_is_one_line(root: Path) -> None:
    huge = FrameFormat(width=16384, height=16384, pixel=Pixel.BGR8)
    with pytest.raises(MaintainerError, match=r"no room for .* MiB of frames.*budget_mb"):
        RingWriter(root / "ring", huge, 100_000, "s")
    assert not (root / "ring").exists()


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from(Pixel), st.integers(1, 1000))
def test_slots_fit_the_budget_or_are_three(
    width: int, height: int, pixel: Pixel, budget: int
) -> None:
    format = FrameFormat(width=width, height=height, pixel=pixel)
    slots = slots_for(format, budget)
    assert 3 <= slots <= 64
    assert slots == 3 or slots * format.nbytes <= budget * 2**20


@settings(max_examples=20)
@given(st.integers(0, 20_000))
def test_inline_pixels_of_another_size_are_refused(size: int) -> None:
    if size == SMALL.nbytes:
        return
    with pytest.raises(EngineerError, match="bytes of pixels"):
        as_frame(memoryview(bytes(size)), SMALL)


WRITER = """
import sys
from pathlib import Path
from inspector.core.terms import (FrameFormat, Pixel)
from inspector.devices.ring import RingWriter
format = FrameFormat(width=640, height=480, pixel=Pixel.MONO8)
ring = RingWriter(Path(sys.argv[1]), format, 3, "stress")
print("ready", flush=True)
while True:
    with ring.write() as (pixels, ref):
        pixels[:] = ref.generation % 251
"""


def newest(reader: RingReader, path: Path, slot: int, format: FrameFormat) -> FrameRef | None:
    """What stands in a slot now, as a ticket would name it; None while it is being written."""
    stride = -(-(64 + format.nbytes) // 4096) * 4096
    with path.open("rb") as file:
        file.seek(4096 + slot * stride)
        stamp = int.from_bytes(file.read(8), "little")
    return None if stamp % 2 else FrameRef(slot=slot, generation=stamp // 2, format=format)


def test_no_torn_frame_under_stress(root: Path) -> None:
    """A writer at full speed into three slots against a reader that dawdles at random: what the
    reader is told is whole bears one value in every pixel, and overwriting is noticed."""
    path = root / "ring"
    command = [sys.executable, "-c", WRITER, str(path)]
    format = FrameFormat(width=640, height=480, pixel=Pixel.MONO8)
    reader, rng = RingReader(path), np.random.default_rng(0)
    whole = overrun = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
        until = time.monotonic() + 5
        while time.monotonic() < until:
            ref = newest(reader, path, int(rng.integers(3)), format)
            if ref is None:
                continue
            if rng.random() < 0.2:
                time.sleep(rng.random() * 0.001)
            frame = reader.copy(ref)
            if frame is None:
                overrun += 1
                continue
            whole += 1
            assert frame.min() == frame.max() == ref.generation % 251
        writer.kill()
    assert whole > 100
    assert overrun > 100
