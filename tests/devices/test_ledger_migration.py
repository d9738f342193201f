"""A ledger that an earlier version of this program has filled, taken over with all its data."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.outcomes import STREAM, WALL, outcome

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.core.orders import ReviewPart
from inspector.core.terms import Kind
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.devices.ledger.schema import MIGRATIONS, migrate, version_of

LATER = WALL + 3600 * SECOND
KINDS = ["pass", "fail", "review", "fault", "fail", "review", "pass", "fail"]  # of parts 1 to 8
REVIEWS = [(1, 1, "fail"), (2, 1, "pass"), (3, 1, "fail"), (3, 2, "pass")]  # part, revision, ...


def second_version(path: Path) -> None:
    """As the program wrote it before parts could wait for a person: version 2, with data."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        migrate(database, path, MIGRATIONS[:2])
        database.execute("INSERT INTO meta VALUES ('ledger', ?)", ("a" * 32,))
        database.execute("INSERT INTO stream VALUES (1, ?, 'cam0')", (STREAM,))
        second = WALL // SECOND
        database.execute(
            "INSERT INTO span VALUES (1, ?, ?, 'plain', 'L1', 'm@1')", (second, second + 10)
        )
        for seq, kind in enumerate(KINDS, 1):
            database.execute(
                "INSERT INTO outcome VALUES (?, 1, ?, ?, 1, ?, ?, ?, 'why', 'reject', 0.5, 10, 1,"
                " 1, 1, 0, 7, '640x480 mono8', '', 0)",
                (seq, seq, seq, WALL + seq, kind, "late" if kind == "fault" else None),
            )
        for part, revision, verdict in REVIEWS:
            database.execute(
                "INSERT INTO review VALUES (?, ?, ?, ?, 'dent', 'anna', 'seen')",
                (part, revision, WALL, verdict),
            )
        database.execute("INSERT INTO dirty_window VALUES (1, ?)", (WALL,))


def test_ledger_of_the_second_version_is_taken_over_with_its_findings(root: Path) -> None:
    path = root / "ledger.db"
    second_version(path)
    with closing(Ledger(path, 10, 0, LATER)) as ledger, closing(LedgerReader(path)) as reader:
        assert (ledger.set_aside, ledger.id, ledger.committed) == (None, "a" * 32, 8)
        assert version_of(ledger._db) == len(MIGRATIONS)
        findings = {part.outcome.seq: part.finding for part in reader.parts(10)}
        assert findings == dict.fromkeys(range(4, 9)) | {
            1: Kind.FAIL,
            2: Kind.PASS,
            3: Kind.PASS,
        }
        assert reader.classes() == ["dent"]
        assert ledger._db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert ledger._db.execute("SELECT count(*) FROM reviews").fetchone() == (4,)


def test_parts_nobody_has_looked_at_stand_in_the_queue_after_the_migration(root: Path) -> None:
    path = root / "ledger.db"
    second_version(path)
    with closing(Ledger(path, 10, 0, LATER)) as ledger, closing(LedgerReader(path)) as reader:
        assert [part.outcome.seq for part in reader.to_review(10)] == [8, 6, 5]
        assert ledger.sums() == reader.sums()
        assert ledger.sums().to_review == 3
        assert ledger.sums().pixel_bytes == 0  # counted from here on, as what leaves is


def test_ledger_of_the_second_version_goes_on_as_a_new_one(root: Path) -> None:
    path = root / "ledger.db"
    second_version(path)
    with closing(Ledger(path, 10, 0, LATER)) as ledger, closing(LedgerReader(path)) as reader:
        ledger.commit([(outcome(9, Kind.FAIL), False)], (), (), WALL)
        taken_back = ReviewPart(stream=STREAM, seq=3, verdict="withdrawn")
        assert ledger.review(taken_back, "bert", "", LATER) == 3
        assert [part.outcome.seq for part in reader.to_review(10)] == [9, 8, 6, 5, 3]
        rows = ledger.close_windows(LATER + 10 * SECOND, 0)
        assert sum(row.totals.triggers for row in rows) == 9
        assert rows[-1].cumulative == {Kind.PASS: 2, Kind.FAIL: 4, Kind.REVIEW: 2, Kind.FAULT: 1}


def test_ledger_of_the_second_version_is_not_read_before_record_took_it_over(root: Path) -> None:
    path = root / "ledger.db"
    second_version(path)
    with (
        closing(LedgerReader(path)) as reader,
        pytest.raises(MaintainerError, match="has ledger version 2"),
    ):
        reader.sums()
