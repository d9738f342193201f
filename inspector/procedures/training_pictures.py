"""Pictures of parts of the running line, gathered to teach from or to label.

Promises: a picture is a whole frame that the line has seen, lossless, named by stream and seq, and
there whole or not at all; what speaks against teaching from it is said.
Never: takes room that is to stay free, or holds pixels.
"""

import shutil
from pathlib import Path
from statistics import median

import cv2
from msgspec import structs

from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.live import RecentPart
from inspector.core.messages import Outcome
from inspector.core.paths import Paths
from inspector.core.recipe import FrameCheck, load_recipe
from inspector.devices.engine import Image, reduce
from inspector.devices.ring import RingReader
from inspector.domain.framecheck import FrameFacts, complaint, focus_of, measure
from inspector.domain.keeping import picture_name

SIDE = 256  # pixels of the picture that is checked for exposure and sameness
BLURRED = 0.4  # of the median sharpness: a picture below is less sharp than the others
PART = ".part"  # a picture that is being written
MB = 1 << 20


class Rings:
    """The frames of all cameras."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._rings: dict[str, RingReader] = {}

    def copy(self, part: Outcome | RecentPart) -> Image | None:
        """A copy of the whole frame; None where there was none, or it is overwritten already."""
        if part.frame is None or part.frame.slot < 0:
            return None
        if part.camera not in self._rings:
            self._rings[part.camera] = RingReader(self._paths.ring(part.camera))
        return self._rings[part.camera].copy(part.frame)


class Album:
    """The pictures in one folder, and what was measured of each."""

    def __init__(self, folder: Path, keep_free: int = 0) -> None:
        """`keep_free`: bytes that stay free on the disk."""
        self.folder = folder
        self.facts: dict[str, FrameFacts] = {}  # by file name
        self._keep_free = keep_free
        self._limits = FrameCheck()

    @property
    def files(self) -> list[str]:
        return list(self.facts)

    def add(self, part: Outcome | RecentPart, frame: Image, limits: FrameCheck) -> None:
        """Save a part's frame; `limits` are those of its recipe. Raises MaintainerError where
        there is no room."""
        self._limits = limits
        name = picture_name(part.stream, part.seq)
        self._write(self.folder / name, frame)
        self.facts[name] = facts_of(frame)

    def warnings(self) -> list[str]:
        """What speaks against teaching from these, a line each."""
        if not self.facts:
            return []
        return [*self._unfit(), *self._blurred(), *self._same()]

    def _unfit(self) -> list[str]:
        limits = structs.replace(self._limits, refuse_identical=False)
        said = ((name, complaint(facts, None, limits)) for name, facts in self.facts.items())
        return [f"{name}: {words}" for name, words in said if words]

    def _blurred(self) -> list[str]:
        sharp = median(facts.focus or 0.0 for facts in self.facts.values())
        return [
            f"{name}: less sharp than the others; moved, or out of focus"
            for name, facts in self.facts.items()
            if (facts.focus or 0.0) < BLURRED * sharp
        ]

    def _same(self) -> list[str]:
        same = len(self.facts) - len({facts.fingerprint for facts in self.facts.values()})
        if not same:
            return []
        return [
            f"{same} of {len(self.facts)} show the very same picture as another; "
            "put different parts under the camera"
        ]

    def _write(self, path: Path, frame: Image) -> None:
        done, data = cv2.imencode(".png", frame, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        assert done  # an encoder in memory has nothing to fail at
        write_whole(path, data.tobytes(), self._keep_free)


def facts_of(frame: Image) -> FrameFacts:
    """Exposure, sharpness and fingerprint of a whole frame, (height, width[, channels]) uint8."""
    planes = frame if frame.ndim == 3 else frame[..., None]
    small = reduce(planes, SIDE, SIDE).reshape(SIDE, SIDE, -1)
    return measure(small, focus_of(planes))


def limits_of(paths: Paths, recipe: str) -> FrameCheck:
    """The recipe's own frame check; the defaults where it cannot be read."""
    try:
        return load_recipe(paths.recipe(recipe)).frame
    except InspectorError:
        return FrameCheck()


def write_whole(path: Path, data: bytes, keep_free: int = 0) -> None:
    """The file, whole or not at all. Raises MaintainerError where there is no room for it beside
    the `keep_free` bytes that stay free."""
    fresh = path.with_name(path.name + PART)
    try:
        if keep_free and shutil.disk_usage(path.parent).free - len(data) < keep_free:
            raise MaintainerError(
                f"{path}: cannot be written, the disk is full but for the {keep_free // MB} MB of "
                "evidence.keep_free_mb; make room"
            )
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise MaintainerError(f"{path}: cannot be written ({error.strerror}); make room") from None
