"""inspector totals: the windows as they stand in the ledger, whether or not they have left."""

import argparse
from datetime import UTC, datetime
from typing import Any

from inspector.cli.screen import add_root, command, print_json, results, table
from inspector.core.paths import of_root
from inspector.core.terms import Kind
from inspector.devices.ledger import LedgerReader
from inspector.domain.tally import TotalsRow


def add(commands: Any) -> None:
    made = command(
        commands,
        "totals",
        "show the windows of totals, newest first",
        "inspector totals --root /srv/station --limit 20",
    )
    add_root(made)
    made.add_argument("--limit", type=int, default=20, metavar="N", help="default: %(default)s")
    made.set_defaults(command=_totals)


def _totals(arguments: argparse.Namespace) -> int:
    reader = LedgerReader(of_root(arguments.root).ledger)
    rows = reader.totals(max(1, arguments.limit))
    reader.close()
    if arguments.json:
        print_json({"windows": rows})
    elif not rows:
        results.print("no window has ended yet")
    else:
        results.print(table("", _COLUMNS, (_cells(row) for row in rows)))
    return 0


_COLUMNS = (
    "window (UTC)",
    "recipe",
    "lot",
    "model",
    "rev",
    "triggers",
    *(kind.value for kind in Kind),
    "p95 ms",
    "status",
)


def _cells(row: TotalsRow) -> tuple[object, ...]:
    start, end = (datetime.fromtimestamp(at, UTC) for at in (row.start_s, row.end_s))
    return (
        f"{start:%Y-%m-%d %H:%M:%S} - {end:%H:%M:%S}",
        row.recipe,
        row.lot,
        row.model,
        row.revision,
        row.totals.triggers,
        *(row.totals.counts.get(kind, 0) for kind in Kind),
        f"{row.totals.latency.p95_us / 1000:.1f}",
        row.status,
    )
