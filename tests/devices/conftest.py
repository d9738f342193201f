"""A ledger that is open, and a reader beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.outcomes import WALL

from inspector.devices.ledger import Ledger, LedgerReader

WINDOW_S = 10


@pytest.fixture
def ledger(root: Path) -> Iterator[Ledger]:
    opened = Ledger(root / "ledger.db", WINDOW_S, 0, WALL)
    yield opened
    opened.close()


@pytest.fixture
def reader(ledger: Ledger) -> Iterator[LedgerReader]:
    opened = LedgerReader(ledger.path)
    yield opened
    opened.close()
