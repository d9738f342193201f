"""A camera that waits for the line waits while the gate wants no parts."""

import time
from collections.abc import Callable
from pathlib import Path

from support.stations import make_station

from inspector.core.clock import SystemClock
from inspector.core.config import FolderCamera, load_station
from inspector.core.messages import Ready, Settled, Trigger
from inspector.devices.bus import Bus
from inspector.services.capture import Capture


def test_draining_camera_brings_no_part_while_the_line_is_held(root: Path) -> None:
    paths = make_station(root, takt_ms=0.0)
    paths.create()
    config = load_station(paths.station_file)
    camera = config.cameras[0]
    assert isinstance(camera, FolderCamera)
    with Bus() as bus:
        gate = bus.inbox(paths.socket("gate"), depth=1000)
        capture = Capture(config, camera, paths, bus, SystemClock())
        answer = bus.outlet(paths.socket(capture.name), 1000)
        triggers: list[int] = []

        def turn_until(true: Callable[[], object]) -> None:
            end = time.monotonic() + 20
            while not true():
                assert time.monotonic() < end, "did not come true"
                capture.turn()
                for message, _ in gate.drain():
                    if isinstance(message, Trigger):
                        triggers.append(message.seq)
                        assert answer.send(Settled(stream=capture.stream, seq=message.seq))

        def say(ready: bool) -> None:
            for service in ("detect", "gate"):
                mine = ready or service == "detect"
                assert answer.send(Ready(service=service, stream=capture.stream, ready=mine))

        assert answer.connected(5000)
        say(True)
        turn_until(lambda: len(triggers) >= 5)
        say(False)
        turns = iter(range(30))
        turn_until(lambda: next(turns) == 20)
        before = len(triggers)
        turn_until(lambda: next(turns, None) is None)
        assert len(triggers) == before
        say(True)
        turn_until(lambda: len(triggers) > before)
        capture.stop()
