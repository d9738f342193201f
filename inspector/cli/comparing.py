"""What a receiver has against what a station's own ledger says.

Promises: every difference is named, and the sums of both stand beside each other.
Never: writes to either.
"""

from pathlib import Path
from typing import Any

from inspector.cli.screen import results
from inspector.core.errors import MaintainerError
from inspector.core.paths import under
from inspector.core.terms import Kind
from inspector.devices.ledger import LedgerReader
from inspector.devices.totals_store import TotalsStore
from inspector.domain.comparing import Difference, differences, sum_of
from inspector.domain.egress.totals import totals_of
from inspector.domain.receiving import Counts

MOST_SHOWN = 20
ALL = 2**62


def compare(path: Path, store: TotalsStore) -> dict[str, Any]:
    """A station's own totals against what has come of them."""
    reader = LedgerReader(ledger_of(path))
    try:
        ledger = reader.ledger_id()
        rows = [row for row in reader.totals(ALL) if row.ledger == ledger]
    finally:
        reader.close()
    streams = [one for one in store.streams() if one.stream == ledger]
    if len(streams) > 1:
        raise MaintainerError(
            f"{path}: its rows came from {len(streams)} devices "
            f"({', '.join(one.device for one in streams)}); which of them is this station?"
        )
    device = streams[0].device if streams else ""
    own = [totals_of(device, row) for row in rows]
    received = list(store.windows(streams[0])) if streams else []
    gaps = streams[0].account.seen.gaps() if streams else []
    found = differences(own, received)
    last = max((row.row for row in rows), default=0)
    through = streams[0].account.seen.through if streams else 0
    return {
        "equal": not found and not gaps and through == last,
        "stream": ledger,
        "device": device,
        "rows": {"station": last, "through": through},
        "windows": {"station": len(own), "received": len(received)},
        "counts": {"station": named(sum_of(own)), "received": named(sum_of(received))},
        "gaps": gaps,
        "differences": found,
    }


def print_compared(compared: dict[str, Any]) -> None:
    rows, windows = compared["rows"], compared["windows"]
    results.print(
        f"station {compared['stream'][:8]}: {rows['station']} rows, {windows['station']} windows, "
        f"{_words(compared['counts']['station'])}"
    )
    results.print(
        f"received here: through row {rows['through']}, {windows['received']} windows, "
        f"{_words(compared['counts']['received'])}"
    )
    if compared["equal"]:
        results.print("no difference")
    for one in compared["differences"][:MOST_SHOWN]:
        results.print(_spelled(one))
    if (more := len(compared["differences"]) - MOST_SHOWN) > 0:
        results.print(f"and {more} more differences; --json has all")


def _spelled(one: Difference) -> str:
    start, _, recipe, lot, model = one.window
    where = f"{start} {recipe} {lot} {model}"
    if one.what == "window":
        who = "was not received" if one.received is None else "is not known to the station"
        return f"{where}: {who}"
    return f"{where}: {one.what} is {one.station} at the station, {one.received} here"


def ledger_of(path: Path) -> Path:
    """Of a station's folder, or the ledger itself."""
    return under(path).ledger if path.is_dir() else path


def named(counts: Counts) -> dict[str, int]:
    return dict(zip(map(str, Kind), counts, strict=True))


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in counts.items())
