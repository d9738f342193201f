"""The ledger that cannot be had now: it takes nothing, says why, and can be asked again and again.

Promises: whatever would be written raises CannotWrite, so that nothing counts as recorded.
Never: touches a disk.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from inspector.devices.ledger.ballast import Ballast
from inspector.devices.ledger.failing import CannotWrite
from inspector.devices.ledger.sums import Sums
from inspector.devices.ledger.writer import Ledger
from inspector.domain.making import Making

T = TypeVar("T")


class AbsentLedger(Ledger):
    """Stands for a ledger whose folder is read-only, gone or full. Not opened by opening it."""

    def __init__(self, path: Path, why: str) -> None:
        self.path = path
        self.ballast = Ballast(path, 0)
        self.id, self.set_aside, self.damage = "", None, ""
        self._why = why
        self._sums = Sums()
        self._making = Making()

    def checkpoint(self) -> None:
        """There is nothing to be moved."""

    def size(self) -> int:
        return 0

    def close(self) -> None:
        """There is nothing open."""

    def _attempt(self, _work: Callable[[], T]) -> T:
        raise CannotWrite(self._why)
