"""One screen for all tests that only ask it: a process takes a second to start."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.browser import chromium
from support.screen import ScreenStation, showing

SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def one_station() -> Iterator[ScreenStation]:
    where = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="inspector-test-", dir=where))
    with showing(folder) as station:
        station.keep()
        yield station
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A module's own: while there is one, no other test could run an event loop."""
    with chromium() as one:
        yield one


@pytest.fixture
def shared(one_station: ScreenStation) -> ScreenStation:
    """A running screen with an empty ledger, for tests that change nothing of its files."""
    one_station.record.heard.clear()
    return one_station
