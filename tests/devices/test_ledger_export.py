"""Views of the ledger as files."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.outcomes import WALL, mixed, outcome

from inspector.core.clock import SECOND
from inspector.core.errors import InspectorError
from inspector.core.terms import Kind
from inspector.devices.ledger import Ledger
from inspector.devices.ledger.maintenance import VIEWS, export

LATER = WALL + 3600 * SECOND


@pytest.fixture
def path(root: Path) -> Path:
    ledger = Ledger(root / "ledger.db", 10, 0, WALL)
    ledger.commit([(mixed(seq), False) for seq in range(40)], (), (), WALL)
    ledger.close_windows(LATER, 0)
    odd = outcome(40, Kind.FAULT, reason='a "quoted", two-\nlined reason: Grüße', lot="L2")
    ledger.commit([(odd, False)], (), (), WALL)
    ledger.close_windows(LATER, 0)
    ledger.close()
    return root / "ledger.db"


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_and_json_say_the_same_in_order(path: Path, tmp_path: Path) -> None:
    for view, count in (("parts", 41), ("totals", 2), ("faults", 3)):
        assert export(path, view, tmp_path / "out.csv") == count
        assert export(path, view, tmp_path / "out.json") == count
        table = read_csv(tmp_path / "out.csv")
        rows = json.loads((tmp_path / "out.json").read_text())
        texts = [{name: "" if v is None else str(v) for name, v in row.items()} for row in rows]
        assert texts == table
        order = [row[VIEWS[view].strip('"')] for row in rows]
        assert order == sorted(order)
    assert rows[-1]["reason"] == 'a "quoted", two-\nlined reason: Grüße'


def test_exported_totals_sum_to_the_parts(path: Path, tmp_path: Path) -> None:
    export(path, "totals", tmp_path / "totals.csv")
    table = read_csv(tmp_path / "totals.csv")
    assert sum(int(row["triggers"]) for row in table) == 41
    assert sum(int(row["fault"]) for row in table) == 3


def test_empty_ledger_gives_a_header_and_an_empty_list(root: Path) -> None:
    Ledger(root / "ledger.db", 10, 0, WALL).close()
    assert export(root / "ledger.db", "parts", root / "out.csv") == 0
    assert (root / "out.csv").read_text().startswith("time_utc,camera,stream,seq,kind")
    assert export(root / "ledger.db", "parts", root / "out.json") == 0
    assert json.loads((root / "out.json").read_text()) == []


def test_export_beside_the_writer_sees_what_is_committed(root: Path) -> None:
    ledger = Ledger(root / "ledger.db", 10, 0, WALL)
    ledger.commit([(outcome(1), False)], (), (), WALL)
    assert export(ledger.path, "parts", root / "out.csv") == 1
    ledger.commit([(outcome(2), False)], (), (), WALL)
    ledger.close()


@pytest.mark.parametrize(
    ("ledger", "view", "out", "reason"),
    [
        ("ledger.db", "meta", "out.csv", "choose one of parts, faults, totals"),
        ("ledger.db", "parts", "out.xlsx", "choose a name in .csv, .json"),
        ("ledger.db", "parts", "absent/out.csv", "out.csv: cannot be written"),
        ("other.db", "parts", "out.csv", "other.db: cannot be read"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(
    path: Path, ledger: str, view: str, out: str, reason: str
) -> None:
    with pytest.raises(InspectorError) as caught:
        export(path.with_name(ledger), view, path.with_name("x").parent / out)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(path.parent.glob("out*"))
    assert not path.with_name("other.db").exists()


def test_file_that_is_there_stays_when_the_export_fails(path: Path, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(InspectorError):
        export(path.with_name("other.db"), "parts", tmp_path / "out.csv")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "old"


def test_line_does_not_load_the_exporter() -> None:
    code = "import sys, inspector.services.record.process; print('sqlite_utils' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
