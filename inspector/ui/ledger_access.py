"""What the ledger holds, asked for off the event loop.

Promises: one read-only reader for each thread; a ledger that is locked, missing or of another
version is an error of one line, and the next question is asked anew.
Never: writes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from inspector.devices.ledger import LedgerReader
from inspector.ui.pool import Pool

T = TypeVar("T")

THREADS = 2


class LedgerAccess:
    """The ledger for the pages."""

    def __init__(self, path: Path) -> None:
        self._pool: Pool[LedgerReader] = Pool("ledger", THREADS, lambda: LedgerReader(path))

    async def ask(self, question: Callable[[LedgerReader], T]) -> T:
        """What the reader responses. Raises MaintainerError."""
        return await self._pool.run(question)
