"""Taking the ledger's views out of the station, as files for a spreadsheet or a script.

Promises: what is exported is one moment of the ledger, oldest first; a file is there whole or not
at all; the line goes on meanwhile.
Never: writes the ledger, or is loaded by a process of the line.
"""

import csv
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TextIO

from sqlite_utils import Database

from inspector.core.errors import MaintainerError, OperatorError
from inspector.devices.ledger.reading import open_read_only

# Each with the columns it is ordered by.
VIEWS = {
    "parts": "id",
    "faults": "id",
    "totals": '"row"',
    "streams": "camera, stream",
    "reviews": "time_utc, stream, seq, revision",
    "events": "time_utc",
    "audit_trail": "time_utc",
    "challenges": "begun_utc, number",
    "departures": "time_utc",
    "notices": "id",
}

Rows = Iterable[Mapping[str, Any]]
Writer = Callable[[TextIO, Sequence[str], Rows], None]


def export(path: Path, view: str, out: Path) -> int:
    """Write all rows of `view` to `out`, a .csv or .json file. Returns how many there are.

    Raises OperatorError for another view or kind of file, and MaintainerError when the ledger
    cannot be read or the file not be written.
    """
    write = WRITERS.get(out.suffix.lower())
    if write is None:
        raise OperatorError(f"{out}: cannot be exported to; choose a name in {_words(WRITERS)}")
    if view not in VIEWS:
        raise OperatorError(f"view {view!r}: cannot be exported; choose one of {_words(VIEWS)}")
    fresh = out.with_name(out.name + ".part")
    try:
        count = _copy(path, view, fresh, write)
        fresh.replace(out)
    except sqlite3.Error as error:
        raise MaintainerError(f"{path}: cannot be read ({error}); is record running?") from None
    except OSError as error:
        raise MaintainerError(f"{out}: cannot be written ({error.strerror})") from None
    finally:
        with suppress(OSError):
            fresh.unlink()
    return count


def _copy(path: Path, view: str, out: Path, write: Writer) -> int:
    with closing(open_read_only(path)) as connection:
        source = Database(connection, execute_plugins=False).view(view)
        columns = [column.name for column in source.columns]
        rows = _Counted(source.rows_where(order_by=VIEWS[view]))
        with out.open("w", newline="", encoding="utf-8") as file:
            write(file, columns, rows)
    return rows.count


def _to_csv(file: TextIO, columns: Sequence[str], rows: Rows) -> None:
    table = csv.DictWriter(file, columns)
    table.writeheader()
    table.writerows(rows)


def _to_json(file: TextIO, _columns: Sequence[str], rows: Rows) -> None:
    """A list of objects, one on each line."""
    before = "["
    for row in rows:
        file.write(before + json.dumps(row))
        before = ",\n"
    file.write("]\n" if before != "[" else "[]\n")


WRITERS: dict[str, Writer] = {".csv": _to_csv, ".json": _to_json}


class _Counted:
    """Rows that are counted while they pass: there may be too many to hold."""

    def __init__(self, rows: Rows) -> None:
        self.count = 0
        self._rows = rows

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for row in self._rows:
            self.count += 1
            yield row


def _words(names: Iterable[str]) -> str:
    return ", ".join(names)
