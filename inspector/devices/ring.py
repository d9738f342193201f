"""Frames in shared memory: one writer, any number of readers, no copy and no lock.

Promises: a reader either sees one whole frame or learns that it did not. Each slot carries a
stamp, odd while it is written and `2 * generation` when whole; a reader compares it before and
after. The header counts triggers, so that a killed writer leaves its count behind.
Never: blocks either side, grows, or is written by a reader (it is mapped copy-on-write there).

The order of stores and loads that this needs is that of x86 (total store order).
"""

import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.terms import FrameFormat, FrameRef, Pixel

Frame = NDArray[np.uint8]  # (height, width, channels)

MAGIC = 0x52_47_4E_49_52_50_53_49  # "ISPRINGR"
VERSION = 1
HEADER = 4096
SLOT_HEADER = 64
STREAM_AT, STREAM_BYTES = 256, 64

# Places of the 64-bit words of the header.
W_MAGIC, W_VERSION, W_SLOTS, W_STRIDE, W_WIDTH, W_HEIGHT, W_CHANNELS, W_TRIGGERS = range(8)


@dataclass(frozen=True)
class Count:
    """How far a run of a camera had counted: `triggers` parts, the last one's seq is one less."""

    stream: str
    triggers: int


class RingWriter:
    """The camera's side."""

    def __init__(self, path: Path, format: FrameFormat, slots: int, stream: str) -> None:
        """Take over the ring that is there when it has the same size, or put a new one there."""
        self.format = format
        self.slots = slots
        self._stride = _stride(format)
        self._generation = time.monotonic_ns()  # never met before, also by readers of the last ring
        self._next = 0
        size = HEADER + slots * self._stride
        self._map = _create(path, size, _is_alike(path, size, format, slots))
        self._words = np.frombuffer(self._map, np.uint64)
        self._pixels = [self._slot_pixels(slot) for slot in range(slots)]
        self._describe(stream)

    def count_trigger(self) -> int:
        """The seq of the part that triggers now; counted before anything else can fail."""
        seq = int(self._words[W_TRIGGERS])
        self._words[W_TRIGGERS] = seq + 1
        return seq

    @property
    def last_seq(self) -> int:
        return int(self._words[W_TRIGGERS]) - 1

    @contextmanager
    def write(self) -> Iterator[tuple[Frame, FrameRef]]:
        """The next slot to fill, with its reference, valid once the block is left."""
        slot = self._next % self.slots
        self._next += 1
        self._generation += 1
        word = _stamp_word(slot, self._stride)
        self._words[word] = 2 * self._generation - 1
        yield (
            self._pixels[slot],
            FrameRef(slot=slot, generation=self._generation, format=self.format),
        )
        self._words[word] = 2 * self._generation

    def _slot_pixels(self, slot: int) -> Frame:
        at = HEADER + slot * self._stride + SLOT_HEADER
        flat = np.frombuffer(self._map, np.uint8, self.format.nbytes, at)
        return flat.reshape(self.format.shape)

    def _describe(self, stream: str) -> None:
        encoded = stream.encode()[:STREAM_BYTES]
        self._words[W_MAGIC] = 0  # no reader may take a half-described header for a ring
        self._map[STREAM_AT : STREAM_AT + STREAM_BYTES] = encoded.ljust(STREAM_BYTES, b"\0")
        format = self.format
        self._words[W_SLOTS : W_TRIGGERS + 1] = (
            self.slots,
            self._stride,
            format.width,
            format.height,
            format.pixel.channels,
            0,
        )
        self._words[W_VERSION] = VERSION
        self._words[W_MAGIC] = MAGIC


class RingReader:
    """The side of those who look."""

    def __init__(self, path: Path) -> None:
        """Opens lazily, and again whenever the writer has put a new ring in place."""
        self._path = path
        self._open: _Mapped | None = None

    def view(self, ref: FrameRef) -> Frame | None:
        """The frame in place, or None when it is gone. Check `still` after the last look."""
        mapped = self._holding(ref)
        return mapped.pixels(ref) if mapped else None

    def still(self, ref: FrameRef) -> bool:
        """True when the slot has borne this frame, whole, up to now."""
        return self._open is not None and self._open.stamp(ref.slot) == 2 * ref.generation

    def copy(self, ref: FrameRef) -> Frame | None:
        """A copy of the whole frame, or None when it is gone or was overwritten meanwhile."""
        frame = self.view(ref)
        if frame is None:
            return None
        copied = frame.copy()
        return copied if self.still(ref) else None

    @property
    def slots(self) -> int:
        """How many frames the ring holds; 0 while there is none."""
        return self._open.slots if self._open else 0

    def _holding(self, ref: FrameRef) -> "_Mapped | None":
        if not self.still(ref):
            self._reopen()
        return self._open if self.still(ref) else None

    def _reopen(self) -> None:
        """Map the ring that is there now, unless it is the one already mapped."""
        try:
            inode = self._path.stat().st_ino
            if self._open is None or self._open.inode != inode:
                self._open = _Mapped(self._path)
        except (OSError, ValueError):
            self._open = None


class _Mapped:
    """One ring file, mapped. Pages are private: a reader's slip could not reach the writer."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self.inode = os.fstat(file.fileno()).st_ino
            # Writable in name only (copy-on-write): OpenVINO takes no read-only memory as input.
            self._map = mmap.mmap(
                file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE
            )
        self._words = np.frombuffer(self._map, np.uint64)
        self.slots, self._stride, self._format = _described(self._words, path)
        self._frames = [self._frame(slot) for slot in range(self.slots)]

    def stamp(self, slot: int) -> int:
        return int(self._words[_stamp_word(slot, self._stride)]) if 0 <= slot < self.slots else -1

    def pixels(self, ref: FrameRef) -> Frame | None:
        return self._frames[ref.slot] if ref.format == self._format else None

    def _frame(self, slot: int) -> Frame:
        at = HEADER + slot * self._stride + SLOT_HEADER
        return np.frombuffer(self._map, np.uint8, self._format.nbytes, at).reshape(
            self._format.shape
        )


def last_count(path: Path) -> Count | None:
    """How far the ring's last writer had counted, or None where there is no readable ring."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER)
    except OSError:
        return None
    if len(header) < HEADER:
        return None
    words = np.frombuffer(header[:STREAM_AT], np.uint64)
    if int(words[W_MAGIC]) != MAGIC or int(words[W_VERSION]) != VERSION:
        return None
    stream = header[STREAM_AT : STREAM_AT + STREAM_BYTES].rstrip(b"\0").decode("ascii", "replace")
    return Count(stream, int(words[W_TRIGGERS]))


def slots_for(format: FrameFormat, budget_mb: int, most: int = 64) -> int:
    """How many frames `budget_mb` MiB hold, at least 3 and at most `most`."""
    return max(3, min(most, budget_mb * 2**20 // _stride(format)))


def _stride(format: FrameFormat) -> int:
    """Bytes from slot to slot, a multiple of the page size."""
    return -(-(SLOT_HEADER + format.nbytes) // mmap.PAGESIZE) * mmap.PAGESIZE


def _stamp_word(slot: int, stride: int) -> int:
    return (HEADER + slot * stride) // 8


def _described(words: NDArray[np.uint64], path: Path) -> tuple[int, int, FrameFormat]:
    if int(words[W_MAGIC]) != MAGIC or int(words[W_VERSION]) != VERSION:
        raise ValueError(f"{path}: is no ring of version {VERSION}")
    slots, stride, width, height, channels = (int(word) for word in words[W_SLOTS:W_TRIGGERS])
    pixel = Pixel.MONO8 if channels == 1 else Pixel.BGR8
    return slots, stride, FrameFormat(width=width, height=height, pixel=pixel)


def _is_alike(path: Path, size: int, format: FrameFormat, slots: int) -> bool:
    """True when a ring of this very geometry is there, so that its readers need not look again."""
    try:
        with path.open("rb") as file:
            words = np.frombuffer(file.read(HEADER), np.uint64)
            found = os.fstat(file.fileno()).st_size
        return found == size and _described(words, path)[::2] == (slots, format)
    except (OSError, ValueError, IndexError):
        return False


def _create(path: Path, size: int, alike: bool) -> mmap.mmap:
    """A file of `size` bytes, in place at once: the one that is there when it is `alike`, since
    memory may not hold two. The space is claimed now, because a page that memory cannot back
    would kill the writer later."""
    fresh = path.with_name(path.name + ".new")
    try:
        if alike:
            with path.open("r+b") as file:
                return mmap.mmap(file.fileno(), size)
        path.unlink(missing_ok=True)
        with fresh.open("w+b") as file:
            os.fchmod(file.fileno(), 0o640)
            os.posix_fallocate(file.fileno(), 0, size)
            mapped = mmap.mmap(file.fileno(), size)
        fresh.replace(path)
    except OSError as error:
        raise MaintainerError(
            f"{path}: no room for {size / 2**20:.0f} MiB of frames ({error.strerror}); "
            "lower ring.budget_mb or ring.slots"
        ) from None
    return mapped


def as_frame(pixels: memoryview, format: FrameFormat) -> Frame:
    """Inline pixels as a frame. Raises EngineerError when their number is not the format's."""
    if pixels.nbytes != format.nbytes:
        raise EngineerError(f"{pixels.nbytes} bytes of pixels where {format} has {format.nbytes}")
    return np.frombuffer(pixels, np.uint8).reshape(format.shape)
