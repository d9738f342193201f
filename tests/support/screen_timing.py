"""How fast the screen is, and what it costs the line: a benchmark, not a test.

    cd tests && python -m support.screen_timing latency --parts-per-s 2 --seconds 60
    cd tests && python -m support.screen_timing cost --parts-per-s 30 --rounds 6
    cd tests && python -m support.screen_timing memory --parts-per-s 5 --minutes 60
    cd tests && python -m support.screen_timing truth --rounds 3

Promises: a real line on the sample parts, a real Chromium with the page open. `latency` is from
the moment at which another process can read the committed part in the ledger until the page has
painted its verdict and its picture. `cost` compares the line's own latencies with the page open
and closed, in turn, in one run, the browser at nice 10, as a kiosk is run. `memory` is what the ui
process and the tab hold, minute by minute.
`truth` is how long after a process fell silent (SIGSTOP) the screen says that all is not well.
Never: counts a part that the screen passed over, as it may when parts come faster than it shows.
"""

import argparse
import json
import os
import signal
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser

from inspector.core.paths import Paths, under
from support.browser import chromium, screen
from support.line import Line, wait_for
from support.sample_station import sample_station

# Notes when the newest part's verdict and picture have been painted: two frames after the change.
WATCH = """
() => {
  window.painted = [];
  let last = "";
  const look = () => {
    const part = document.querySelector(".verdict").dataset.part;
    const pictured = document.querySelector(".views .picture").dataset.part;
    if (part && part !== last && part === pictured) {
      last = part;
      requestAnimationFrame(() =>
        window.painted.push([part, performance.timeOrigin + performance.now()]));
    }
    requestAnimationFrame(look);
  };
  look();
}
"""


@contextmanager
def line_at(parts_per_s: float) -> Iterator[tuple[Paths, str]]:
    """A line on the sample parts with a screen; yields its folders and the screen's address."""
    where = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        paths = under(Path(folder))
        sample_station(paths, takt_ms=1000 / parts_per_s, ui={"port": 0})
        line = Line(paths)
        try:
            wait_for(paths, lambda live: live.committed > 5)
            yield paths, json.loads(paths.screen.read_text())["url"]
        finally:
            line.stop()
            line.close()


class Commits(threading.Thread):
    """When each part could first be read in the ledger, by another connection."""

    def __init__(self, ledger: Path) -> None:
        super().__init__(daemon=True)
        self.seen: dict[str, float] = {}  # "stream/seq": wall time in ms
        self.going = True
        self._ledger = ledger

    def run(self) -> None:
        with closing(sqlite3.connect(f"file:{self._ledger}?mode=ro", uri=True)) as db:
            (newest,) = db.execute("SELECT coalesce(max(id), 0) FROM outcome").fetchone()
            while self.going:
                rows = db.execute(
                    "SELECT outcome.id, uuid, seq FROM outcome JOIN stream ON stream.id = "
                    "outcome.stream_id WHERE outcome.id > ? ORDER BY outcome.id",
                    (newest,),
                ).fetchall()
                now = time.time() * 1000
                for newest, stream, seq in rows:  # noqa: B007  # the newest one stays
                    self.seen[f"{stream}/{seq}"] = now
                time.sleep(0.002)


def latency(browser: Browser, parts_per_s: float, seconds: float) -> dict[str, float]:
    """Milliseconds from committed to painted."""
    with line_at(parts_per_s) as (paths, url), screen(browser, url) as one:
        commits = Commits(paths.ledger)
        commits.start()
        one.page.evaluate(WATCH)
        one.page.wait_for_timeout(seconds * 1000)
        painted = one.page.evaluate("window.painted")
        commits.going = False
    took = [at - commits.seen[part] for part, at in painted if part in commits.seen]
    ordered = sorted(took)
    return {
        "parts": len(commits.seen),
        "shown": len(took),
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
        "max_ms": round(ordered[-1], 1),
    }


def cost(browser: Browser, parts_per_s: float, rounds: int, seconds: float) -> dict[str, float]:
    """The line's latencies with the page open over those with it closed, in turn."""
    found: dict[bool, list[int]] = {False: [], True: []}
    with line_at(parts_per_s) as (paths, url):
        for _ in range(rounds):
            for opened in (False, True):
                if opened:
                    with screen(browser, url) as one:
                        _yield_to_the_line()
                        one.page.wait_for_timeout(2000)
                        found[opened] += _latencies(paths, seconds)
                else:
                    time.sleep(1)
                    found[opened] += _latencies(paths, seconds)
    closed, opened_ms = (statistics.median(found[key]) / 1000 for key in (False, True))
    p95 = {key: sorted(found[key])[int(0.95 * len(found[key]))] / 1000 for key in found}
    return {
        "parts": len(found[False]) + len(found[True]),
        "closed_p50_ms": round(closed, 3),
        "open_p50_ms": round(opened_ms, 3),
        "ratio_p50": round(opened_ms / closed, 4),
        "ratio_p95": round(p95[True] / p95[False], 4),
    }


def _latencies(paths: Paths, seconds: float) -> list[int]:
    """Microseconds of the parts triggered in the next so many seconds."""
    began = time.time_ns()
    time.sleep(seconds)
    ended = time.time_ns()
    time.sleep(0.5)
    with closing(sqlite3.connect(f"file:{paths.ledger}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT latency_us FROM outcome WHERE trigger_wall_ns BETWEEN ? AND ?", (began, ended)
        )
        return [value for (value,) in rows]


def memory(browser: Browser, parts_per_s: float, minutes: float) -> list[dict[str, float]]:
    """What ui and the tab hold at the start of each minute."""
    rows = []
    with line_at(parts_per_s) as (paths, url), screen(browser, url) as one:
        told = one.page.context.new_cdp_session(one.page)
        told.send("Performance.enable")
        ui = psutil.Process(int(paths.lock("ui").read_text()))
        began = time.monotonic()
        while time.monotonic() - began < 60 * minutes:
            told.send("HeapProfiler.collectGarbage")
            facts = told.send("Performance.getMetrics")["metrics"]
            heap = {fact["name"]: fact["value"] for fact in facts}
            row = {
                "minute": round((time.monotonic() - began) / 60, 1),
                "ui_pss_mb": round(ui.memory_full_info().pss / 2**20, 1),
                "heap_mb": round(heap["JSHeapUsedSize"] / 2**20, 2),
                "nodes": heap["Nodes"],
                "tab_rss_mb": round(max(_renderers()) / 2**20),
            }
            rows.append(row)
            print(json.dumps(row), flush=True)
            one.page.wait_for_timeout(60_000)
    return rows


def truth(browser: Browser, rounds: int) -> dict[str, list[float]]:
    """Seconds from silence to the screen's saying so, by process."""
    silent = "() => document.body.classList.contains('is-old') || %s"
    told = silent % "document.getElementById('bar').dataset.state !== 'running'"
    found: dict[str, list[float]] = {}
    with line_at(5) as (paths, url), screen(browser, url) as one:
        for _ in range(rounds):
            for name in ("ui", "record", "detect", "gate", "capture-cam0"):
                one.page.wait_for_function(f"() => !({told})()", timeout=30_000)
                one.page.wait_for_timeout(1500)
                pid = int(paths.lock(name).read_text())
                os.kill(pid, signal.SIGSTOP)
                began = time.monotonic()
                try:
                    one.page.wait_for_function(told, polling=20, timeout=20_000)
                    found.setdefault(name, []).append(round(time.monotonic() - began, 2))
                finally:
                    os.kill(pid, signal.SIGCONT)
    return found


def _yield_to_the_line() -> None:
    """The browser behind the line, as the station's screen is."""
    for one in psutil.Process().children(recursive=True):
        if "chromium" in one.name():
            one.nice(10)


def _renderers() -> list[int]:
    """Bytes that each tab's process holds, shared pages included."""
    family = psutil.Process().children(recursive=True)
    return [
        one.memory_info().rss
        for one in family
        if one.is_running() and "--type=renderer" in " ".join(one.cmdline())
    ]


def main() -> None:
    """Measure one thing, print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("latency", "cost", "memory", "truth"))
    parser.add_argument("--parts-per-s", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=60.0)
    given = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with chromium() as browser:
        if given.what == "latency":
            print(json.dumps(latency(browser, given.parts_per_s, given.seconds)))
        elif given.what == "cost":
            print(json.dumps(cost(browser, given.parts_per_s, given.rounds, given.seconds)))
        elif given.what == "truth":
            print(json.dumps(truth(browser, given.rounds)))
        else:
            memory(browser, given.parts_per_s, given.minutes)


if __name__ == "__main__":
    main()
