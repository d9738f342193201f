"""inspector restore: a backup's ledger in the place of the present one; the station is stopped."""

import argparse
import os
import shutil
import time
from pathlib import Path
from typing import Any

from inspector.cli.screen import add_root, command, print_json, results
from inspector.core.config import load_station
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.paths import Paths, of_root
from inspector.devices.host import while_stopped
from inspector.devices.ledger.backup import Backup, prove, read_backup
from inspector.devices.ledger.opening import find_damage
from inspector.devices.ledger.restore import prepare, put_in_place, set_aside
from inspector.services.record.backups import backups_folder

CONFIG, STATE = "config/", "state/"
NOTE = """The station has to be stopped. The present ledger is set aside; what was recorded since
the backup was made is missing then. Totals go on in a new stream, so that a receiver counts no part
twice. The configuration stays unless --config is given."""


def add(commands: Any) -> None:
    made = command(
        commands,
        "restore",
        "put the ledger of a backup in the place of the present one",
        "inspector restore 20260131T020000Z",
    )
    made.description = f"{made.description}\n\n{NOTE}"
    made.add_argument("backup", metavar="BACKUP", help="its folder, or its name in `backup --list`")
    add_root(made)
    made.add_argument(
        "--config",
        action="store_true",
        help="the configuration, people and recipes too; what is there is set aside",
    )
    made.set_defaults(command=_restore)


def _restore(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    backup = read_backup(_folder(paths, arguments.backup))
    prove(backup)
    with while_stopped(paths.lock("record")) as stopped:
        if not stopped:
            raise MaintainerError(
                f"{paths.lock('record')}: record is running; stop the station first"
            )
        aside, gap = _put(paths.ledger, backup)
    files = _configuration(paths, backup) if arguments.config else []
    said = {"backup": backup.name, "set_aside": aside, "gap": gap, "files": files}
    if arguments.json:
        print_json(said)
    else:
        results.print(f"{paths.ledger}: {gap}")
        results.print(f"the ledger before: {aside or 'there was none'}")
        for file in files:
            results.print(f"{file}: restored")
    return 0


def _folder(paths: Paths, named: str) -> Path:
    """A folder, or the name of one where backups are kept."""
    if "/" in named or Path(named).is_dir():
        return Path(named)
    try:
        kept = backups_folder(load_station(paths.station_file), paths)
    except InspectorError:  # it may be the configuration that is to be restored
        kept = paths.backups
    return kept / named


def _put(ledger: Path, backup: Backup) -> tuple[str, str]:
    """Where the present ledger lies now, and what is missing in the restored one."""
    wall = time.time_ns()
    ledger.parent.mkdir(parents=True, exist_ok=True)
    prepared = prepare(ledger, backup, wall, damaged=_is_damaged(ledger))
    try:
        aside = set_aside(ledger, "before-restore", wall) if ledger.exists() else None
        put_in_place(ledger, wall)
    except OSError as error:
        raise MaintainerError(f"{ledger}: cannot be replaced ({error.strerror})") from None
    return str(aside or ""), prepared.gap


def _is_damaged(ledger: Path) -> bool:
    try:
        return find_damage(ledger) is not None
    except MaintainerError:  # of a newer program, or it cannot be read
        return True


def _configuration(paths: Paths, backup: Backup) -> list[str]:
    """Write back what the backup has of it. Returns the files."""
    written = []
    for name in backup.manifest.files:
        for start, base in ((CONFIG, paths.config), (STATE, paths.state)):
            if name.startswith(start):
                target = base / name.removeprefix(start)
                _replace(backup.folder / name, target)
                written.append(str(target))
    return written


def _replace(source: Path, target: Path) -> None:
    """Root may be at work in a service's folder: what a service has left there as a link is set
    aside like any file, and leads nowhere."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.parent.is_symlink():
            raise MaintainerError(f"{target.parent}: is a link; put the folder itself there")
        owner = target.parent.stat()
        if os.path.lexists(target):
            owner = target.lstat()
            target.replace(target.with_name(f"{target.name}.before-restore"))
        shutil.copyfile(source, target)
        target.chmod(0o640)
        shutil.chown(target, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise MaintainerError(f"{target}: cannot be written ({error.strerror})") from None
