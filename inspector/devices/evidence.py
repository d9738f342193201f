"""Images kept on the station, as files a person can open, within a quota.

Promises: `offer` never waits, a full queue is counted; a file is there whole or not at all; the
oldest passes go first, then the oldest of all else, also when the disk runs short; a disk that
fails is told of once, and again when it works.
Never: stands in the way of recording. Files are not synced: an image may be lost with the power.
"""

import contextlib
import os
import queue
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.core import config
from inspector.core.messages import Event, Outcome
from inspector.core.terms import Severity
from inspector.domain.keeping import evidence_name, excess, is_pass, next_to_go

Frame = NDArray[np.uint8]  # (height, width, channels)

EXTENSION = {"jpeg": "jpg", "png": "png", "none": ""}
PART = ".part"
DAY = re.compile(r"\d{4}-\d\d-\d\d")
HOLD_S = 5.0  # a disk that failed is tried again after so long
MB = 1 << 20


class EvidenceStore:
    """Encodes and writes on a thread of its own."""

    def __init__(
        self,
        folder: Path,
        settings: config.Evidence,
        wall_ns: Callable[[], int],
        hold_s: float = HOLD_S,
    ) -> None:
        """`folder` exists and can be written. With `image = "none"` nothing is ever kept."""
        self.dropped = 0  # offered and not kept: the queue was full, or evidence is on hold
        self.saved = 0
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._settings = settings
        self._folder = folder
        self._wall_ns = wall_ns
        self._hold_s = hold_s
        self._held_until = 0.0
        self._problem = ""
        self._shelf = Shelf(folder, settings.quota_mb * MB, settings.keep_free_mb * MB)
        self._queue: queue.Queue[tuple[Outcome, Frame] | None] = queue.Queue(settings.queue)
        self._thread = threading.Thread(target=self._work, name="evidence", daemon=True)
        self._thread.start()

    def has_room(self) -> bool:
        """True when an image offered now would be taken; ask before copying a frame."""
        return (
            self._settings.image != "none"
            and not self._queue.full()
            and time.monotonic() >= self._held_until
        )

    def offer(self, outcome: Outcome, frame: Frame) -> bool:
        """Take a frame (height, width, 1 or 3) uint8 to be written later. The caller gives the
        array away. False when it was dropped."""
        if self.has_room():
            with contextlib.suppress(queue.Full):
                self._queue.put_nowait((outcome, frame))
                return True
        self.dropped += 1
        return False

    def name_of(self, outcome: Outcome) -> str:
        """The path below the folder under which the outcome's image is kept."""
        return evidence_name(
            outcome.trigger_wall_ns,
            outcome.stream,
            outcome.seq,
            outcome.kind,
            EXTENSION[self._settings.image],
        )

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what is queued, for at most about `timeout_s`; the rest is dropped."""
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=timeout_s)
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                self._save(*job)
                self._recover()
            except OSError as error:
                self._fail(error.strerror or str(error))
            except cv2.error as error:
                self._fail(f"the image cannot be encoded ({error.err})")

    def _save(self, outcome: Outcome, frame: Frame) -> None:
        name = self.name_of(outcome)
        data = self._encoded(frame)
        if not self._shelf.make_room(len(data)):
            raise OSError(
                f"the disk is full but for keep_free_mb = {self._settings.keep_free_mb}, "
                "and there is no older image to delete; make room"
            )
        self._shelf.put(name, data)
        self.saved += 1

    def _encoded(self, frame: Frame) -> bytes:
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._settings.jpeg_quality]
        jpeg = self._settings.image == "jpeg"
        done, data = cv2.imencode(
            f".{EXTENSION[self._settings.image]}", frame, quality if jpeg else []
        )
        if not done:
            raise OSError("the image cannot be encoded")
        return bytes(data.tobytes())

    def _fail(self, text: str) -> None:
        self.dropped += 1
        self._held_until = time.monotonic() + self._hold_s
        if not self._problem:
            self._tell(Severity.WARNING, "evidence_on_hold", f"{self._folder}: {text}")
        self._problem = text

    def _recover(self) -> None:
        if self._problem:
            self._tell(Severity.INFO, "evidence_resumed", f"{self._folder}: can be written again")
        self._problem = ""

    def _tell(self, severity: Severity, code: str, text: str) -> None:
        wall = self._wall_ns()
        self.events.put(
            Event(service="record", severity=severity, code=code, text=text, wall_ns=wall)
        )


@dataclass
class Held:
    """Bytes of one day."""

    passes: int = 0
    others: int = 0

    def add(self, passes: bool, size: int) -> None:
        if passes:
            self.passes += size
        else:
            self.others += size

    def clear(self, passes: bool) -> None:
        self.add(passes, -(self.passes if passes else self.others))


class Shelf:
    """The files of the evidence folder and the room they take: one folder a day.

    The folder is read once, at the start; from then on only bytes per day are kept in memory, and
    a day's folder is read when it is its turn to be thinned out.
    """

    def __init__(self, folder: Path, quota: int, keep_free: int) -> None:
        self._folder = folder
        self._quota = quota
        self._keep_free = keep_free
        self._days: dict[str, Held] = {}
        for day in (entry for entry in folder.iterdir() if DAY.fullmatch(entry.name)):
            self._scan(day)

    @property
    def used(self) -> int:
        """Bytes of all images."""
        return sum(held.passes + held.others for held in self._days.values())

    def make_room(self, size: int) -> bool:
        """Delete until `size` more bytes fit. False when the disk stays short of free room."""
        need = excess(self.used + size, self._free() - size, self._quota, self._keep_free)
        while need > 0:
            turn = next_to_go((day, h.passes, h.others) for day, h in self._days.items())
            if turn is None:
                return self._free() - size >= self._keep_free
            need -= self._thin(*turn, need)
        return True

    def put(self, name: str, data: bytes) -> None:
        """Write one file whole. Raises OSError, and then leaves nothing behind."""
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_name(path.name + PART)
        try:
            fresh.write_bytes(data)
            replaced = path.stat().st_size if path.exists() else 0
            fresh.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise
        self._add(path.parent.name, path.name, len(data) - replaced)

    def _free(self) -> int:
        return shutil.disk_usage(self._folder).free

    def _add(self, day: str, name: str, size: int) -> None:
        self._days.setdefault(day, Held()).add(is_pass(name), size)

    def _scan(self, day: Path) -> None:
        """Count a day's files; what a kill or a power cut left unfinished is removed."""
        for entry in os.scandir(day):
            size = entry.stat().st_size
            if entry.name.endswith(PART) or not size:
                Path(entry.path).unlink()
            else:
                self._add(day.name, entry.name, size)

    def _thin(self, day: str, passes: bool, need: int) -> int:
        """Delete the oldest passes, or the oldest of all else, of a day. Returns bytes freed."""
        freed = 0
        for size, path in self._oldest_first(day, passes):
            if freed >= need:
                break
            path.unlink(missing_ok=True)
            freed += size
        else:
            # All are gone; what somebody else deleted is no longer counted either.
            self._days[day].clear(passes)
            self._drop_if_empty(day)
            return freed
        self._days[day].add(passes, -freed)
        return freed

    def _oldest_first(self, day: str, passes: bool) -> list[tuple[int, Path]]:
        folder = self._folder / day
        if not folder.exists():
            return []
        entries = [entry for entry in os.scandir(folder) if is_pass(entry.name) == passes]
        found = sorted((entry.stat().st_mtime_ns, entry.name, entry.stat()) for entry in entries)
        return [(stat.st_size, folder / name) for _, name, stat in found]

    def _drop_if_empty(self, day: str) -> None:
        if self._days[day] == Held():
            del self._days[day]
            with contextlib.suppress(OSError):
                (self._folder / day).rmdir()
