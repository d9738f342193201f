"""Collecting pictures of the next parts that the line shows.

Promises: a picture is a whole frame of a part, lossless, beside those that are there already;
while the line is paused or challenged none is taken; what speaks against the pictures is said
while they are collected.
Never: asks the line for anything, or takes the room that the evidence is to leave free.
"""

import time
from contextlib import closing, suppress

import msgspec

from inspector.core.errors import InspectorError
from inspector.core.live import Live, RecentPart
from inspector.core.orders import CollectParts
from inspector.core.recipe import FrameCheck
from inspector.core.topology import LIVE
from inspector.devices.bus import Bus, newest_live
from inspector.domain.framecheck import FrameFacts
from inspector.procedures.training_pictures import MB, Album, Rings, facts_of, limits_of
from inspector.services.workshop.job import Done, Job
from inspector.services.workshop.parts import NextParts
from inspector.services.workshop.place import write
from inspector.teach import images

LOOK_MS = 200.0
SILENT_S = 3.0  # without word of the line
SAID = 8  # warnings on the screen


def collect(job: Job, errand: CollectParts) -> Done:
    """Take pictures until there are so many more. Raises MaintainerError where there is no room."""
    job.place.make()
    job.place.tidy()
    job.tell(step="looking through")
    gathering = _Gathering(job, errand)
    try:
        with Bus() as bus, closing(bus.listen(job.paths.socket(LIVE))) as inbox:
            while gathering.wanted:
                gathering.look(newest_live(inbox, LOOK_MS), time.monotonic())
    finally:
        gathering.close()
    return f"{errand.parts} {errand.label} pictures of {errand.product} collected", ""


class _Gathering:
    """The pictures so far, and how many are wanted still."""

    def __init__(self, job: Job, errand: CollectParts) -> None:
        self.wanted = errand.parts
        self._job, self._label = job, errand.label
        self._parts, self._rings = NextParts(job.config.line.deadline_ms), Rings(job.paths)
        self._album = Album(job.place.label(errand.label), job.config.evidence.keep_free_mb * MB)
        self._album.facts |= _known(job, errand.label)
        self._recipe, self._limits = "", FrameCheck()
        self._heard_s = time.monotonic()
        job.tell(wanted=len(self._album.facts) + errand.parts, warnings=self._warnings())

    def look(self, live: Live | None, now_s: float) -> None:
        """Take what is new in this state of the line."""
        if live is None:
            lost = now_s - self._heard_s > SILENT_S
            self._job.tell(step="no word of the line" if lost else self._job.state.step)
            return
        self._heard_s = now_s
        if live.recipe != self._recipe:
            self._recipe, self._limits = live.recipe, limits_of(self._job.paths, live.recipe)
        fresh = self._parts.of(live, now_s)
        self._job.tell(step="taking pictures" if self._parts.looking else "waiting for the line")
        for part in fresh:
            if self.wanted:
                self._take(part)

    def close(self) -> None:
        """Keep what was measured for the next time; it is measured anew where that fails."""
        with suppress(OSError):
            write(self._job.place.facts(self._label), msgspec.json.encode(self._album.facts))

    def _take(self, part: RecentPart) -> None:
        frame = self._rings.copy(part)
        if frame is None:
            return
        self._album.add(part, frame, self._limits)
        self.wanted -= 1
        count = {self._label: len(self._album.facts)}
        self._job.tell(**count, warnings=self._warnings())

    def _warnings(self) -> tuple[str, ...]:
        said = self._album.warnings()
        more = [f"and {len(said) - SAID} more"] if len(said) > SAID else []
        return tuple(said[-SAID:] + more)


def _known(job: Job, label: str) -> dict[str, FrameFacts]:
    """What is known of the pictures that are there, measured where it is not."""
    try:
        kept = msgspec.json.decode(job.place.facts(label).read_bytes(), type=dict[str, FrameFacts])
    except (OSError, msgspec.MsgspecError):
        kept = {}
    found = {}
    for path in job.place.pictures(label):
        with suppress(InspectorError):  # a damaged one: teaching refuses it by name
            found[path.name] = kept.get(path.name) or facts_of(images.read(path))
        job.tell()
    return found
