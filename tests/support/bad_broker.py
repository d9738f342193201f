"""A running line on the sample parts, and a broker that misbehaves in every way there is.

Promises: good times and bad times take turns in one run on one line, so that what else the machine
does weighs on both; latencies are the ledger's own, trigger to output, of the parts that triggered
in that time; what lies between the line and its broker is `support.proxy`. Broker and proxy, which
stand for other machines, run behind all else.
Never: counts the first moments after a change.
"""

import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from inspector.core.paths import Paths
from support.line import Line, wait_for
from support.long_ago import make_past
from support.mosquitto import mosquitto
from support.plant_station import until, waiting
from support.proxy import AWAY, FORGETFUL, GOOD, SILENT, SLOW, Manners, Proxy, proxy
from support.sample_station import sample_station

FLAP_S = 3.0
SETTLE_S = 0.5
# By name: the manners that take turns for as long as the bad time lasts, FLAP_S each.
FAULTS: dict[str, tuple[Manners, ...]] = {
    "down": (AWAY,),
    "slow": (SLOW,),
    "silent": (SILENT,),
    "never acks": (FORGETFUL,),
    "flapping": (AWAY, GOOD),
}


@dataclass
class Bench:
    """The line, and the way to its broker."""

    line: Line
    way: Proxy

    @property
    def paths(self) -> Paths:
        return self.line.paths


@dataclass
class Pairs:
    """Latencies in microseconds, of good times and of bad ones."""

    good: list[int] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)
    held_up: int = 0  # rows that waited at the end of a bad time

    def ratio(self, percent: int) -> float:
        """Bad over good, at this percentile."""
        return percentile(self.bad, percent) / percentile(self.good, percent)

    def figures(self) -> dict[str, float]:
        return {
            "parts": len(self.good) + len(self.bad),
            "good_p50_ms": round(percentile(self.good, 50) / 1000, 2),
            "bad_p50_ms": round(percentile(self.bad, 50) / 1000, 2),
            "ratio_p50": round(self.ratio(50), 3),
            "ratio_p95": round(self.ratio(95), 3),
            "good_max_ms": round(max(self.good) / 1000, 1),
            "bad_max_ms": round(max(self.bad) / 1000, 1),
            "rows_held_up": self.held_up,
        }


@contextmanager
def bench(root: Path, paths: Paths, takt_ms: float = 100.0, past: int = 0) -> Iterator[Bench]:
    """The line, publishing every second through a proxy to a real mosquitto. `past`: windows that
    have been waiting for it."""
    with mosquitto(root) as broker, proxy(broker.port) as way:
        way.yield_to_all()
        broker.yield_to_all()
        publish = {
            "host": "127.0.0.1",
            "port": way.port,
            "tls": False,
            "keepalive_s": 5,
            "ack_timeout_s": 3.0,
        }
        sample_station(paths, takt_ms=takt_ms, record={"window_s": 1}, publish=publish)
        if past:
            make_past(paths, past, int(time.time()) - 60)
            way.be(AWAY)
        line = Line(paths)
        try:
            wait_for(paths, lambda live: live.committed > 5, 60)
            yield Bench(line, way)
        finally:
            line.close()


def pair(bench: Bench, fault: str, good_s: float, bad_s: float, pairs: Pairs) -> None:
    """A good time, in which rows leave as they are counted, then a bad one."""
    until("rows leave", lambda: waiting(bench.paths) <= 1, 180)
    pairs.good += _during(bench, (), good_s)
    pairs.bad += _during(bench, FAULTS[fault], bad_s)
    pairs.held_up = max(pairs.held_up, waiting(bench.paths))
    bench.way.be(GOOD)


def pair_draining(bench: Bench, seconds: float, pairs: Pairs) -> None:
    """A time without the broker, then one in which the past goes there as fast as it may."""
    pairs.good += _during(bench, (AWAY,), seconds)
    before = waiting(bench.paths)
    bench.way.be(GOOD)
    until("the past is on its way", lambda: waiting(bench.paths) < before, 120)
    pairs.bad += _during(bench, (), seconds)
    pairs.held_up += before - waiting(bench.paths)


def percentile(values: list[int], percent: int) -> float:
    """By linear interpolation."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _during(bench: Bench, manners: tuple[Manners, ...], seconds: float) -> list[int]:
    """Latencies of the parts that trigger in the next so many seconds."""
    for one in manners[:1]:
        bench.way.be(one)
    time.sleep(SETTLE_S)
    began, until, turn = time.time_ns(), time.monotonic() + seconds, 0
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, FLAP_S))
        if len(manners) > 1:
            turn += 1
            bench.way.be(manners[turn % len(manners)])
    ended = time.time_ns()
    time.sleep(SETTLE_S)  # the last parts are on their way
    with closing(sqlite3.connect(f"file:{bench.paths.ledger}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT latency_us FROM outcome WHERE trigger_wall_ns BETWEEN ? AND ?", (began, ended)
        )
        return [value for (value,) in rows]
