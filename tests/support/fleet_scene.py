"""A fleet, its plant and its receiver, and the morning on which the broker comes back.

Promises: a real mosquitto with TLS, certificates and an access list; the real `inspector receive`,
whose own word counts; the broker is killed when all are connected, and while it is away each
station holds up ROWS rows.
Never: lets a station know that the broker is back.
"""

import json
import re
import statistics
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.commands import inspector
from support.network import link
from support.plant import STATION, Plant, plant
from support.plant_station import until
from support.seven_days import Receiver
from support.station_fleet import fleet

ANY = "+/+/+/+/+"
ROWS = 20
AWAY_S = 4.0
CONNECTED = re.compile(r"^(\d+): New client connected .* as inspector\.", re.MULTILINE)


@dataclass
class Told:
    """How it went. `stations`: their own reports; `streams`: the receiver's."""

    stations: list[dict[str, Any]]
    streams: list[dict[str, Any]]
    came_back: float
    most_at_once: int  # connections in one second of the broker's log

    @property
    def span_s(self) -> float:
        """From the broker's return to the last station's last row."""
        return max(one["done_at"] for one in self.stations) - self.came_back

    @property
    def early_served_s(self) -> float:
        """From the broker's return until all of the half that connected first were served."""
        ordered = sorted(self.stations, key=lambda one: one["connected_at"])
        early = ordered[: len(ordered) // 2]
        return max(one["done_at"] for one in early) - self.came_back

    def figures(self) -> dict[str, Any]:
        connected = sorted(one["connected_at"] - self.came_back for one in self.stations)
        waits = sorted(one["done_at"] - one["connected_at"] for one in self.stations)
        left = [one["left_bytes"] / one["left"] for one in self.stations]
        return {
            "stations": len(self.stations),
            "rows": sum(one["rows"] for one in self.stations),
            "all_served_after_s": round(self.span_s, 1),
            "connected_after_s": [round(connected[0], 1), round(connected[-1], 1)],
            "most_connections_a_second": self.most_at_once,
            "served_within_p50_s": round(statistics.median(waits), 2),
            "served_within_max_s": round(waits[-1], 2),
            "first_half_served_after_s": round(self.early_served_s, 1),
            "bytes_a_message": round(statistics.mean(left)),
        }


def come_back(root: Path, stations: int, patience_s: float) -> Told:
    with ExitStack() as stack:
        cable = stack.enter_context(link())
        (root / "plant").mkdir()
        there = stack.enter_context(plant(cable, root / "plant", ANY))
        receiver = Receiver(there, root / "totals.db", root / "receive.log")
        stack.callback(receiver.kill)
        receiver.start()
        until("the receiver reads", lambda: "inspector-receive" in there.log.read_text())
        settings = {**there.login(STATION), "ack": "application", "resend_s": 2.0}
        ships = stack.enter_context(fleet(stations, 2 if stations <= 100 else 4, settings))
        ships.until("all connected", lambda: ships.connected == stations, patience_s)
        ships.until("first rows delivered", lambda: ships.undelivered == 0, patience_s)
        there.kill()
        before = len(there.log.read_text())
        ships.grow(ROWS)
        time.sleep(AWAY_S)
        came_back = time.time()
        there.start()
        ships.until("all delivered", lambda: ships.undelivered == 0, patience_s)
        reports = ships.report()
        receiver.kill()
        most = _most_at_once(there, before)
    shown = inspector("receive", "--db", receiver.db, "--json")
    assert shown.returncode == 0, shown.stderr
    return Told(reports, json.loads(shown.stdout)["streams"], came_back, most)


def _most_at_once(there: Plant, before: int) -> int:
    seconds = Counter(CONNECTED.findall(there.log.read_text()[before:]))
    return max(seconds.values())
