"""Where the pixels of a ticket are: in a camera's ring, or beside the ticket itself.

Promises: every frame that is decided on lies in a ring of this host, so that its evidence can be
kept, wherever its camera stands.
Never: copies a frame that is here already.
"""

from inspector.core.messages import FrameTicket
from inspector.core.paths import Paths
from inspector.core.terms import FrameRef
from inspector.devices.ring import RingReader, RingWriter, as_frame, slots_for


class Frames:
    """Where the pixels of a ticket are: in a camera's ring, or beside the ticket itself."""

    def __init__(self, paths: Paths, budget_mb: int) -> None:
        self._paths = paths
        self._budget_mb = budget_mb
        self._rings: dict[str, RingReader] = {}
        self._intake: dict[str, RingWriter] = {}

    def ring(self, camera: str) -> RingReader:
        if camera not in self._rings:
            self._rings[camera] = RingReader(self._paths.ring(camera))
        return self._rings[camera]

    @property
    def fewest_slots(self) -> int:
        """Of the rings in use, the least number of frames that one holds."""
        return min((ring.slots for ring in self._rings.values()), default=0)

    def take_in(self, ticket: FrameTicket, pixels: memoryview) -> FrameRef:
        """Put inline pixels into a ring of this host, where everyone else looks for frames."""
        frame = as_frame(pixels, ticket.frame.format)
        writer = self._intake.get(ticket.camera)
        if writer is None or writer.format != ticket.frame.format:
            slots = slots_for(ticket.frame.format, self._budget_mb)
            path = self._paths.ring(ticket.camera)
            writer = RingWriter(path, ticket.frame.format, slots, ticket.stream)
            self._intake[ticket.camera] = writer
        with writer.write() as (slot, ref):
            slot[:] = frame
        return ref
