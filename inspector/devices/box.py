"""Facts of the box itself: what OpenVINO finds, memory, disk, clock.

Promises: facts only, as the kernel and OpenVINO tell them; what cannot be learned is None.
Never: judges (that is `domain.fitness`), or changes anything.
"""

import ctypes
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openvino as ov
from msgspec import Struct

MIB = 2**20
MEMORY = Path("/proc/meminfo")
PROCESS = Path("/proc/self/status")
CONTROL_GROUP = Path("/sys/fs/cgroup")
SHARED_MEMORY = Path("/dev/shm")
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")

STATUS_AT = 5  # of the words of `struct timex` on 64-bit Linux
STA_UNSYNC = 0x40
TIMEX_WORDS = 64  # more than the structure holds


class Accelerator(Struct, frozen=True):
    """A device that OpenVINO can use. `preferred`: the precision it takes where none is asked."""

    name: str
    full_name: str
    capabilities: tuple[str, ...]
    preferred: str  # f32, bf16, f16, or empty where it does not say


@dataclass(frozen=True)
class Memory:
    """Bytes. A limit of the process's control group counts as the whole."""

    total: int
    available: int


def accelerators() -> list[Accelerator]:
    """All devices, in OpenVINO's order. One that cannot be asked is left out."""
    core = ov.Core()
    found = []
    for name in core.available_devices:
        try:
            found.append(_accelerator(core, name))
        except RuntimeError:
            continue
    return found


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
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


def used(folder: Path) -> int:
    """Bytes of all files below `folder`; what vanishes meanwhile counts for nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


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


def _accelerator(core: ov.Core, name: str) -> Accelerator:
    able = core.get_property(name, "OPTIMIZATION_CAPABILITIES")
    try:
        preferred = str(core.get_property(name, "INFERENCE_PRECISION_HINT").get_type_name())
    except (RuntimeError, AttributeError):
        preferred = ""
    full = str(core.get_property(name, "FULL_DEVICE_NAME"))
    return Accelerator(name, full, tuple(sorted(map(str, able))), preferred)


def _bytes(field: str) -> int:
    """`  123 kB` as bytes."""
    return int(field.split()[0]) * 1024


def _number(path: Path) -> int | None:
    """The number in a control group's file; None where there is no limit, or no such file."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
