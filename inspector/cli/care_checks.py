"""What the doctor asks of an installed station: clock, backup, units, folders, watchdog.

Promises: a line for each, with its remedy where it is not well; on a bench only what a bench has.
Never: mends anything.
"""

import grp
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from inspector.cli.care import BEHIND_S, DAY_S, Care, care_of
from inspector.cli.units import planned
from inspector.core.errors import InspectorError
from inspector.core.folders import FOLDERS, Folder, user
from inspector.core.paths import INSTALLED, Paths
from inspector.devices import manager
from inspector.devices.station_units import differences
from inspector.domain.fitness import Check

OLDEST_S = 2 * DAY_S  # a backup a day is made
TMPFILES = "systemd-tmpfiles --create inspector.conf"
WATCHDOGS = "watchdog*"


def care_checks(paths: Paths) -> list[Check]:
    """All lines of the station below these paths."""
    care = care_of(paths)
    checks = list(_of_clock(care))
    if paths == INSTALLED:
        checks += [
            _of_backup(care),
            *_of_upgrade(care),
            _of_units(care),
            *_of_drop_ins(paths),
            *of_folders(paths),
            _of_watchdog(),
        ]
    return checks


def _of_clock(care: Care) -> Iterator[Check]:
    behind = care.clock_behind_s
    if behind is None:  # no ledger yet
        return
    if behind <= BEHIND_S:
        yield Check("time", "ok", "not before what is recorded")
    else:
        text = f"{behind:.0f} s before the newest record: windows are dated by a clock that waits"
        yield Check("time", "bad", text, "set the clock, and have a time server")


def _of_backup(care: Care) -> Check:
    remedy = "`inspector backup`, and look at inspector-backup.timer"
    if care.backup_age_s is None:
        return Check("backup", "warn", "none was made yet", remedy)
    text = f"{care.backup_age_s // 3600} h old"
    if care.backup_age_s > OLDEST_S:
        return Check("backup", "warn", text, remedy)
    return Check("backup", "ok", text)


def _of_upgrade(care: Care) -> Iterator[Check]:
    if care.upgrade:
        yield Check("upgrade", "warn", care.upgrade, "wait a minute, then ask again")
    for refused in care.refused:
        yield Check("upgrade", "warn", f"returned from {refused}", "install a mended version")


def _of_units(care: Care) -> Check:
    failed = [f"{unit.name} ({unit.result})" for unit in care.failed]
    if failed:
        text = f"failed: {', '.join(failed)}"
        return Check("units", "bad", text, "journalctl -u UNIT; it is tried again every minute")
    if not care.units:
        return Check("units", "warn", "systemd does not answer", "is it running here?")
    again = sum(unit.restarts for unit in care.units)
    return Check("units", "ok", f"{len(care.units)} loaded, none failed, {again} restarts")


def _of_drop_ins(paths: Paths) -> Iterator[Check]:
    """Whether systemd has what station.toml asks for."""
    try:
        found = differences(planned(paths))
    except InspectorError as error:
        yield Check("unit settings", "bad", str(error), "mend the file")
        return
    if found:
        yield Check("unit settings", "warn", "; ".join(found), "inspector units")
    else:
        yield Check("unit settings", "ok", "as station.toml has it")


def of_folders(paths: Paths) -> list[Check]:
    """Owner, group and mode of each folder, as `core.folders` has them."""
    wrong = [line for one in FOLDERS for line in _wrong(paths.folder(one), one)]
    if wrong:
        return [Check("folders", "bad", "; ".join(wrong), TMPFILES)]
    return [Check("folders", "ok", f"{len(FOLDERS)} folders belong to whom they should")]


def _wrong(path: Path, folder: Folder) -> Iterator[str]:
    try:
        found = path.stat()
    except OSError as error:
        yield f"{path}: {error.strerror}"
        return
    owner = user(folder.owner)
    wanted = owner, folder.group.value if folder.group else owner
    there = _user_name(found.st_uid), _group_name(found.st_gid)
    if there != wanted:
        yield f"{path}: belongs to {':'.join(there)}, not {':'.join(wanted)}"
    if stat.S_IMODE(found.st_mode) & ~folder.mode:
        yield f"{path}: has mode {stat.S_IMODE(found.st_mode):o}, not {folder.mode:o}"


def _user_name(number: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


def _group_name(number: int) -> str:
    with suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)


def _of_watchdog(devices: Path = Path("/dev")) -> Check:
    """The box's own watchdog, which starts it anew when even the kernel hangs."""
    remedy = "see Hardware watchdog in the handbook (systemd/README.md)"
    if not any(devices.glob(WATCHDOGS)):
        return Check("watchdog", "warn", "the box has none, or its driver is not loaded", remedy)
    if manager.watchdog_s() == 0:
        return Check("watchdog", "warn", "is there, and systemd does not use it", remedy)
    return Check("watchdog", "ok", "systemd feeds it")
