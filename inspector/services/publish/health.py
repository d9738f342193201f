"""How the box is, for the state that leaves: from what record keeps of the last minutes.

Promises: figures of now or none; costs a look at the ledger's newest sample, and once a minute one
at its last backup.
Never: looks at the box itself, of which this process may see little.
"""

from inspector.core.clock import SECOND
from inspector.devices.ledger import LedgerReader
from inspector.domain.egress.state import OLD_NS, Box, box_of

BACKUP_NS = 60 * SECOND


class Health:
    """Of one station."""

    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader
        self._backup_ns: int | None = None
        self._looked_ns: int | None = None

    def look(self, wall_ns: int) -> Box | None:
        """The box as it is now; None where record says nothing of it. Raises MaintainerError."""
        if self._looked_ns is None or abs(wall_ns - self._looked_ns) > BACKUP_NS:
            made = self._reader.last_event("backup_made")
            self._backup_ns, self._looked_ns = made.wall_ns if made else None, wall_ns
        samples = self._reader.metrics(wall_ns - OLD_NS)
        return box_of(samples[-1], self._backup_ns, wall_ns) if samples else None
