"""A ledger restored from a backup: what it has, what is told, and that nothing is counted twice."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import rmtree

import pytest
from support.disks import fill, small_disk
from support.outcomes import STREAM, WALL, mark, mixed, outcome

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.core.messages import Departed, LaneAt
from inspector.core.terms import Kind
from inspector.devices.ledger import Ledger, LedgerReader
from inspector.devices.ledger import backup as backup_module
from inspector.devices.ledger.backup import (
    Backup,
    Wanted,
    backups,
    make_backup,
    prove,
    read_backup,
)
from inspector.devices.ledger.epochs import take_untold
from inspector.devices.ledger.restore import forget, prepare, put_in_place, set_aside
from inspector.devices.totals_store import TotalsStore
from inspector.domain.egress.totals import totals_of
from inspector.domain.receiving import Became

WINDOW_S = 10
DEVICE = "e/s/a/l/c"
LATER = WALL + 600 * SECOND


class Plant:
    """The real receiver, to which rows go as publish sends them."""

    def __init__(self, path: Path) -> None:
        self.store = TotalsStore(path)
        self.parts: Counter[tuple[str, str, str, str, str]] = Counter()

    def take_all(self, ledger: Ledger, reader: LedgerReader) -> list[Became]:
        """Whatever is to be delivered, until there is nothing left."""
        became = []
        while rows := reader.unsent():
            became += self.store.take([totals_of(DEVICE, row) for row in rows], WALL)
            marks = [mark(row.ledger, row.row) for row in rows]
            ledger.commit([], (), marks, LATER)
        return became

    @property
    def counted(self) -> int:
        """All parts of all streams."""
        return sum(sum(one.account.counts) for one in self.store.streams())


@pytest.fixture
def plant(root: Path) -> Iterator[Plant]:
    made = Plant(root / "received.db")
    yield made
    made.store.close()


def opened(path: Path, **more: Path) -> Ledger:
    return Ledger(path, WINDOW_S, 0, LATER, **more)  # type: ignore[arg-type]


def inspect(ledger: Ledger, parts: range) -> None:
    """One part a second, from WALL on."""
    made = [mixed(seq, trigger_wall_ns=WALL + seq * SECOND) for seq in parts]
    ledger.commit([(one, False) for one in made], wall_ns=WALL + parts.stop * SECOND)


def count(ledger: Ledger, seconds: int) -> int:
    """Windows that are over so long after WALL."""
    return len(ledger.close_windows(WALL + seconds * SECOND, 1.0))


def back_up(ledger: Ledger, seconds: int) -> Backup:
    wanted = Wanted(ledger.path, {}, (), "1.0")
    return make_backup(ledger.path.parent / "backups", wanted, WALL + seconds * SECOND, 7)


def restore(path: Path, backup: Backup, seconds: int) -> str:
    wall = WALL + seconds * SECOND
    prepared = prepare(path, backup, wall)
    set_aside(path, "before-restore", wall)
    assert put_in_place(path, wall)
    return prepared.gap


def test_no_part_is_counted_twice_by_a_receiver_after_a_restore(root: Path, plant: Plant) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        inspect(ledger, range(35))
        count(ledger, 37)  # three windows, and one that is open
        first = ledger.id
        backup = back_up(ledger, 35)
        plant.take_all(ledger, reader)
        inspect(ledger, range(35, 60))
        count(ledger, 62)
        plant.take_all(ledger, reader)
        assert plant.counted == 60
    gap = restore(path, backup, 100)
    assert "(25 parts) is missing" in gap
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        assert ledger.id != first
        assert ledger.write(take_untold) == [gap]
        assert ledger.write(take_untold) == []
        inspect(ledger, range(100, 125))
        count(ledger, 135)
        # What was pending in the backup keeps its identity, and goes first.
        assert [(row.ledger, row.row) for row in reader.unsent()] == [
            (first, row) for row in (1, 2, 3)
        ]
        became = plant.take_all(ledger, reader)
        assert became[:3] == [Became.DUPLICATE] * 3
        assert plant.counted == 60 + 25
        old, new = plant.store.streams()
        assert (old.stream, new.stream) == (first, ledger.id)
        assert not any(one.account.clashes or one.account.seen.gaps() for one in (old, new))
        assert not any(one.account.contradicts for one in (old, new))
        assert new.account.seen.through == 3
        assert reader.pending_count() == 0


def test_window_that_was_open_at_the_backup_is_counted_by_one_identity_alone(
    root: Path, plant: Plant
) -> None:
    """The ledger that is lost has counted it; parts that come now are in a window of their own."""
    path = root / "ledger.db"
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        inspect(ledger, range(5))
        backup = back_up(ledger, 5)
        inspect(ledger, range(5, 6))
        count(ledger, 12)
        plant.take_all(ledger, reader)
    restore(path, backup, 7)
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        late = outcome(6, trigger_wall_ns=WALL + 6 * SECOND)  # held by the gate meanwhile
        ledger.commit([(late, False)], wall_ns=WALL + 7 * SECOND)
        inspect(ledger, range(7, 9))
        count(ledger, 15)
        plant.take_all(ledger, reader)
    assert plant.counted == 9


def test_receiver_of_acknowledgements_and_marks_of_both_identities(root: Path) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(20))
        count(ledger, 25)
        first = ledger.id
        ledger.commit([], (), [mark(first, (1, 2), status="sent")], WALL, (), [lane(first, 2)])
        backup = back_up(ledger, 25)
    restore(path, backup, 40)
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        inspect(ledger, range(40, 60))
        count(ledger, 65)
        assert (reader.ledger_id(), reader.renumbered(), reader.lane("sparkplug")) == (
            first,
            True,
            2,
        )
        assert (reader.sent_through(), reader.last_row()) == (0, 2)
        ledger.commit([], (), [mark(first, (1, 2), status="sent"), mark(ledger.id, 1)], WALL)
        assert [row.row for row in reader.pending()] == [1, 2]
        ledger.commit([], (), [mark(first, through=5)], WALL)  # the receiver had more of it
        assert (reader.ledger_id(), reader.renumbered()) == (ledger.id, False)
        assert [row.row for row in reader.pending()] == [2]
        assert reader.lane("sparkplug") == 0
        ledger.commit([], (), (), WALL, (), [lane(ledger.id, 1)])
        assert (reader.lane("sparkplug"), reader.rows_after(0)[0].row) == (1, 1)


def lane(ledger: str, through: int) -> LaneAt:
    return LaneAt(ledger=ledger, lane="sparkplug", through=through)


def test_notices_go_on_under_the_new_identity_from_one(root: Path) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        inspect(ledger, range(3))
        assert [one.id for one in reader.notices()] == [1]
        first, backup = ledger.id, back_up(ledger, 3)
    restore(path, backup, 20)
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        changed = outcome(30, lot="L2", trigger_wall_ns=WALL + 30 * SECOND)
        ledger.commit([(changed, False)], wall_ns=WALL)
        assert [(one.ledger, one.id) for one in reader.notices()] == [(first, 1)]
        ledger.commit([], (), [mark(first, 1, lane="events")], WALL)
        assert [(one.ledger, one.id, one.lot) for one in reader.notices()] == [(ledger.id, 1, "L2")]


def test_second_restore_keeps_all_identities_apart(root: Path, plant: Plant) -> None:
    path = root / "ledger.db"
    seen = []
    with closing(opened(path)) as ledger:
        backup = back_up(ledger, 0)
    for begin in (0, 100, 200):
        with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
            inspect(ledger, range(begin, begin + 20))
            count(ledger, begin + 25)
            plant.take_all(ledger, reader)
            seen.append(ledger.id)
            backup = back_up(ledger, begin + 25) if begin == 100 else backup
        restore(path, backup, begin + 50)
    assert len(set(seen)) == 3
    assert plant.counted == 60
    assert [one.account.counts[0] for one in plant.store.streams()] == [
        sum(mixed(seq).kind is Kind.PASS for seq in range(begin, begin + 20))
        for begin in (0, 100, 200)
    ]


def spoil(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))


def test_damaged_ledger_is_restored_from_the_newest_good_backup(root: Path) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        for begin in (0, 20, 40):
            inspect(ledger, range(begin, begin + 20))
            last = back_up(ledger, begin + 20)
        inspect(ledger, range(60, 80))
    spoil(last.ledger)
    spoil(path)
    with closing(opened(path, backups=root / "backups")) as ledger:
        assert ledger.opened.restored == "20231114T221400Z"
        assert len(ledger.opened.problems) == 1
        assert ledger.committed == 40
        assert ledger.set_aside is not None
        assert ledger.commit([(mixed(90), False)]) != []
        (gap,) = ledger.write(take_untold)
        assert "from 2023-11-14 22:13:59 UTC to 2023-11-14 22:23:20 UTC" in gap


def test_damaged_ledger_without_a_good_backup_begins_anew(root: Path) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(20))
        spoil(back_up(ledger, 20).ledger)
    spoil(path)
    with closing(opened(path, backups=root / "backups")) as ledger:
        assert (ledger.opened.restored, ledger.committed) == ("", 0)
        assert ledger.set_aside is not None


@pytest.mark.parametrize("cut", ["before the copy is ready", "before it is in place"])
def test_power_cut_in_the_middle_of_a_restore_leaves_one_ledger_or_the_other(
    root: Path, cut: str
) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(20))
        backup = back_up(ledger, 20)
        inspect(ledger, range(20, 30))
    if cut == "before the copy is ready":
        (root / "ledger.db.restoring").write_bytes(backup.ledger.read_bytes()[:5000])
        expected = 30
    else:
        prepare(path, backup, LATER)
        set_aside(path, "before-restore", LATER)
        expected = 20
    with closing(opened(path)) as ledger:
        assert ledger.committed == expected
        assert len(ledger.commit([(mixed(50), False)])) == 1


def test_restored_ledger_belongs_to_whoever_owns_its_folder(root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a file to another user needs root")
    path = root / "state" / "ledger.db"
    path.parent.mkdir()
    with closing(opened(path)) as ledger:
        inspect(ledger, range(5))
        backup = back_up(ledger, 5)
    os.chown(path.parent, 12345, 12346)
    restore(path, backup, 30)
    found = path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (12345, 12346, 0o640)


def test_same_part_from_before_the_backup_is_not_recorded_again(root: Path) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(10))
        backup = back_up(ledger, 10)
        inspect(ledger, range(10, 20))
    restore(path, backup, 30)
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        inspect(ledger, range(5, 15))
        assert ledger.committed == 15
        assert reader.part(STREAM, 12) is not None


def test_clock_years_ahead_at_a_restore_does_not_hold_up_the_totals_that_follow(root: Path) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(20))
        count(ledger, 25)
        backup = back_up(ledger, 20)
    restore(path, backup, 9 * 365 * 86_400)
    with closing(opened(path)) as ledger:
        inspect(ledger, range(100, 122))
        rows = ledger.close_windows(WALL + 125 * SECOND, 1.0)
        assert [row.start_s - WALL // SECOND for row in rows] == [100, 110]


def test_parts_not_counted_yet_are_counted_where_the_lost_ledger_cannot_have_sent_them(
    root: Path, plant: Plant
) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(5))
        backup = back_up(ledger, 5)
        inspect(ledger, range(5, 8))
        count(ledger, 20)  # and nothing has left
    gap = restore(path, backup, 30)
    assert "in no total" not in gap
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        inspect(ledger, range(40, 45))
        count(ledger, 60)
        plant.take_all(ledger, reader)
        assert plant.counted == ledger.committed == 10
        (found,) = plant.store.streams()
        assert found.stream == ledger.id


@pytest.mark.parametrize("left", ["delivered", "under way", "by sparkplug"])
def test_parts_that_may_have_left_in_a_lost_row_are_not_counted_again(
    root: Path, plant: Plant, left: str
) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        inspect(ledger, range(5))
        backup = back_up(ledger, 5)
        count(ledger, 20)
        first = ledger.id
        if left == "delivered":
            plant.take_all(ledger, reader)
        elif left == "under way":
            text = f'{{"stream": "{first}", "seq": 1}}'
            word = Departed(wall_ns=WALL + 20 * SECOND, topic="a/totals", payload=text, bytes=9)
            ledger.commit([], (), (), WALL, [word])
        else:
            ledger.commit([], (), (), WALL, (), [lane(first, 1)])
    for seconds in (30, 40):  # a second restore of the same backup knows it no less
        gap = restore(path, backup, seconds)
        assert "in no total" not in gap
        with closing(opened(path)) as ledger:
            assert count(ledger, 60) == 0


def test_parts_not_counted_yet_are_told_of_where_the_lost_ledger_is_damaged(root: Path) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(5))
        back_up(ledger, 5)
        inspect(ledger, range(5, 400))
    spoil(path)
    with closing(opened(path, backups=root / "backups")) as ledger:
        (gap,) = ledger.write(take_untold)
        assert "; 5 older parts may be in no total" in gap
        assert count(ledger, 10_000) == 0


def test_restore_of_a_ledger_that_is_gone_tells_of_parts_not_counted_yet(root: Path) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(15))
        count(ledger, 12)
        backup = back_up(ledger, 15)
    for file in root.glob("ledger.db*"):
        file.unlink()
    assert "; 5 older parts may be in no total" in prepare(path, backup, LATER).gap


def test_log_that_a_power_cut_has_left_behind_is_never_deleted(root: Path) -> None:
    """Cut between the two renames that set the ledger aside: its log has the last commits."""
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(20))
        backup = back_up(ledger, 20)
        inspect(ledger, range(20, 30))
        log = (root / "ledger.db-wal").read_bytes()
    prepare(path, backup, LATER)
    path.rename(root / "ledger.db.before-restore-20231114T000000Z")
    (root / "ledger.db-wal").write_bytes(log)
    with closing(opened(path)) as ledger:
        assert ledger.committed == 20
    assert log in [one.read_bytes() for one in root.glob("ledger.db.*-wal")]


def test_restore_that_was_broken_off_does_not_come_back_much_later(root: Path) -> None:
    path = root / "ledger.db"
    with closing(opened(path)) as ledger:
        inspect(ledger, range(20))
        prepare(path, back_up(ledger, 20), LATER)
    with closing(opened(path)) as ledger:
        inspect(ledger, range(20, 30))
    path.rename(root / "taken-away.db")
    with closing(opened(path)) as ledger:
        assert ledger.committed == 0


def test_disk_that_is_full_at_any_step_of_backup_or_restore_leaves_all_whole(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "SPARE_BYTES", -(1 << 40))
    disk, failed, done = root / "disk", set[str](), set[str]()
    disk.mkdir()
    with small_disk(disk, "8m"):
        path = disk / "ledger.db"
        with closing(opened(path)) as ledger:
            inspect(ledger, range(500))
            good = back_up(ledger, 500)
            inspect(ledger, range(500, 510))
        for leave in range(0, 1200 << 10, 32 << 10):
            filler = fill(disk, leave)
            for what in ("backup", "restore"):
                try:
                    if what == "restore":
                        prepare(path, good, LATER)
                    else:
                        make_backup(disk / "backups", Wanted(path, {}, (), "1"), LATER, 7)
                    done.add(what)
                except MaintainerError:
                    failed.add(what)
                    assert [one.name for one in disk.glob("ledger.db*")] == ["ledger.db"]
                    assert not list((disk / "backups").glob("*.part"))
                for one in backups(disk / "backups", LATER):
                    prove(read_backup(one))
                    if one != good.folder:
                        rmtree(one)
                forget(path)
            filler.unlink()
        assert failed == done == {"backup", "restore"}
        with closing(opened(path)) as ledger:
            assert ledger.committed == 510


def test_ledger_of_another_origin_says_nothing_of_what_was_sent(root: Path, plant: Plant) -> None:
    """The ledger was damaged and a new one begun; then a backup of the first was found."""
    path = root / "ledger.db"
    with closing(opened(path)) as ledger, closing(LedgerReader(path)) as reader:
        inspect(ledger, range(5))
        backup = back_up(ledger, 5)
        count(ledger, 20)
        plant.take_all(ledger, reader)
    set_aside(path, "corrupt", LATER)
    with closing(opened(path)) as ledger:
        inspect(ledger, range(5, 8))  # in the same window
    assert "; 5 older parts may be in no total" in restore(path, backup, 30)
    with closing(opened(path)) as ledger:
        assert count(ledger, 60) == 0
