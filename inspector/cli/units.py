"""inspector units: hand systemd what `station.toml` says of the station's services."""

import argparse
from typing import Any

from inspector.cli.screen import command, print_json, results, say
from inspector.core.config import load_station
from inspector.core.errors import MaintainerError
from inspector.core.paths import INSTALLED, Paths
from inspector.devices.station_units import differences, put_in_place, this_box
from inspector.domain.units import Plan, plan


def add(commands: Any) -> None:
    made = command(
        commands,
        "units",
        "open for each service what station.toml names, and enable the cameras' services",
        "inspector units",
    )
    made.add_argument("--check", action="store_true", help="only tell what is not as it should be")
    made.set_defaults(command=_units)


def planned(paths: Paths = INSTALLED) -> Plan:
    """What the units of the station installed here should be. Raises MaintainerError."""
    return plan(load_station(paths.station_file), this_box(), paths.config / "secrets")


def _units(arguments: argparse.Namespace) -> int:
    made = planned()
    found = differences(made)
    if not arguments.check and found:
        put_in_place(made)
    if arguments.json:
        print_json({"ok": not found, "found": found, "enabled": sorted(made.enabled)})
    elif arguments.check:
        for line in found:
            say(line)
        results.print("all as station.toml has it" if not found else "run `inspector units`")
    else:
        _tell(found)
    return MaintainerError.exit_code if arguments.check and found else 0


def _tell(found: list[str]) -> None:
    if not found:
        results.print("nothing to do: all is as station.toml has it")
        return
    for line in found:
        say(line)
    results.print("mended; it counts from the next start: systemctl restart inspector.target")
