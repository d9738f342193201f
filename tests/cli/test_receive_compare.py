"""`inspector receive --compare` names every difference to a station's own ledger."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import inspector
from support.outcomes import STREAM, WALL, mixed
from support.receiving import shown
from support.totals_stream import DEVICE

from inspector.core.clock import SECOND
from inspector.core.orders import ReviewPart
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.devices.totals_store import TotalsStore
from inspector.domain.egress.totals import Totals, totals_of, void_of
from inspector.domain.tally import TotalsRow

LATER = WALL + 3600 * SECOND
Station = tuple[Path, list[TotalsRow]]


@pytest.fixture
def station(root: Path) -> Iterator[Station]:
    """A ledger of 60 parts in windows of 10 s, one of them corrected, and all its rows."""
    path = root / "state" / "ledger.db"
    path.parent.mkdir()
    ledger = Ledger(path, 10, 0, WALL)
    parts = [mixed(seq, trigger_wall_ns=WALL + seq * SECOND) for seq in range(60)]
    ledger.commit([(part, False) for part in parts], (), (), WALL)
    while ledger.close_windows(LATER, 0):
        pass
    review = ReviewPart(stream=STREAM, seq=7, verdict="pass")
    ledger.review(review, "anna", "", LATER)
    while ledger.close_windows(2 * LATER, 0):
        pass
    ledger.close()
    reader = LedgerReader(path)
    yield root, reader.totals_from(1)
    reader.close()


def take(db: Path, rows: list[TotalsRow]) -> None:
    with TotalsStore(db) as store:
        store.take([totals_of(DEVICE, row) for row in rows], 0)


def test_all_that_the_station_has_is_no_difference(station: Station) -> None:
    root, rows = station
    take(root / "totals.db", rows)
    for ledger in (root, root / "state" / "ledger.db"):
        done = inspector("receive", "--db", root / "totals.db", "--compare", ledger)
        assert done.returncode == 0
        assert "no difference" in done.stdout
    compared = shown(root / "totals.db", "--compare", root)["compared"]
    assert compared["equal"]
    assert compared["counts"]["station"] == compared["counts"]["received"]
    assert sum(compared["counts"]["station"].values()) == 60
    assert compared["rows"] == {"station": len(rows), "through": len(rows)}


def test_a_correction_that_did_not_come_is_named(station: Station) -> None:
    root, rows = station
    take(root / "totals.db", rows[:-1])
    done = inspector("receive", "--db", root / "totals.db", "--compare", root)
    assert done.returncode == 1
    assert "revision is 2 at the station, 1 here" in done.stdout
    assert "reviewed.overkill is 1 at the station, 0 here" in done.stdout


def test_windows_that_only_one_side_has_are_named(station: Station) -> None:
    root, rows = station
    take(root / "totals.db", [row for row in rows if row.row != 2])
    compared = shown(root / "totals.db", "--compare", root)["compared"]
    assert not compared["equal"]
    assert compared["gaps"] == [[2, 2]]
    assert [(one["what"], one["station"], one["received"]) for one in compared["differences"]] == [
        ("window", 2, None)
    ]


def test_a_void_row_is_a_difference(station: Station) -> None:
    root, rows = station
    take(root / "totals.db", rows[:3] + rows[4:])
    with TotalsStore(root / "totals.db") as store:
        store.take([void_of(DEVICE, rows[3])], 0)
    done = inspector("receive", "--db", root / "totals.db", "--compare", root)
    assert done.returncode == 1
    assert "was not received" in done.stdout
    assert "1 rows could not leave the station" in done.stdout


def test_a_changed_count_is_named(station: Station) -> None:
    root, rows = station
    take(root / "totals.db", rows)
    with sqlite3.connect(root / "totals.db") as db:
        (message,) = db.execute("SELECT message FROM window WHERE seq = 2").fetchone()
        changed = message.replace('"first_pass":', '"first_pass":1')
        db.execute("UPDATE window SET message = ? WHERE seq = 2", (changed,))
    db.close()
    done = inspector("receive", "--db", root / "totals.db", "--compare", root)
    assert done.returncode == 1
    assert "first_pass is" in done.stdout


def test_a_station_of_which_nothing_came_differs_in_all(station: Station) -> None:
    root, rows = station
    TotalsStore(root / "totals.db").close()
    compared = shown(root / "totals.db", "--compare", root)["compared"]
    latest: dict[tuple[int, str, str, str], Totals] = {}
    for row in rows:
        latest[row.start_s, row.recipe, row.lot, row.model] = totals_of(DEVICE, row)
    assert len(compared["differences"]) == len(latest)
    assert not compared["equal"]
