"""Shared fixtures. A station's folder lies in memory, as its runtime folder does in production."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import inspector  # noqa: F401  # before any openvino, whose telemetry it keeps off

SHARED_MEMORY = Path("/dev/shm")

# What a rule says does not depend on how busy the box is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def root() -> Iterator[Path]:
    """An empty folder with a short path (sockets), gone afterwards."""
    where = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="inspector-test-", dir=where))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
