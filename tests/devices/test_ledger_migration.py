"""A ledger that an earlier version of this program has filled, taken over with all its data."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.outcomes import STREAM, WALL, mark, outcome

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.core.messages import Departed
from inspector.core.orders import ReviewPart
from inspector.core.terms import Kind
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.devices.ledger.maintenance import VIEWS, export
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


def third_version(path: Path) -> None:
    """As the program wrote it before it knew what the broker has: version 3, with rows of totals
    that are delivered, set aside and pending, and with messages that have left."""
    second_version(path)
    total = "INSERT INTO window_total VALUES (?, ?, 1, 5, 1, 1, 0, 0, 0, '{}', '{}', 1, 0, 0, 0,"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        migrate(database, path, MIGRATIONS[:3])
        for row, (status, at) in enumerate(
            [("delivered", 7), ("quarantined", 8), ("pending", None)]
        ):
            span = (row + 2, row * 10, row * 10 + 10)
            database.execute("INSERT INTO span VALUES (?, ?, ?, 'plain', 'L1', 'm@1')", span)
            values = (row + 1, span[0], row + 1, status, at)
            database.execute(f"{total} 1, 2, 3, ?, 0, 0, 0, ?, ?, '')", values)
        for id, payload in enumerate(('{"lot":"ü"}', "{}"), 1):
            database.execute("INSERT INTO departure VALUES (?, ?, 't', ?)", (id, id, payload))
        database.execute("UPDATE sum SET value = 14 WHERE name = 'departed_bytes'")


def test_ledger_of_the_third_version_is_taken_over_with_what_it_delivered(root: Path) -> None:
    path = root / "ledger.db"
    third_version(path)
    with closing(Ledger(path, 10, 0, LATER)) as ledger, closing(LedgerReader(path)) as reader:
        assert (ledger.set_aside, ledger.id) == (None, "a" * 32)
        assert [(row.status, row.sent) for row in reader.rows_after(0)] == [
            ("delivered", True),
            ("quarantined", False),
            ("pending", False),
        ]
        assert [row.row for row in reader.unsent()] == [3]
        assert (reader.sent_through(), reader.last_row(), reader.pending_count()) == (1, 3, 1)
        assert (reader.notices(), reader.lane("sparkplug")) == ([], 0)
        assert ledger._db.execute("PRAGMA foreign_key_check").fetchall() == []
        ledger.commit([], (), [mark(ledger.id, 3, status="sent")], LATER)
        ledger.commit([], (), [mark(ledger.id, through=3)], LATER)
        assert reader.pending() == []


def test_departures_of_the_third_version_have_the_bytes_of_their_text(root: Path) -> None:
    path = root / "ledger.db"
    third_version(path)
    with closing(Ledger(path, 10, 0, LATER)) as ledger, closing(LedgerReader(path)) as reader:
        ledger.commit([], departed=[Departed(wall_ns=3, topic="t", payload="{}", bytes=1)])
        assert [one.bytes for one in reader.departures(10)] == [1, 2, 12]
        assert reader.logged([1, 2, 3, 4]) == {1, 2, 3}
        assert reader.sums().departed_bytes == 15


def test_every_view_of_a_ledger_that_was_taken_over_can_be_exported(root: Path) -> None:
    path = root / "ledger.db"
    third_version(path)
    with closing(Ledger(path, 10, 0, LATER)) as ledger:
        ledger.commit([(outcome(9), False)], (), (), WALL)
        for view in VIEWS:
            export(path, view, root / f"{view}.csv")
    assert (root / "notices.csv").read_text().splitlines()[1].startswith("2023-11-14")


def test_ledger_of_the_third_version_tells_once_what_is_made(root: Path) -> None:
    path = root / "ledger.db"
    third_version(path)
    for seq in (9, 10):
        with closing(Ledger(path, 10, 0, LATER)) as ledger, closing(LedgerReader(path)) as reader:
            ledger.commit([(outcome(seq), False)], (), (), WALL)
            assert [one.id for one in reader.notices()] == [1]


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
