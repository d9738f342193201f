"""What the station's processes take of the box: processor time and memory, as the kernel tells.

Promises: a process that is gone, or hidden from this one, is None; a number that another process
has taken over meanwhile is not taken for the first.
Never: needs a right that a process without any has not.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from inspector.core.clock import SECOND

PROCESSES = Path("/proc")
AVERAGE = Path("/proc/loadavg")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20

# Of proc_pid_stat(5), counted from the state, which is the first after the name in brackets.
UTIME, STIME, STARTED, RSS = 11, 12, 19, 21


@dataclass(frozen=True, slots=True)
class Taken:
    """`cpu_percent` of one processor since the look before; None at the first."""

    cpu_percent: float | None
    rss_mb: float


@dataclass(frozen=True, slots=True)
class _Seen:
    started: int
    ticks: int
    at_ns: int


class Load:
    """Looks again and again at the same processes."""

    def __init__(self, processes: Path = PROCESSES) -> None:
        self._processes = processes
        self._seen: dict[int, _Seen] = {}

    def look(self, pids: Iterable[int], now_ns: int) -> dict[int, Taken]:
        """Those that can be seen. `now_ns`: monotonic."""
        found: dict[int, Taken] = {}
        seen: dict[int, _Seen] = {}
        for pid in pids:
            if numbers := self._numbers(pid):
                fresh = _Seen(numbers[STARTED], numbers[UTIME] + numbers[STIME], now_ns)
                percent = _percent(self._seen.get(pid), fresh)
                found[pid] = Taken(percent, round(numbers[RSS] * PAGE / MIB, 1))
                seen[pid] = fresh
        self._seen = seen
        return found

    def _numbers(self, pid: int) -> list[int] | None:
        try:
            text = (self._processes / str(pid) / "stat").read_text()
            words = text.rpartition(")")[2].split()
            return [0, *map(int, words[1 : RSS + 1])]
        except (OSError, ValueError):
            return None


def _percent(before: _Seen | None, now: _Seen) -> float | None:
    if before is None or before.started != now.started or now.at_ns <= before.at_ns:
        return None
    seconds = (now.at_ns - before.at_ns) / SECOND
    return round(100 * (now.ticks - before.ticks) / TICKS_PER_S / seconds, 1)


def average(path: Path = AVERAGE) -> float | None:
    """Processes that wanted to run, over the last minute; None where it is hidden."""
    try:
        return float(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
