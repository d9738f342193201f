"""Cameras behind one small protocol, and the two that need no hardware: a folder and a video.

Promises: `wait` says that a part has triggered, `read` fills the frame or raises FrameMissing
with the cause; after `read` returns, every pixel is the part's own.
Never: numbers parts, keeps time for anyone else, or goes on after the source has ended.
"""

import os
import random
import time
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.core.clock import SECOND
from inspector.core.config import FolderCamera as FolderConfig
from inspector.core.config import LocalCamera
from inspector.core.config import VideoCamera as VideoConfig
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.terms import Cause, FrameFormat, Pixel

Frame = NDArray[np.uint8]  # (height, width, channels)

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})


class FrameMissing(InspectorError):
    """A part has triggered and there is no frame to judge. `cause` goes into its outcome."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason


class Camera(Protocol):
    """What capture needs of a camera."""

    @property
    def format(self) -> FrameFormat:
        """Of every frame of this run."""
        ...

    @property
    def ended(self) -> bool:
        """True when no part will come any more."""
        ...

    def wait(self, timeout_s: float) -> str | None:
        """The source of the part that has triggered ("" where there is none), or None after
        `timeout_s`."""
        ...

    def read(self, into: Frame) -> None:
        """Fill `into`, (height, width, channels) uint8. Raises FrameMissing."""
        ...

    def close(self) -> None: ...


class Takt:
    """When the next simulated part is due: every `takt_ms`, whatever the line does."""

    def __init__(self, takt_ms: float, parts: int | None) -> None:
        self._step = int(takt_ms * 1_000_000)
        self._due: int | None = None
        self._left = parts

    @property
    def ended(self) -> bool:
        return self._left == 0

    def wait(self, timeout_s: float, ended: bool) -> bool:
        """True when a part is due now; sleeps until then, at most `timeout_s`. `ended`: no part
        will come any more."""
        if ended:
            time.sleep(timeout_s)
            return False
        now = time.monotonic_ns()
        self._due = now if self._due is None else self._due
        ahead = self._due - now
        if ahead > 0:
            time.sleep(min(timeout_s, ahead / SECOND))
            if time.monotonic_ns() < self._due:
                return False
        self._due = self._due + self._step if self._step else None
        self._left = None if self._left is None else self._left - 1
        return True


class FolderCamera:
    """Plays images from a folder and the folders below it, in the order of their paths."""

    def __init__(self, config: FolderConfig) -> None:
        """Raises MaintainerError when there is no readable image."""
        self._files = _listed(Path(config.path), config.shuffle_seed)
        self._root = Path(config.path)
        self._loop = config.loop
        self._takt = Takt(config.takt_ms, config.parts)
        self._cache = _Cache(config.cache_mb * 2**20)
        self._at = -1
        self.format = _first_format(self._files)

    @property
    def ended(self) -> bool:
        played = not self._loop and self._at + 1 >= len(self._files)
        return played or self._takt.ended

    def wait(self, timeout_s: float) -> str | None:
        if not self._takt.wait(timeout_s, self.ended):
            return None
        self._at += 1
        name = self._current.relative_to(self._root)
        return os.fsencode(name).decode("utf-8", "replace")  # a name need not be text

    def read(self, into: Frame) -> None:
        path = self._current
        frame = self._cache.get(path)
        if frame is None:
            frame = read_image(path)
            self._cache.put(path, frame)
        if frame.shape != into.shape:
            height, width, channels = frame.shape
            raise FrameMissing(
                Cause.FRAME,
                f"{path.name}: {width}x{height} with {channels} channels, "
                f"the camera's format is {self.format}",
            )
        np.copyto(into, frame)

    def close(self) -> None:
        self._cache.clear()

    @property
    def _current(self) -> Path:
        return self._files[self._at % len(self._files)]


class VideoCamera:
    """Plays a video file, one frame a part."""

    def __init__(self, config: VideoConfig) -> None:
        """Raises MaintainerError when the file cannot be played."""
        self._path = config.path
        self._loop = config.loop
        self._takt = Takt(config.takt_ms, config.parts)
        self._video = cv2.VideoCapture(config.path)
        self._finished = False
        self._number = -1
        self._next = self._decode()
        if self._next is None:
            raise MaintainerError(f"{config.path}: is no video that can be played; check the file")
        self.format = format_of(self._next)

    @property
    def ended(self) -> bool:
        return self._finished or self._takt.ended

    def wait(self, timeout_s: float) -> str | None:
        if not self._takt.wait(timeout_s, self.ended):
            return None
        self._number += 1
        return f"{Path(self._path).name}#{self._number}"

    def read(self, into: Frame) -> None:
        frame, self._next = self._next, self._decode()
        if self._next is None:
            self._finished = not self._loop or not self._rewind()
        if frame is None:
            raise FrameMissing(Cause.CAMERA, f"{self._path}: the video gives no frame")
        if frame.shape != into.shape:
            raise FrameMissing(Cause.FRAME, f"{self._path}: the frame size has changed")
        np.copyto(into, frame)

    def close(self) -> None:
        self._video.release()

    def _decode(self) -> Frame | None:
        good, frame = self._video.read()
        return np.asarray(frame, np.uint8) if good else None

    def _rewind(self) -> bool:
        self._video.set(cv2.CAP_PROP_POS_FRAMES, 0)
        self._next = self._decode()
        return self._next is not None


def open_camera(config: LocalCamera) -> Camera:
    """The camera that the configuration describes. Raises MaintainerError."""
    if isinstance(config, FolderConfig):
        return FolderCamera(config)
    return VideoCamera(config)


def read_image(path: Path) -> Frame:
    """The file as (height, width, 1 or 3) uint8. Raises FrameMissing naming the file."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise FrameMissing(Cause.CAMERA, f"{path}: cannot be read ({error.strerror})") from None
    if data.size == 0:
        raise FrameMissing(Cause.CAMERA, f"{path}: the file is empty")
    image = _decoded(data)
    if image is None:
        raise FrameMissing(Cause.CAMERA, f"{path}: is no image that can be decoded")
    if image.dtype != np.uint8:
        raise FrameMissing(Cause.FRAME, f"{path}: has {image.dtype} pixels, 8 bits are inspected")
    return np.asarray(image, np.uint8)


def format_of(frame: Frame) -> FrameFormat:
    """The format of a (height, width, channels) frame."""
    height, width, channels = frame.shape
    return FrameFormat(
        width=width, height=height, pixel=Pixel.MONO8 if channels == 1 else Pixel.BGR8
    )


def _decoded(data: NDArray[np.uint8]) -> NDArray[np.generic] | None:
    """Always three axes; an alpha channel is dropped."""
    try:
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if image is None:
        return None
    if image.ndim == 2:
        return image[:, :, None]
    return image[:, :, :3] if image.shape[2] == 4 else image


def _listed(root: Path, shuffle_seed: int | None) -> list[Path]:
    if not root.is_dir():
        raise MaintainerError(f"{root}: is no folder; cameras[].path must name one with images")
    walked = os.walk(root, followlinks=True)  # a linked folder of a network share counts
    files = sorted(Path(folder) / name for folder, _, names in walked for name in names)
    files = [path for path in files if path.suffix.lower() in IMAGES]
    if not files:
        raise MaintainerError(f"{root}: holds no image ({', '.join(sorted(IMAGES))})")
    if shuffle_seed is not None:
        random.Random(shuffle_seed).shuffle(files)
    return files


def _first_format(files: list[Path]) -> FrameFormat:
    """The format of the first file that can be read; a broken one is a fault of its own part."""
    for path in files:
        try:
            return format_of(read_image(path))
        except FrameMissing:
            continue
    raise MaintainerError(f"{files[0].parent}: none of {len(files)} images can be read")


class _Cache:
    """Decoded images, oldest out first, bounded in bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._used = 0
        self._frames: OrderedDict[Path, Frame] = OrderedDict()

    def get(self, path: Path) -> Frame | None:
        frame = self._frames.get(path)
        if frame is not None:
            self._frames.move_to_end(path)
        return frame

    def put(self, path: Path, frame: Frame) -> None:
        self._frames[path] = frame
        self._used += frame.nbytes
        while self._used > self._budget and self._frames:
            _, old = self._frames.popitem(last=False)
            self._used -= old.nbytes

    def clear(self) -> None:
        self._frames.clear()
        self._used = 0
