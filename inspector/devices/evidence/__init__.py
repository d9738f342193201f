"""Images kept on the station, as files a person can open, within a quota.

Promises: `offer` never waits, a full queue is counted; a file is there whole or not at all; the
oldest passes go first, then the oldest of all else, also when the disk runs short; a disk that
fails or goes is told of once, and again when it works.
Never: stands in the way of recording. Files are not synced: an image may be lost with the power.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.core import config
from inspector.core.messages import Event, Outcome
from inspector.core.terms import Severity
from inspector.devices.evidence.disk import GONE, EvidenceDisk
from inspector.devices.evidence.shelf import Shelf
from inspector.domain.keeping import evidence_name

Frame = NDArray[np.uint8]  # (height, width, channels)

EXTENSION = {"jpeg": "jpg", "png": "png", "none": ""}
LOOK_S = 1.0  # between two looks whether the disk is there
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
        note: Path | None = None,
    ) -> None:
        """With `image = "none"` nothing is ever kept. `note`: as `EvidenceDisk` has it."""
        self.free: int | None = None  # bytes on its disk, at the last look
        self.dropped = 0  # offered and not kept: the queue was full, or evidence is on hold
        self.saved = 0
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._settings = settings
        self._folder = folder
        self._wall_ns = wall_ns
        self._hold_s = hold_s
        self._held_until = 0.0
        self._problem = ""
        self._disk = EvidenceDisk(folder, note)
        self._gone = ""  # why nothing can be kept at all
        self._looked = 0.0
        self._shelf: Shelf | None = None
        self._queue: queue.Queue[tuple[Outcome, Frame] | None] = queue.Queue(settings.queue)
        self._thread = threading.Thread(target=self._work, name="evidence", daemon=True)
        self._thread.start()

    def has_room(self) -> bool:
        """True when an image offered now would be taken; ask before copying a frame."""
        return (
            self._settings.image != "none"
            and not self._gone
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
        while True:
            self._look()
            try:
                job = self._queue.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            if job is None:
                return
            self._keep(*job)

    def _look(self) -> None:
        """Is the disk there? One that went is believed once a file has gone to it."""
        now = time.monotonic()
        if now - self._looked < LOOK_S or self._settings.image == "none":
            return
        self._looked = now
        self.free = self._disk.free()
        if not self._gone:
            self._found(self._disk.problem())
        elif now >= self._held_until:
            self._found(self._disk.probe())

    def _found(self, problem: str) -> None:
        """What is wrong with the disk, or nothing. Its files are counted when it comes."""
        if not problem and self._shelf is None:
            quota, keep_free = self._settings.quota_mb * MB, self._settings.keep_free_mb * MB
            try:
                self._shelf = Shelf(self._folder, quota, keep_free)
            except OSError as error:
                problem = f"{self._folder}: cannot be read ({error.strerror}); mend its disk"
        if problem and not self._gone:
            self._shelf = None
            self._tell(Severity.ALARM, "evidence_gone", problem)
        elif self._gone and not problem:
            self._tell(Severity.INFO, "evidence_back", f"{self._folder}: can be written again")
        self._gone = problem

    def _keep(self, outcome: Outcome, frame: Frame) -> None:
        if self._shelf is None:
            self.dropped += 1
            return
        try:
            self._save(self._shelf, outcome, frame)
            self._recover()
        except OSError as error:
            if error.errno in GONE:
                self.dropped += 1
                self._held_until = time.monotonic() + LOOK_S
                self._found(f"{self._folder}: {error.strerror}; mend its disk or mount")
            else:
                self._fail(error.strerror or str(error))
        except cv2.error as error:
            self._fail(f"the image cannot be encoded ({error.err})")

    def _save(self, shelf: Shelf, outcome: Outcome, frame: Frame) -> None:
        name = self.name_of(outcome)
        data = self._encoded(frame)
        if not shelf.make_room(len(data)):
            raise OSError(
                f"the disk is full but for keep_free_mb = {self._settings.keep_free_mb}, "
                "and there is no older image to delete; make room"
            )
        shelf.put(name, data)
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
