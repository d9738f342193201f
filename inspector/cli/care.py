"""How a station is looked after: its release, units, disks, backup and clock, line or no line.

Promises: whatever cannot be learned is left out, and is no error; a station whose record is down
is told of all the same.
Never: changes anything.
"""

import platform
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct

from inspector import __version__
from inspector.core.clock import SECOND
from inspector.core.errors import InspectorError
from inspector.core.paths import INSTALLED, Paths
from inspector.devices import box, manager
from inspector.devices.ledger.upkeep import UpkeepReader
from inspector.devices.manager import Unit
from inspector.devices.releases import Releases

BEHIND_S = 2.0  # the box's clock may differ so much from what is in the ledger
DAY_S = 86_400


class Care(Struct, frozen=True):
    """What is known without the line. None: cannot be learned."""

    version: str
    python: str
    release: str | None  # that runs; None on a bench
    upgrade: str | None  # the step of the one under way
    refused: list[str]  # releases that were returned from, and why
    units: list[Unit]
    state_free_mb: int | None
    evidence_free_mb: int | None
    backup_age_s: int | None
    backup: str | None  # what was said of the last one
    clock_synchronised: bool | None
    clock_behind_s: float | None  # the box's clock, behind what is in the ledger

    @property
    def failed(self) -> list[Unit]:
        return [unit for unit in self.units if unit.failed]


def care_of(paths: Paths) -> Care:
    """Of the station as it is now. Units and releases are those of the installed one."""
    installed, releases = paths == INSTALLED, Releases()
    upgrade, refused = _upgrades(releases) if installed else (None, [])
    behind_s, backup_ns, backup = _from_ledger(paths)
    age_s = None if backup_ns is None else max(0, time.time_ns() - backup_ns) // SECOND
    return Care(
        version=__version__,
        python=platform.python_version(),
        release=releases.named("current") if installed else None,
        upgrade=upgrade,
        refused=refused,
        units=manager.units() if installed else [],
        state_free_mb=_mib(paths.state),
        evidence_free_mb=_mib(paths.evidence),
        backup_age_s=age_s,
        backup=backup,
        clock_synchronised=box.synchronised(),
        clock_behind_s=behind_s,
    )


def _upgrades(releases: Releases) -> tuple[str | None, list[str]]:
    """The step of the upgrade under way, and releases that are refused."""
    try:
        upgrade, notes = releases.upgrade(), releases.notes()
    except InspectorError as error:
        return None, [str(error)]
    under_way = f"to {upgrade.new}: {upgrade.step.value}" if upgrade else None
    return under_way, [f"{one.release}: {one.why}" for one in notes.refused]


def _from_ledger(paths: Paths) -> tuple[float | None, int | None, str | None]:
    """How far the clock is behind, and when and how the last backup was made."""
    with suppress(InspectorError), closing(UpkeepReader(paths.ledger)) as reader:
        newest, made = reader.newest_ns(), reader.last_event("backup_made")
        behind_s = round(max(0, newest - time.time_ns()) / SECOND, 3) if newest else None
        return behind_s, made.wall_ns if made else None, made.text if made else None
    return None, None, None


def _mib(place: Path) -> int | None:
    free = box.free(place)
    return None if free is None else free // box.MIB


def told(care: Care) -> Iterator[tuple[str, bool]]:
    """Lines for a person, each with whether it is as it should be."""
    release = f", release {care.release}" if care.release else ""
    yield f"inspector {care.version}{release}, Python {care.python}", True
    if care.upgrade:
        yield f"upgrade {care.upgrade}", False
    for refused in care.refused:
        yield f"returned from release {refused}", False
    for unit in care.failed:
        yield f"{unit.name}: {unit.detail} ({unit.result}), {unit.restarts} restarts", False
    free = (("state", care.state_free_mb), ("evidence", care.evidence_free_mb))
    room = ", ".join(f"{name} {mib} MiB" for name, mib in free if mib is not None)
    if room:
        yield f"free: {room}", True
    made = "none was made yet" if care.backup_age_s is None else f"{_ago(care.backup_age_s)} ago"
    yield f"last backup: {made}", care.backup_age_s is not None and care.backup_age_s < 2 * DAY_S
    words = {True: "follows a time server", False: "follows no time server", None: "unknown"}
    behind = care.clock_behind_s or 0.0
    late = f"; {behind:.0f} s behind what is recorded" if behind > BEHIND_S else ""
    yield f"clock: {words[care.clock_synchronised]}{late}", not late


def _ago(seconds: int) -> str:
    """`5 min`, `3 h`, `2 days`."""
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 2 * DAY_S else f"{seconds // DAY_S} days"
