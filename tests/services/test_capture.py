"""capture with its real ring and sockets: what it tells a gate of runs that ended."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.stations import make_station

from inspector.core.clock import SystemClock
from inspector.core.config import FolderCamera, load_station
from inspector.core.messages import Ready, StreamBeat
from inspector.core.paths import Paths
from inspector.core.terms import FrameFormat, Pixel
from inspector.devices.bus import Bus, Inbox
from inspector.devices.ring import RingWriter, last_count
from inspector.services.capture import Capture

FORMAT = FrameFormat(width=8, height=8, pixel=Pixel.MONO8)


@pytest.fixture
def paths(root: Path) -> Paths:
    made = make_station(root)
    made.create()
    return made


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus() as made:
        yield made


def killed_run(paths: Paths, stream: str, parts: int) -> None:
    """The ring that a killed capture leaves."""
    ring = RingWriter(paths.ring("cam0"), FORMAT, 3, stream)
    for _ in range(parts):
        ring.count_trigger()


def start(paths: Paths, bus: Bus) -> Capture:
    config = load_station(paths.station_file)
    camera = config.cameras[0]
    assert isinstance(camera, FolderCamera)
    return Capture(config, camera, paths, bus, SystemClock())


def ended(gate: Inbox) -> list[tuple[str, int]]:
    beats = [message for message, _ in gate.drain() if isinstance(message, StreamBeat)]
    return [(beat.stream, beat.last_seq) for beat in beats if beat.ended]


def turn_until(capture: Capture, true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "did not come true"
        capture.turn()


def test_end_of_a_killed_run_is_told_until_the_gate_has_settled_it(paths: Paths) -> None:
    killed_run(paths, "first", 7)
    with Bus() as bus:
        gate = bus.inbox(paths.socket("gate"), depth=1000)
        capture = start(paths, bus)
        told: list[tuple[str, int]] = []
        turn_until(capture, lambda: told.extend(ended(gate)) or len(told) >= 2)
        assert set(told) == {("first", 6)}
        answer = bus.outlet(paths.socket("capture-cam0"), 10)
        for service, stream, ready in (
            ("gate", "other", True),
            ("detect", "first", True),
            ("gate", "first", False),
        ):
            assert answer.connected(5000)
            assert answer.send(Ready(service=service, stream=stream, ready=ready))
        told.clear()
        turn_until(capture, lambda: told.extend(ended(gate)) or told)
        assert answer.send(Ready(service="gate", stream="first", ready=True))
        file = paths.frames / "ring-cam0.ended"
        turn_until(capture, lambda: b"first" not in file.read_bytes())
        capture.stop()


def test_capture_killed_before_the_gate_is_there_forgets_no_run(paths: Paths) -> None:
    killed_run(paths, "first", 7)
    with Bus() as bus:
        second = start(paths, bus)
        second.turn()  # nobody hears it
        stream = second.stream
    count = last_count(paths.ring("cam0"))
    assert count is not None
    assert (count.stream, count.triggers) == (stream, 0)
    killed_run(paths, "third", 3)
    with Bus() as bus:
        gate = bus.inbox(paths.socket("gate"), depth=1000)
        capture = start(paths, bus)
        told: set[tuple[str, int]] = set()
        turn_until(capture, lambda: told.update(ended(gate)) or len(told) == 2)
        assert told == {("first", 6), ("third", 2)}
        capture.stop()
