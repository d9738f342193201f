"""The daily self-test: what it looks at, and whom it tells."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.commands import inspector
from support.outcomes import STREAM, mixed
from support.stations import make_station

from inspector.cli.selftest import test as look  # under its own name it would be one of these
from inspector.core.clock import SECOND
from inspector.core.messages import Event
from inspector.core.orders import ReviewPart
from inspector.core.paths import Paths
from inspector.core.topology import MESSAGES
from inspector.devices.bus import Bus, Inbox
from inspector.devices.ledger import Ledger
from inspector.devices.ledger.backup import LEDGER, Wanted, make_backup

WALL = time.time_ns() - 3600 * SECOND
DAY = 86_400 * SECOND


@pytest.fixture
def paths(root: Path) -> Paths:
    """A station with two windows counted, one found bad afterwards, and a backup."""
    made = make_station(root)
    made.create()
    with closing(Ledger(made.ledger, 10, 0, WALL)) as ledger:
        parts = [mixed(seq, trigger_wall_ns=WALL + seq * SECOND // 10) for seq in range(200)]
        ledger.commit([(part, False) for part in parts], wall_ns=WALL)
        ledger.review(ReviewPart(stream=STREAM, seq=7, verdict="pass"), "anna", "", WALL)
        while ledger.close_windows(WALL + 600 * SECOND, 0):
            pass
    make_backup(made.backups, Wanted(made.ledger, {}, (), "1.0"), time.time_ns(), 7)
    return made


@pytest.fixture
def record(paths: Paths) -> Iterator[Inbox]:
    """Record's inbox."""
    with Bus() as bus:
        yield bus.inbox(paths.socket("record"), depth=MESSAGES)


def states(paths: Paths, wall_ns: int | None = None) -> dict[str, str]:
    return {one.what: one.state for one in look(paths, wall_ns or time.time_ns())}


def heard(inbox: Inbox) -> Event:
    assert inbox.wait(20_000)
    received = inbox.receive()
    assert received
    assert isinstance(received[0], Event)
    return received[0]


def test_station_that_keeps_its_promises_passes_and_says_so(paths: Paths, record: Inbox) -> None:
    done = inspector("selftest", "--root", paths.state.parent, "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"], said["told"]) == (0, True, True), done.stdout
    (totals,) = [one for one in said["checks"] if one["what"] == "totals"]
    assert "windows of 200 parts" in totals["text"]
    assert heard(record).code == "selftest_passed"


def test_total_that_says_other_than_its_parts_calls_a_person(paths: Paths, record: Inbox) -> None:
    with closing(sqlite3.connect(paths.ledger)) as database, database:
        database.execute("DELETE FROM detail WHERE outcome_id = 21")
        database.execute("DELETE FROM outcome WHERE id = 21")
    done = inspector("selftest", "--root", paths.state.parent)
    assert done.returncode == 78
    assert "recorded" in done.stdout
    event = heard(record)
    assert (event.code, event.service, event.severity) == ("selftest_failed", "selftest", "alarm")
    assert "totals" in event.text


def test_selftest_without_record_says_that_nobody_was_told(paths: Paths) -> None:
    done = inspector("selftest", "--root", paths.state.parent)
    assert done.returncode == 0
    assert "was not told" in done.stderr


def test_audit_chain_that_was_changed_is_found(paths: Paths) -> None:
    with closing(sqlite3.connect(paths.ledger)) as database, database:
        database.execute("UPDATE audit SET who = 'nobody' WHERE id = 1")
    assert states(paths)["audit chain"] == "bad"


def test_windows_whose_parts_have_begun_to_go_are_not_compared(paths: Paths) -> None:
    with closing(sqlite3.connect(paths.ledger)) as database, database:
        database.execute("DELETE FROM to_review")
        database.execute("DELETE FROM review")
        database.execute("DELETE FROM detail")
        database.execute("DELETE FROM outcome")
        database.execute("UPDATE span SET thinned = 1")
    assert states(paths)["totals"] == "ok"


def test_damaged_backup_is_found(paths: Paths) -> None:
    (folder,) = paths.backups.iterdir()
    with (folder / LEDGER).open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    assert states(paths)["backup"] == "bad"


def test_backup_that_is_days_old_calls_a_person(paths: Paths) -> None:
    assert states(paths, time.time_ns() + 4 * DAY)["backup"] == "bad"


def test_model_that_was_changed_is_found(paths: Paths) -> None:
    weights = next(paths.models.rglob("*.bin"))
    weights.write_bytes(weights.read_bytes() + b"more")
    assert states(paths)["recipes and models"] == "bad"


def test_ledger_that_is_no_database_is_found(paths: Paths) -> None:
    paths.ledger.write_bytes(b"not a database at all" * 1000)
    found = states(paths)
    assert (found["ledger"], found["totals"], found["audit chain"]) == ("bad", "bad", "bad")


def test_configuration_that_is_refused_is_told_of(paths: Paths) -> None:
    paths.station_file.write_text("schema = 2\n")
    assert states(paths) == {"configuration": "bad"}
