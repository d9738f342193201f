"""inspector export: a view of the ledger as a file for a spreadsheet or a script."""

import argparse
from pathlib import Path
from typing import Any

from inspector.cli.screen import add_root, command, print_json, results
from inspector.core.paths import of_root
from inspector.devices.ledger.maintenance import VIEWS, export


def add(commands: Any) -> None:
    made = command(
        commands,
        "export",
        "write parts, totals or another view of the ledger to a CSV or JSON file",
        "inspector export parts --root /srv/station --out parts.csv",
    )
    made.add_argument("view", choices=sorted(VIEWS), metavar="VIEW", help=", ".join(VIEWS))
    made.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .csv or .json")
    add_root(made)
    made.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> int:
    rows = export(of_root(arguments.root).ledger, arguments.view, arguments.out)
    if arguments.json:
        print_json({"view": arguments.view, "rows": rows, "file": str(arguments.out)})
    else:
        results.print(f"{rows} rows of {arguments.view} in {arguments.out}")
    return 0
