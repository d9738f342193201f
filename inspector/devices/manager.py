"""What the service manager says of the station's units.

Promises: facts only, as `systemctl show` tells them to anybody; nothing where systemd does not run
the station, or does not answer in time.
Never: starts, stops or changes a unit.
"""

import re
import subprocess
from pathlib import Path

from msgspec import Struct

OURS = ("inspector*",)
RUNS = Path("/run/systemd/system")  # there while systemd is the service manager (sd_booted(3))
PATIENCE_S = 5.0
PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NRestarts",
    "MainPID",
    "MemoryCurrent",
    "UnitFileState",
)


class Unit(Struct, frozen=True):
    """One unit. `pid` 0: none runs; `memory` in bytes, None where it is not counted."""

    name: str
    state: str  # active, inactive, failed, activating, ...
    detail: str  # running, dead, auto-restart, ...
    result: str  # success, or why it failed
    restarts: int
    pid: int
    memory: int | None
    enabled: str  # enabled, disabled, static, ...

    @property
    def failed(self) -> bool:
        return self.state == "failed" or self.detail.startswith("auto-restart")


def units(patterns: tuple[str, ...] = OURS, runs: Path = RUNS) -> list[Unit]:
    """The station's units that are loaded, sorted by name; none on a bench."""
    if not runs.is_dir():
        return []
    return parsed(_shown("--all", f"--property={','.join(PROPERTIES)}", *patterns))


def watchdog_s() -> float | None:
    """After how many seconds the box's own watchdog starts it anew; 0: systemd does not feed it;
    None where systemd does not answer."""
    said = dict(_pairs(_shown("--property=RuntimeWatchdogUSec")))
    return _seconds(said["RuntimeWatchdogUSec"]) if "RuntimeWatchdogUSec" in said else None


def _seconds(text: str) -> float:
    """`1min 30s`, `10s`, `infinity` or `0` as a number; what it cannot read counts as on."""
    if text in ("0", "infinity", "off"):
        return 0.0
    scale = {"min": 60.0, "s": 1.0, "ms": 0.001, "h": 3600.0}
    found = re.findall(r"([0-9.]+)(min|ms|s|h)", text)
    return sum(float(number) * scale[unit] for number, unit in found) or 1.0


def _shown(*arguments: str) -> str:
    """What `systemctl show` prints; nothing where there is no answer."""
    try:
        done = subprocess.run(
            ["systemctl", "show", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def parsed(text: str) -> list[Unit]:
    """The units in what `systemctl show` prints: `NAME=value` lines, an empty line between two."""
    blocks = [dict(_pairs(block)) for block in text.split("\n\n")]
    there = (one for one in blocks if one.get("Id") and one.get("LoadState") == "loaded")
    return sorted(map(_unit, there), key=lambda one: one.name)


def _pairs(block: str) -> list[tuple[str, str]]:
    lines = (line.partition("=") for line in block.splitlines())
    return [(name, value) for name, equals, value in lines if equals]


def _unit(said: dict[str, str]) -> Unit:
    memory = _number(said.get("MemoryCurrent", ""))
    return Unit(
        name=said["Id"],
        state=said.get("ActiveState", ""),
        detail=said.get("SubState", ""),
        result=said.get("Result", ""),
        restarts=_number(said.get("NRestarts", "")) or 0,
        pid=_number(said.get("MainPID", "")) or 0,
        memory=memory if memory is not None and memory < 2**63 else None,
        enabled=said.get("UnitFileState", ""),
    )


def _number(text: str) -> int | None:
    """`[not set]` and what older versions write for it is no number."""
    return int(text) if text.isdecimal() else None
