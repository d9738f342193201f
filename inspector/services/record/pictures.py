"""Evidence: which frames are copied out of the rings, and handed to the store once recorded.

Promises: a frame is copied as soon as its outcome is here, because its slot will be used again.
Never: copies a frame for which there is no room, or waits.
"""

from pathlib import Path

from inspector.core.clock import Clock
from inspector.core.config import Evidence
from inspector.core.messages import Event, Outcome
from inspector.core.paths import Paths
from inspector.devices.evidence import EvidenceStore
from inspector.devices.ring import Frame, RingReader
from inspector.domain.keeping import keeps_detail, keeps_outcome


class Pictures:
    """The frames between the rings and the store."""

    def __init__(self, paths: Paths, settings: Evidence, clock: Clock) -> None:
        self.missed = 0  # wanted, and overwritten or not copied
        self._paths = paths
        self._one_in = settings.pass_one_in
        self._limit = settings.queue
        self._rings: dict[str, RingReader] = {}
        self._copied: dict[tuple[str, int], Frame] = {}
        self._off = settings.image == "none"
        self._store = EvidenceStore(
            Path(paths.evidence), settings, clock.wall_ns, note=paths.evidence_note
        )

    @property
    def free(self) -> int | None:
        """Bytes on the disk of the images; None where that is gone."""
        return self._store.free

    @property
    def dropped(self) -> int:
        """Images that should have been kept and are not."""
        return self.missed + self._store.dropped

    def wants_detail(self, outcome: Outcome) -> bool:
        """True when the outcome's heatmap and boxes are to be recorded."""
        return keeps_detail(outcome, 0 if self._off else self._one_in)

    def copy(self, outcome: Outcome) -> None:
        """Copy the outcome's frame if it is to be kept."""
        if self._off or outcome.frame is None or not keeps_outcome(outcome, self._one_in):
            return
        room = self._store.has_room() and len(self._copied) < self._limit
        frame = self._ring(outcome.camera).copy(outcome.frame) if room else None
        if frame is None:
            self.missed += 1
        else:
            self._copied[outcome.stream, outcome.seq] = frame

    def save(self, recorded: list[Outcome]) -> None:
        """Hand over the frames of what is recorded now; others of its batch are let go."""
        if not self._copied:
            return
        for outcome in recorded:
            frame = self._copied.pop((outcome.stream, outcome.seq), None)
            if frame is not None:
                self._store.offer(outcome, frame)
        self._copied.clear()

    def events(self) -> list[Event]:
        """What the store has to say since the last call."""
        said = []
        while not self._store.events.empty():
            said.append(self._store.events.get_nowait())
        return said

    def close(self) -> None:
        self._store.close()

    def _ring(self, camera: str) -> RingReader:
        if camera not in self._rings:
            self._rings[camera] = RingReader(self._paths.ring(camera))
        return self._rings[camera]
