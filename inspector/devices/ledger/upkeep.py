"""What the ledger knows of time: the newest that it has heard of.

Promises: a question costs a look at the end of a table.
Never: writes.
"""

from inspector.devices.ledger.reader import LedgerReader

NEWEST_NS = """SELECT max(
    (SELECT coalesce(max(trigger_wall_ns), 0) FROM
        (SELECT trigger_wall_ns FROM outcome ORDER BY id DESC LIMIT 100)),
    (SELECT coalesce(max(wall_ns), 0) FROM (SELECT wall_ns FROM event ORDER BY id DESC LIMIT 100)))
"""


class UpkeepReader(LedgerReader):
    """All raise MaintainerError when the ledger cannot be read."""

    def newest_ns(self) -> int:
        """The latest wall time among the newest outcomes and events; 0 in an empty ledger."""
        return self._number(NEWEST_NS)
