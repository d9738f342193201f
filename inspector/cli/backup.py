"""inspector backup: a copy of ledger and configuration, whether or not the station runs."""

import argparse
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from inspector.cli.console import give_order
from inspector.cli.screen import add_root, command, print_json, results
from inspector.core.config import StationConfig, load_station
from inspector.core.errors import MaintainerError
from inspector.core.orders import MakeBackup
from inspector.core.paths import Paths, of_root
from inspector.devices.bus import Bus
from inspector.devices.host import while_stopped
from inspector.devices.ledger import LedgerReader
from inspector.devices.ledger.backup import Backup, backups, make_backup, read_backup
from inspector.services.record.backups import backups_folder, wanted

LOOK_S = 0.2
MB = 1 << 20


def add(commands: Any) -> None:
    made = command(
        commands,
        "backup",
        "copy the ledger and the configuration to the backups, while the line goes on",
        "inspector backup",
    )
    add_root(made)
    made.add_argument("--list", action="store_true", help="show those that are there instead")
    made.set_defaults(command=_backup)


def _backup(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    config = load_station(paths.station_file)
    folder = backups_folder(config, paths)
    if arguments.list:
        return _list(backups(folder, time.time_ns()), arguments.json)
    return _show([_make(config, paths, folder)], arguments.json)


def _make(config: StationConfig, paths: Paths, folder: Path) -> Backup:
    """By record, or by this command where record does not run."""
    with while_stopped(paths.lock("record")) as stopped:
        if stopped:
            return make_backup(folder, wanted(paths), time.time_ns(), config.backup.keep)
    return _ask(paths, folder)


def _ask(paths: Paths, folder: Path) -> Backup:
    with closing(LedgerReader(paths.ledger)) as reader:
        before, failed = set(backups(folder, 0)), _failures(reader)
        with Bus() as bus:
            give_order(bus, paths, MakeBackup())
        while True:
            time.sleep(LOOK_S)
            if fresh := set(backups(folder, 0)) - before:
                return read_backup(max(fresh))
            if (now := _failures(reader)) != failed:
                raise MaintainerError(now[0])
            with while_stopped(paths.lock("record")) as stopped:
                if stopped:
                    raise MaintainerError("record has ended before the backup was made; try again")


def _failures(reader: LedgerReader) -> list[str]:
    """Of backups, newest first."""
    found = reader.events(1000)
    return [f"{one.text} ({one.wall_ns})" for one in found if one.code == "backup_failed"]


def _list(folders: list[Path], as_json: bool) -> int:
    """All that can be used; one that cannot is named, and hides no other."""
    found, problems = list[Backup](), list[str]()
    for one in folders:
        try:
            found.append(read_backup(one))
        except MaintainerError as error:
            problems.append(str(error))
    return _show(found, as_json, problems)


def _show(found: list[Backup], as_json: bool, problems: Sequence[str] = ()) -> int:
    said = [
        {
            "folder": str(one.folder),
            "made_ns": one.manifest.made_ns,
            "parts": one.manifest.parts,
            "bytes": one.bytes,
        }
        for one in found
    ]
    if as_json:
        print_json({"backups": said, "problems": list(problems)})
    for problem in [] if as_json else problems:
        results.print(problem)
    for one in [] if as_json else found:
        parts = f"{one.manifest.parts} parts"
        results.print(f"{one.folder}: {one.bytes / MB:.1f} MB, {parts}")
    return 0
