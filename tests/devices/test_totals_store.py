"""What a receiver keeps survives restarts and kills, and adds up however the rows come."""

import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.totals_stream import DEVICE, STREAM, Sender, message, sums, void

from inspector.core.errors import MaintainerError
from inspector.core.terms import Kind
from inspector.devices.totals_store import TotalsStore
from inspector.domain.receiving import Became, Row

OTHER = "acme/lyon/press/l1/c8"
LATER = "f" * 32


def of_two_stations(seed: int) -> tuple[Sender, Sender, Sender, list[Row]]:
    """Two devices, one of them with a second ledger; rows in no order, some twice."""
    draw = random.Random(seed)
    one, two, new = Sender(), Sender(OTHER, "a" * 32), Sender(DEVICE, LATER)
    for sender in (one, two, new):
        sender.windows(draw.randint(1, 20), seed)
        for _ in range(draw.randint(0, 10)):
            sender.window(draw.randint(0, 5), draw.choices(list(Kind), k=3))
    rows: list[Row] = [
        message(row, sender.device) for sender in (one, two, new) for row in sender.rows
    ]
    rows += draw.choices(rows, k=20)
    draw.shuffle(rows)
    return one, two, new, rows


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 30), max_size=6))
def test_two_stations_and_a_new_ledger_add_up_over_restarts(seed: int, cuts: list[int]) -> None:
    one, two, new, rows = of_two_stations(seed)
    with tempfile.TemporaryDirectory() as folder:
        check_sums(Path(folder) / "totals.db", (one, two, new), rows, cuts)


def check_sums(path: Path, senders: tuple[Sender, ...], rows: list[Row], cuts: list[int]) -> None:
    for size in [*cuts, len(rows)]:
        with TotalsStore(path) as store:
            store.take(rows[:size], time.time_ns())
        rows = rows[size:]
    with TotalsStore(path, read_only=True) as store:
        found = {(each.device, each.stream): each for each in store.streams()}
        assert len(found) == 3
        for sender in senders:
            each = found[sender.device, sender.stream]
            assert dict(zip(Kind, each.account.counts, strict=True)) == sender.counts()
            assert sums(store.windows(each)) == {str(k): n for k, n in sender.counts().items()}
            assert each.account.seen.through == len(sender.rows)
            assert each.account.whole
            assert not each.account.contradicts


def test_gaps_and_voids_are_known_after_a_restart(root: Path) -> None:
    sender = Sender()
    rows = sender.windows(12)
    came = [message(row) for row in rows if row.row not in (3, 4, 5, 9)]
    with TotalsStore(root / "totals.db") as store:
        store.take([*came, void(rows[8])], 0)
    with TotalsStore(root / "totals.db") as store:
        (one,) = store.streams()
        assert one.account.seen.gaps() == [(3, 5)]
        assert one.account.seen.through == 2
        assert one.account.voids == 1
        store.take([message(row) for row in rows[2:5]], 0)
        assert store.take([message(rows[8])], 0) == [Became.COUNTED]
    with TotalsStore(root / "totals.db", read_only=True) as store:
        (one,) = store.streams()
        assert one.account.whole
        assert one.account.counts == one.account.cumulative


def test_given_up_rows_stay_given_up_and_count_when_they_come(root: Path) -> None:
    rows = Sender().windows(6)
    with TotalsStore(root / "totals.db") as store:
        store.take([message(rows[0]), message(rows[5])], 0)
        assert store.give_up(DEVICE, 0) == 4
    with TotalsStore(root / "totals.db") as store:
        (one,) = store.streams()
        assert (one.account.seen.through, one.account.given_up) == (6, 4)
        assert store.take([message(row) for row in rows], 0).count(Became.COUNTED) == 4
        assert one.account.whole
        assert one.account.counts == one.account.cumulative
        with pytest.raises(MaintainerError, match="knows no device"):
            store.give_up(OTHER, 0)


def test_quantities_can_be_queried(root: Path) -> None:
    sender = Sender()
    sender.window(0, [Kind.PASS, Kind.PASS, Kind.FAIL], lot="A")
    sender.window(1, [Kind.PASS, Kind.FAULT], lot="A")
    sender.window(2, [Kind.PASS], lot="challenge")
    with TotalsStore(root / "totals.db") as store:
        store.take([message(row) for row in sender.rows], 0)
    with sqlite3.connect(root / "totals.db") as db:
        found = db.execute("SELECT lot, produced, good, scrap, rework FROM quantity").fetchall()
    db.close()
    assert found == [("A", 5, 3, 1, 1)]


KILLED = """
import sys
from pathlib import Path
from support.totals_stream import Sender, message
from inspector.devices.totals_store import TotalsStore
rows = [message(row) for row in Sender().windows(3000)]
with TotalsStore(Path(sys.argv[1])) as store:
    for row in rows:
        store.take([row], 0)
        print(row.seq, flush=True)
"""


def test_kill_9_loses_no_row_that_was_taken(root: Path) -> None:
    path, reached = root / "totals.db", 0
    for lines in (5, 60, 200):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, path],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        ) as process:
            assert process.stdout
            for _ in range(lines):
                reached = max(reached, int(process.stdout.readline()))
            process.kill()
        with TotalsStore(path, read_only=True) as store:
            (one,) = store.streams()
            assert one.account.seen.through >= reached
            assert not one.account.contradicts
    assert one.stream == STREAM


def test_a_second_receiver_on_the_same_file_is_refused(root: Path) -> None:
    with (
        TotalsStore(root / "totals.db"),
        pytest.raises(MaintainerError, match="another receiver writes it"),
    ):
        TotalsStore(root / "totals.db")


def test_files_that_are_no_receivers_are_left_alone(root: Path) -> None:
    foreign, text, newer = root / "foreign.db", root / "text.db", root / "newer.db"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE thing (id INTEGER)")
    db.close()
    text.write_text("hello" * 1000)
    TotalsStore(newer).close()
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    for path, said in (
        (foreign, "another program's file"),
        (text, "no receiver's file"),
        (newer, "schema 9"),
        (root / "no" / "such.db", "cannot be written"),
    ):
        before = path.read_bytes() if path.exists() else None
        with pytest.raises(MaintainerError, match=said):
            TotalsStore(path)
        assert (path.read_bytes() if path.exists() else None) == before
    with pytest.raises(MaintainerError, match="no such file"):
        TotalsStore(root / "none.db", read_only=True)
