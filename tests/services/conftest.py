"""Gates for the tests of the gate; for those of publish a stand-in for record, a mosquitto, and
whoever reads there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gate import Bench
from support.mosquitto import Mosquitto, mosquitto
from support.publishing import Plant, Record, plant

from inspector.core.paths import under
from inspector.devices.bus import Bus


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


@pytest.fixture
def record(root: Path) -> Iterator[Record]:
    paths = under(root)
    paths.create()
    with Bus() as bus:
        yield (record := Record(paths, bus))
        record.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as started:
        yield started


@pytest.fixture
def mes(server: Mosquitto) -> Iterator[Plant]:
    with plant(server.port) as one:
        yield one
