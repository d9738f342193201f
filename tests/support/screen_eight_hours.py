"""What `ui` holds over eight hours of parts, by a faster clock: a benchmark, not a test.

    cd tests && python -m support.screen_eight_hours

Promises: the states of 144,000 parts (eight hours at five a second), each with its own frame and
heatmap, through a real `ui` to a listener that also asks for pictures; memory that no other
process shares (USS) after each hour's worth, with how many states `ui` says it took.
Never: counts a state that `ui` passed over, as it may when they come too fast for it.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psutil

from inspector.core.live import Live
from inspector.core.topology import HEARTBEAT_S
from support.outcomes import STREAM
from support.screen import ScreenStation, made, showing

HOURS, PARTS = 8, 18_000
PACE_S = 0.0015  # between two states: about as fast as `ui` takes each of them


def rush(station: ScreenStation, first: int) -> Iterator[Live]:
    for seq in range(first, first + PARTS):
        time.sleep(PACE_S)
        yield made(station.part(seq, grey=seq % 200), committed=seq)


def main() -> None:
    """Print a line of JSON for each hour."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, showing(Path(folder)) as station:
        assert station.process
        client, ui = station.client(), psutil.Process(station.process.pid)
        began = time.monotonic()
        with client.stream() as events:
            for hour in range(HOURS):
                station.record.rush = rush(station, hour * PARTS)
                for seq in count(hour * PARTS):
                    client.get(f"/part/{STREAM}/{seq}/image?width=320")
                    if station.record.rush is None:
                        break
                events.next()
                time.sleep(2 * HEARTBEAT_S)  # until it has said how many
                uss = round(ui.memory_full_info().uss / 2**20, 1)
                took = station.record.beats[-1].handled
                at = round(time.monotonic() - began)
                told = {"hour": hour + 1, "uss_mb": uss, "states_taken": took, "s": at}
                print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
