"""Pictures of parts: out of the rings while they are fresh, out of the cache, or from evidence.

Promises: a picture is that of the part it is asked for: a ring's slot is read under the part's own
generation, evidence under the part's own name. What is made ahead is bounded per second.
Never: waits for a frame, or writes one.
"""

import time
from pathlib import Path
from typing import TypeAlias

from inspector.core.live import Live, RecentPart
from inspector.core.messages import Outcome
from inspector.core.paths import Paths
from inspector.core.terms import FrameRef, Heatmap
from inspector.devices.ring import RingReader
from inspector.domain.keeping import evidence_name
from inspector.ui.drawing import Frame, decoded, jpeg, shrunk
from inspector.ui.picture_cache import Key, PictureCache

BYTES = 24 * 2**20
SMALL, MEDIUM, WHOLE = 320, 1280, 0  # widths in which pictures are made; WHOLE: their own
HEAT = "heat"
AHEAD_PER_S = 12.0  # pictures made before anybody asks
EXTENSIONS = ("jpg", "png")
LARGEST_FILE = 64 * 2**20

Part: TypeAlias = Outcome | RecentPart


class Rings:
    """One thread's readers of the cameras' rings."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._open: dict[str, RingReader] = {}

    def picture(self, camera: str, frame: FrameRef, width: int) -> Frame | None:
        """The frame at most `width` wide (WHOLE: as it is), or None when it is gone."""
        if frame.slot < 0:
            return None
        ring = self._ring(camera)
        seen = ring.view(frame)
        if seen is None:
            return None
        copied = shrunk(seen, width or seen.shape[1])
        return copied if ring.still(frame) else None

    def _ring(self, camera: str) -> RingReader:
        if camera not in self._open:
            self._open[camera] = RingReader(self._paths.ring(camera))
        return self._open[camera]


class Pictures:
    """What is kept of the last parts, and where to look for the rest."""

    def __init__(self, paths: Paths, cameras: frozenset[str], most: int = BYTES) -> None:
        """`cameras`: the configured ones; a ring of no other is opened."""
        self.cache = PictureCache(most)
        self.paths = paths
        self._cameras = cameras
        self._rings = Rings(paths)  # of the thread that calls `keep`
        self._tokens = AHEAD_PER_S
        self._at = time.monotonic()

    def keep(self, live: Live) -> None:
        """Copy what the state names and is not kept yet, the newest first: the last part in
        medium and small, the others in small."""
        last = live.last
        if last and last.heatmap:
            self.cache.put((last.stream, last.seq, HEAT), last.heatmap)
        if last and last.frame:
            self._ahead(last, last.frame, MEDIUM)
        for part in live.recent:
            if part.frame:
                self._ahead(part, part.frame, SMALL)

    def of(self, part: Part, width: int, rings: Rings) -> bytes | None:
        """The part's picture as JPEG, about `width` pixels wide (WHOLE: as it is); None when there
        is none. Blocks on the disk."""
        width = next((size for size in (SMALL, MEDIUM) if 0 < width <= size), WHOLE)
        key = _key(part, width)
        kept = self.cache.get(key)
        found = kept if kept is not None else self._found(part, width, rings)
        if found is None:
            return self._next_best(part)
        if isinstance(found, Heatmap):
            return None
        data = found if isinstance(found, bytes) else jpeg(found)
        if width != WHOLE:  # one whole frame would push out all others
            self.cache.put(key, data)
        return data

    def heat(self, stream: str, seq: int) -> Heatmap | None:
        """The heatmap of one of the last parts."""
        kept = self.cache.get((stream, seq, HEAT))
        return kept if isinstance(kept, Heatmap) else None

    def there(self, part: Part, rings: Rings) -> bool:
        """True when `of` would find a picture now."""
        if any(_key(part, width) in self.cache for width in (SMALL, MEDIUM)):
            return True
        return bool(self.evidence(part) or self._from_ring(part, SMALL, rings) is not None)

    def evidence(self, part: Part) -> Path | None:
        """The part's image on disk."""
        for extension in EXTENSIONS:
            name = evidence_name(part.trigger_wall_ns, part.stream, part.seq, part.kind, extension)
            path = self.paths.evidence / name
            if path.is_file():
                return path
        return None

    def _ahead(self, part: Part, frame: FrameRef, width: int) -> None:
        key = _key(part, width)
        if key in self.cache or part.camera not in self._cameras or not self._may():
            return
        copied = self._rings.picture(part.camera, frame, width)
        if copied is not None:
            self.cache.put(key, copied)
            if width != SMALL and _key(part, SMALL) not in self.cache:
                self.cache.put(_key(part, SMALL), shrunk(copied, SMALL))

    def _found(self, part: Part, width: int, rings: Rings) -> Frame | bytes | None:
        """From the ring, or from evidence: there a JPEG in its own size needs no making."""
        fresh = self._from_ring(part, width, rings)
        if fresh is not None:
            return fresh
        path = self.evidence(part)
        data = _read(path) if path else b""
        image = decoded(data)
        if image is None:
            return None
        as_it_is = not width or image.shape[1] <= width
        if as_it_is and path and path.suffix == ".jpg":
            return data
        return shrunk(image, width or image.shape[1])

    def _from_ring(self, part: Part, width: int, rings: Rings) -> Frame | None:
        if part.frame is None or part.camera not in self._cameras:
            return None
        return rings.picture(part.camera, part.frame, width)

    def _next_best(self, part: Part) -> bytes | None:
        """Another size of the same part, the larger first."""
        for width in (MEDIUM, SMALL):
            kept = self.cache.get(_key(part, width))
            if kept is not None and not isinstance(kept, Heatmap):
                return kept if isinstance(kept, bytes) else jpeg(kept)
        return None

    def _may(self) -> bool:
        now = time.monotonic()
        self._tokens = min(AHEAD_PER_S, self._tokens + (now - self._at) * AHEAD_PER_S)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _key(part: Part, width: int) -> Key:
    return part.stream, part.seq, str(width)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= LARGEST_FILE else b""
    except OSError:
        return b""
