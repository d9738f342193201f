"""Gates for the tests of the gate."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gate import Bench


@pytest.fixture
def cold(root: Path) -> Iterator[Bench]:
    """A gate that is not started yet, with a deadline of 300 ms."""
    bench = Bench(root, 300)
    yield bench
    bench.close()


@pytest.fixture
def bench(cold: Bench) -> Bench:
    """A running gate."""
    cold.start()
    return cold


@pytest.fixture
def patient(root: Path) -> Iterator[Bench]:
    """A running gate whose parts do not become late while a test goes on."""
    bench = Bench(root, 60_000)
    bench.start()
    yield bench
    bench.close()
