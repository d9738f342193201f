"""inspector switch: make another product, or start another lot, between two parts."""

import argparse
from typing import Any

from inspector.cli.console import give_order
from inspector.cli.screen import add_root, command, print_json, results
from inspector.core.config import load_station
from inspector.core.current import read_current
from inspector.core.orders import SetRecipe
from inspector.core.paths import of_root
from inspector.devices.bus import Bus


def add(commands: Any) -> None:
    made = command(
        commands,
        "switch",
        "change the recipe or the lot of the running line",
        "inspector switch --root /srv/station --recipe cap --lot A-1047",
    )
    add_root(made)
    made.add_argument("--recipe", metavar="NAME", help="default: the one in force")
    made.add_argument("--lot", metavar="LOT", help="default: the one in force")
    made.add_argument("--reason", default="", metavar="TEXT", help="where the recipe asks for one")
    made.set_defaults(command=_switch)


def _switch(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    recipe, lot = read_current(paths.current, load_station(paths.station_file).line).newest
    wanted = SetRecipe(
        recipe=arguments.recipe or recipe,
        lot=lot if arguments.lot is None else arguments.lot,
    )
    with Bus() as bus:
        reply = give_order(bus, paths, wanted, arguments.reason)
    if arguments.json:
        print_json(reply)
    else:
        results.print(reply.text)
    return 0
