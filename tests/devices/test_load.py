"""What processes take of the box: real ones, gone ones, and numbers that are used again."""

import os
import subprocess
import sys
import time
from pathlib import Path

from inspector.core.clock import SECOND
from inspector.devices.load import RSS, Load, average

BUSY = "while True: pass"


def test_busy_process_takes_more_than_one_that_sleeps() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as busy:
        try:
            load, pids = Load(), (busy.pid, os.getpid())
            load.look(pids, time.monotonic_ns())
            time.sleep(1.0)
            taken = load.look(pids, time.monotonic_ns())
        finally:
            busy.kill()
    mine, other = taken[os.getpid()], taken[busy.pid]
    assert mine.rss_mb > 5
    assert mine.cpu_percent is not None
    assert other.cpu_percent is not None
    assert other.cpu_percent > mine.cpu_percent


def test_process_that_is_gone_or_hidden_is_left_out(root: Path) -> None:
    assert Load().look([2**22 + 1], 0) == {}
    assert Load(root).look([os.getpid()], 0) == {}


def written(root: Path, started: int, ticks: int) -> None:
    numbers = [0] * (RSS + 5)
    numbers[11], numbers[19], numbers[21] = ticks, started, 256
    (root / "7").mkdir(exist_ok=True)
    (root / "7" / "stat").write_text("7 (a) b) S " + " ".join(map(str, numbers[1:])))


def test_number_that_another_process_has_taken_over_begins_anew(root: Path) -> None:
    load = Load(root)
    written(root, 100, 1000)
    assert load.look([7], SECOND)[7].cpu_percent is None
    written(root, 100, 1050)
    assert load.look([7], 2 * SECOND)[7].cpu_percent == 100 * 50 / os.sysconf("SC_CLK_TCK")
    written(root, 200, 3)
    assert load.look([7], 3 * SECOND)[7].cpu_percent is None


def test_average_is_known_or_left_out(root: Path) -> None:
    (root / "average").write_text("0.52 0.4 0.3 1/200 77\n")
    assert average(root / "average") == 0.52
    assert average(root / "missing") is None
