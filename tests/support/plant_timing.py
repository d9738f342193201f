"""How fast totals reach the plant, and what that costs the line: benchmarks, not tests.

    cd tests && python -m support.plant_timing drain --windows 60480
    cd tests && python -m support.plant_timing drain --windows 60480 --ack application --pace 2000
    cd tests && python -m support.plant_timing accidents --windows 60480
    cd tests && python -m support.plant_timing fleet --stations 500
    cd tests && python -m support.plant_timing day
    cd tests && python -m support.plant_timing faults --rounds 6 --seconds 8
    cd tests && python -m support.plant_timing beside --rounds 4 --seconds 8

Promises: real processes, a real mosquitto with TLS and an access list. `drain`: from the moment at
which the cable is restored, how many rows of the past came to the plant in a second, and how long
rows that were counted meanwhile took from their commit at the station to the plant. `accidents` is
the test of the seven days, told step by step. `fleet`: stations that come back together. `day`:
bytes of one station at the socket. `faults`: the line's latencies in bad times over those in good
times, in turn, in one run. `beside`: the same, while the past goes to the plant as fast as it may,
over times without a broker.
Never: leaves out how busy the machine was: `load` is the number of processes that wanted to run.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inspector.core.paths import under
from support.bad_broker import FAULTS, Pairs, bench, pair, pair_draining
from support.fleet_scene import come_back
from support.plant_day import day
from support.plant_station import Parts, until, waiting
from support.seven_days import Scene, endure, scene

PATIENCE_S = 1200.0
COUNTED_SINCE = 'SELECT "row", counted_ns FROM window_total WHERE counted_ns > ?'


@contextmanager
def folder() -> Iterator[Path]:
    """A folder in memory, gone afterwards."""
    where = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=where, prefix="inspector-") as name:
        yield Path(name)


def drain(windows: int, pace: int, ack: str) -> dict[str, Any]:
    """Without a fault: rows a second, and how late new rows are meanwhile."""
    settings = {"ack": ack, "backlog_per_s": pace, "resend_s": 30.0}
    with folder() as root, scene(root, windows, say=lambda _text: None, **settings) as one:
        one.plant.link.cut()
        one.station.start()
        parts = Parts(one.paths)
        parts.start()
        until("parts come", lambda: waiting(one.paths) > one.past.rows, 60, one.station.log)
        time.sleep(5)
        began = time.time_ns()
        one.plant.link.restore()
        one.until_left(0.0005, PATIENCE_S)
        parts.end()
        return _drained(one, began) | {"load": os.getloadavg()[0]}


def _drained(one: Scene, began: int) -> dict[str, Any]:
    past = one.observer.arrived(range(1, one.past.rows + 1))
    first, last = min(row.first_ns for row in past), max(row.first_ns for row in past)
    lags = sorted(_lags(one, first, last))
    return {
        "rows": len(past),
        "missed_by_observer": one.past.rows - len(past),
        "to_the_first_s": round((first - began) / 1e9, 2),
        "drain_s": round((last - first) / 1e9, 2),
        "rows_per_s": round(len(past) / ((last - first) / 1e9)),
        "bytes_mean": round(sum(one.observer.sizes) / len(one.observer.sizes)),
        "live_rows": len(lags),
        "live_lag_p50_s": round(lags[len(lags) // 2], 3) if lags else None,
        "live_lag_max_s": round(lags[-1], 3) if lags else None,
    }


def _lags(one: Scene, first: int, last: int) -> Iterator[float]:
    """Seconds from commit to arrival, of rows that were counted while the past was on its way."""
    with one.ledger() as db:
        for row, counted in db.execute(COUNTED_SINCE, (first,)):
            if counted < last and (seen := one.observer.rows.get(row)):
                yield (seen.first_ns - counted) / 1e9


def accidents(windows: int) -> dict[str, Any]:
    settings = {"ack": "application", "resend_s": 5.0, "backlog_per_s": 1500}
    with folder() as root, scene(root, windows, **settings) as one:
        began = time.monotonic()
        made = endure(one, PATIENCE_S)
        took = time.monotonic() - began
        one.receiver.kill()
        compared = one.receiver.compare(one.root)
        rows = one.observer.rows
        return {
            "seconds": round(took, 1),
            "parts_meanwhile": made,
            "equal": compared["compared"]["equal"],
            "rows": compared["compared"]["rows"],
            "counts": compared["compared"]["counts"],
            "streams": compared["streams"],
            "revisions_seen": sum(row.revision > 1 for row in rows.values()),
            "sent_again": one.observer.messages["totals"] - len(rows),
            "load": os.getloadavg()[0],
        }


def faults(rounds: int, seconds: float) -> dict[str, Any]:
    found = {fault: Pairs() for fault in FAULTS}
    with folder() as root, bench(root, under(root / "station")) as line:
        for _ in range(rounds):
            for fault, pairs in found.items():
                pair(line, fault, seconds, seconds, pairs)
        line.line.stop()
    figures: dict[str, Any] = {fault: pairs.figures() for fault, pairs in found.items()}
    return figures | {"load": os.getloadavg()[0]}


def beside(rounds: int, seconds: float, windows: int) -> dict[str, Any]:
    pairs = Pairs()
    with folder() as root, bench(root, under(root / "station"), past=windows) as line:
        for _ in range(rounds):
            pair_draining(line, seconds, pairs)
        line.line.stop()
    found = pairs.figures()
    rows = found.pop("rows_held_up")
    return found | {"rows_a_second": round(rows / rounds / seconds), "load": os.getloadavg()[0]}


def ships(stations: int) -> dict[str, Any]:
    with folder() as root:
        return come_back(root, stations, PATIENCE_S).figures() | {"load": os.getloadavg()[0]}


def a_day(minutes: int) -> dict[str, object]:
    with folder() as root:
        return day(root, minutes)


def main() -> None:
    """Measure one thing, print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("drain", "accidents", "fleet", "day", "faults", "beside"))
    parser.add_argument("--windows", type=int, default=60_480)
    parser.add_argument("--pace", type=int, default=1500)
    parser.add_argument("--ack", choices=("broker", "application"), default="broker")
    parser.add_argument("--stations", type=int, default=500)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=6.0)
    given = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    measured = {
        "drain": lambda: drain(given.windows, given.pace, given.ack),
        "accidents": lambda: accidents(given.windows),
        "faults": lambda: faults(given.rounds, given.seconds),
        "beside": lambda: beside(given.rounds, given.seconds, given.windows),
        "fleet": lambda: ships(given.stations),
        "day": lambda: a_day(given.minutes),
    }
    print(json.dumps(measured[given.what](), indent=1))


if __name__ == "__main__":
    main()
