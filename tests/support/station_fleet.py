"""Hundreds of stations at one broker, in a few processes.

    python -m support.station_fleet FIRST COUNT SETTINGS

is one of the processes: it runs stations FIRST, FIRST + 1 ... with SETTINGS (JSON of [publish]),
takes `grow N` and `report` on standard input, and prints one line of JSON a second, or for a
report.

Promises: all stations of a process take turns; each is a `MemoryStation`.
Never: spreads their connections itself; that is the stations' own business.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from inspector.core.config_mqtt import Publish
from support.memory_station import MemoryStation

ROUND_S = 0.02
TESTS = Path(__file__).parent.parent


@dataclass
class Group:
    """One process of stations."""

    process: subprocess.Popen[str]
    told: dict[str, int] = field(default_factory=dict)
    _listener: threading.Thread | None = None
    reports: SimpleQueue[list[dict[str, Any]]] = field(default_factory=SimpleQueue)

    def order(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def begin(self) -> "Group":
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        if self._listener:
            self._listener.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            said = json.loads(line)
            if isinstance(said, list):
                self.reports.put(said)
            else:
                self.told = said


@dataclass
class Fleet:
    """All of them."""

    groups: list[Group]

    @property
    def connected(self) -> int:
        return sum(group.told.get("connected", 0) for group in self.groups)

    @property
    def undelivered(self) -> int:
        """Rows that the receiver has not acknowledged yet; far too many before the first word."""
        return sum(group.told.get("undelivered", 10**9) for group in self.groups)

    def grow(self, rows: int) -> None:
        """So many more minutes are over, at each station."""
        for group in self.groups:
            group.told = {}
            group.order(f"grow {rows}")

    def report(self) -> list[dict[str, Any]]:
        """Of each station: when it connected, when its first and its last row were taken, and
        what left it."""
        for group in self.groups:
            group.order("report")
        return [one for group in self.groups for one in group.reports.get(timeout=60)]

    def until(self, what: str, reached: Any, timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        while not reached():
            assert all(group.process.poll() is None for group in self.groups), "a group has died"
            assert time.monotonic() < end, f"{what}: not within {timeout_s:g} s: {self.groups}"
            time.sleep(0.1)


@contextmanager
def fleet(stations: int, processes: int, settings: dict[str, object]) -> Iterator[Fleet]:
    """So many stations, started."""
    each = -(-stations // processes)
    groups = []
    try:
        for first in range(0, stations, each):
            count = min(each, stations - first)
            command = [sys.executable, "-m", "support.station_fleet", str(first), str(count)]
            process = subprocess.Popen(
                [*command, json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=TESTS,
            )
            groups.append(Group(process).begin())
        yield Fleet(groups)
    finally:
        for group in groups:
            group.end()


def device(number: int) -> str:
    return f"enterprise/site/area/line/cell{number:04}"


def main(first: int, count: int, settings: str) -> None:
    """One process, until standard input ends."""
    publish = msgspec.convert(json.loads(settings), Publish)
    stations = [MemoryStation(device(first + more), publish) for more in range(count)]
    orders: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    for station in stations:
        station.grow(1)
    told = 0.0
    while True:
        began = time.monotonic()
        for station in stations:
            station.turn()
        with suppress(Empty):
            order = orders.get_nowait()
            if order == "end":
                return
            _obey(order, stations)
            told = 0.0
        if began - told >= 1:
            told = began
            connected = sum(station.connected for station in stations)
            undelivered = sum(station.ledger.undelivered for station in stations)
            _say({"connected": connected, "undelivered": undelivered})
        time.sleep(max(0.0, began + ROUND_S - time.monotonic()))


def _obey(order: str, stations: list[MemoryStation]) -> None:
    if order == "report":
        _say([_report(station) for station in stations])
        return
    rows = int(order.split()[1])
    for station in stations:
        station.grow(rows)


def _report(station: MemoryStation) -> dict[str, Any]:
    return {
        "device": station.device,
        "rows": len(station.ledger.rows),
        "connected_at": station.connected_at,
        "first_at": station.first_at,
        "done_at": station.done_at,
        "left": station.ledger.left,
        "left_bytes": station.ledger.left_bytes,
    }


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


def _read(orders: "SimpleQueue[str]") -> None:
    for line in sys.stdin:
        orders.put(line.strip())
    orders.put("end")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
