"""Facts of the box itself: memory, disk, clock, temperature.

Promises: facts only, as the kernel tells them; what cannot be learned is None.
Never: judges (that is `domain.fitness`), or changes anything.
"""

import ctypes
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20
MEMORY = Path("/proc/meminfo")
PROCESS = Path("/proc/self/status")
CONTROL_GROUP = Path("/sys/fs/cgroup")
SHARED_MEMORY = Path("/dev/shm")
THERMAL = Path("/sys/class/thermal")
UPTIME = Path("/proc/uptime")
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")

STATUS_AT = 5  # of the words of `struct timex` on 64-bit Linux
STA_UNSYNC = 0x40
TIMEX_WORDS = 64  # more than the structure holds
HOTTEST = 150.0  # degrees Celsius; a sensor that says more is broken


@dataclass(frozen=True)
class Memory:
    """Bytes. A limit of the process's control group counts as the whole."""

    total: int
    available: int


def memory(meminfo: Path = MEMORY, group: Path = CONTROL_GROUP) -> Memory | None:
    """What is there and what may still be had."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        total, available = (_bytes(lines[key]) for key in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return None
    limit, used = _number(group / "memory.max"), _number(group / "memory.current")
    if limit is not None and used is not None and limit < total:
        return Memory(limit, min(available, max(0, limit - used)))
    return Memory(total, available)


def resident(status: Path = PROCESS) -> int:
    """Bytes of memory that this process holds now; 0 where unknown."""
    try:
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return _bytes(lines["VmRSS"])
    except (OSError, KeyError, ValueError):
        return 0


def free(place: Path) -> int | None:
    """Bytes that may be written below `place`, which need not exist yet."""
    usage = _usage(place)
    return usage[1] if usage else None


def size(place: Path) -> int | None:
    """Bytes of the whole disk that `place` lies on."""
    usage = _usage(place)
    return usage[0] if usage else None


def used(folder: Path) -> int:
    """Bytes of all files below `folder`; what vanishes meanwhile counts for nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def temperature(folder: Path = THERMAL) -> float | None:
    """The hottest sensor, in degrees Celsius."""
    found = [(_number(path) or 0) / 1000 for path in folder.glob("thermal_zone*/temp")]
    return max((value for value in found if 0 < value < HOTTEST), default=None)


def uptime(path: Path = UPTIME) -> float | None:
    """Seconds since the box was started."""
    try:
        return float(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def kernel_clock() -> bool | None:
    """True when the kernel's clock is disciplined by something (adjtimex); None where unknown."""
    words = (ctypes.c_long * TIMEX_WORDS)()  # all zero: a question, nothing is set
    try:
        answer = int(ctypes.CDLL(None).adjtimex(ctypes.byref(words)))
    except (OSError, AttributeError):
        return None
    if answer < 0:
        return None
    return not int(words[STATUS_AT]) & STA_UNSYNC


def synchronised(
    mark: Path = SYNCHRONISED, kernel: Callable[[], bool | None] = kernel_clock
) -> bool | None:
    """True when the clock follows another one, by systemd's mark or by the kernel's word."""
    return True if mark.exists() else kernel()


def _usage(place: Path) -> tuple[int, int] | None:
    """Bytes in all and free, of the disk of `place`."""
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return None
    return usage.total, usage.free


def _bytes(field: str) -> int:
    """`  123 kB` as bytes."""
    return int(field.split()[0]) * 1024


def _number(path: Path) -> int | None:
    """The number in a file of the kernel's; None where there is none (no limit), or no file."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
