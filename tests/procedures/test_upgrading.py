"""An upgrade on real files and a real ledger, with the power cut before every single act of it."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.outcomes import WALL, mark, mixed, outcome

from inspector.cli.station import write_station
from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.core.paths import Paths, under
from inspector.devices.ledger import Ledger, LedgerReader, returning
from inspector.devices.ledger.epochs import take_untold
from inspector.devices.releases import Releases
from inspector.devices.totals_store import TotalsStore
from inspector.domain import upgrade as rules
from inspector.domain.egress.totals import totals_of
from inspector.domain.upgrade import Seen, Step
from inspector.procedures import upgrading
from inspector.procedures.upgrading import Upgrading

OLD, NEW = "1.0", "2.0"
UNITS = ("inspector-gate.service", "inspector-record.service")
BEFORE, MEANWHILE = 5, 3  # parts recorded by the old release, and by one on trial


class Cut(Exception):
    """The power is gone."""


class Fuse:
    """Lets so many acts pass; then the power goes."""

    def __init__(self) -> None:
        self.left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Cut

    def before(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def cut_first(*arguments: Any) -> Any:
            self.burn()
            return act(*arguments)

        return cut_first


class Bench:
    """A station whose releases are what a test wants them to be."""

    def __init__(self, root: Path, fuse: Fuse, new: str) -> None:
        self.paths: Paths = under(root)
        self.fuse, self.behaviour = fuse, new
        self.runs, self.held, self.told = True, False, list[str]()
        self.releases = Releases(root / "opt", root / "system")
        self._ran = False

    def upgrading(self) -> Upgrading:
        return Upgrading(self.releases, self.paths, self, lambda _text: None)  # type: ignore[arg-type]

    # What `Station` promises.
    def require_start(self, new: str) -> None:
        if self.behaviour == "unstartable":
            raise MaintainerError(f"release {new} is of no use here: SyntaxError")

    def require_tables(self, new: str, version: int) -> None:
        assert version > 0

    def take_settings(self, name: str) -> None:
        self.fuse.burn()
        if name == NEW and self.behaviour == "refuses":
            raise MaintainerError("station.toml:3: unknown field")

    def ready(self) -> tuple[str, ...]:
        return UNITS

    def stop(self) -> None:
        self.fuse.burn()
        self.runs = False

    def start(self) -> None:
        self.fuse.burn()
        self.runs = True
        if self.releases.named("current") == NEW and not self._ran:
            self._ran = True
            self._run_new()

    def read_units(self) -> None:
        self.fuse.burn()

    def hold_publish(self) -> None:
        self.held = True

    def let_publish(self) -> None:
        self.fuse.burn()
        self.held = False

    def seen(self) -> Seen:
        good = self.releases.named("current") == OLD or self.behaviour == "good"
        state = "active" if good and self.runs else "failed"
        return Seen(dict.fromkeys(UNITS, state), 0, "running", 1, 0)

    def tell(self, code: str, text: str, _within_s: float) -> bool:
        self.fuse.burn()
        self.told.append(f"{code}: {text}")
        return True

    def _run_new(self) -> None:
        """What the release on trial does before it is judged."""
        if self.behaviour in ("crashes", "refuses"):
            return
        record(self.paths, BEFORE, MEANWHILE)
        with closing(sqlite3.connect(self.paths.ledger)) as ledger:
            if self.behaviour == "migrates badly":
                ledger.executescript("ALTER TABLE outcome ADD COLUMN colour TEXT")
                ledger.executescript("PRAGMA user_version = 1000")
            elif self.behaviour == "damages":
                ledger.close()
                with self.paths.ledger.open("r+b") as file:
                    file.write(b"\0" * 4096)


def record(paths: Paths, first: int, count: int) -> None:
    ledger = Ledger(paths.ledger, 60, 0, 1)
    parts = [mixed(seq) for seq in range(first, first + count)]
    ledger.commit([(part, True) for part in parts])
    ledger.checkpoint()
    ledger.close()


def recorded(paths: Paths) -> list[int]:
    reader = LedgerReader(paths.ledger)
    try:
        return sorted(part.outcome.seq for part in reader.parts(1000))
    finally:
        reader.close()


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    """Burns down with every act that changes a file, and no trial takes any time."""
    made = Fuse()
    for name in ("point", "write", "end", "note", "place_units", "remove_others"):
        monkeypatch.setattr(Releases, name, made.before(getattr(Releases, name)))
    for name in ("_duplicate", "_settle", "flush", "forget", "carry_over"):
        monkeypatch.setattr(returning, name, made.before(getattr(returning, name)))
    monkeypatch.setattr(rules, "STEADY_S", 0.0)
    monkeypatch.setattr(upgrading, "LOOK_S", 0.0)
    return made


def bench(root: Path, fuse: Fuse, behaviour: str) -> Bench:
    made = Bench(root, fuse, behaviour)
    (root / "system").mkdir(parents=True)
    for name in (OLD, NEW):
        folder = made.releases.folder(name)
        (folder / "units").mkdir(parents=True)
        (folder / "units" / "inspector-gate.service").write_text(name)
        (folder / "release.json").write_text(json.dumps({"version": name}))
    for link in ("current", "proven"):
        made.releases.point(link, OLD)
    made.paths.create()
    write_station(made.paths, {"path": "parts"}, line={"deadline_ms": 400.0, "recipe": "cap"})
    record(made.paths, 0, BEFORE)
    made.paths.current.write_text('{"recipe": "cap", "lot": "A"}')
    return made


def cut_everywhere(root: Path, fuse: Fuse, behaviour: str) -> Iterator[Bench]:
    """The station after an upgrade with the power cut before its first, second... act."""
    for acts in range(200):
        station = bench(root / str(acts), fuse, behaviour)
        station.upgrading().begin(NEW)
        fuse.left = acts
        try:
            station.upgrading().go_on()
            return
        except Cut:
            fuse.left = None
        station.runs = station.held = False  # as a boot finds it
        station.upgrading().after_boot()
        station.start()
        station.upgrading().go_on()
        yield station
    raise AssertionError("an upgrade has no more acts than that")


def test_release_that_inspects_takes_over(root: Path, fuse: Fuse) -> None:
    station = bench(root, fuse, "good")
    station.upgrading().begin(NEW)
    station.upgrading().go_on()
    releases = station.releases
    links = [releases.named(link) for link in ("current", "proven", "previous")]
    assert links == [NEW, NEW, OLD]
    assert (root / "system" / "inspector-gate.service").read_text() == NEW
    assert recorded(station.paths) == list(range(BEFORE + MEANWHILE))
    assert station.runs
    assert not station.held
    assert not station.told
    assert releases.upgrade() is None
    assert not (station.paths.state / "before-upgrade").exists()


@pytest.mark.parametrize("behaviour", ["crashes", "refuses", "migrates badly", "damages"])
def test_release_that_does_not_inspect_gives_way(root: Path, fuse: Fuse, behaviour: str) -> None:
    station = bench(root, fuse, behaviour)
    station.upgrading().begin(NEW)
    station.upgrading().go_on()
    assert station.releases.named("current") == station.releases.named("proven") == OLD
    assert (root / "system" / "inspector-gate.service").read_text() == OLD
    assert station.runs
    assert not station.held
    (told,) = station.told
    assert told.startswith("upgrade_returned: release 2.0 was returned from, 1.0 inspects")
    refused = station.releases.notes().refusal(NEW)
    assert refused
    assert refused.why in told
    assert set(range(BEFORE)) <= set(recorded(station.paths))


def test_outcomes_recorded_with_other_tables_are_carried_over(root: Path, fuse: Fuse) -> None:
    """A version that migrates badly: its ledger is set aside, what it recorded is not lost."""
    station = bench(root, fuse, "migrates badly")
    station.upgrading().begin(NEW)
    station.upgrading().go_on()
    assert recorded(station.paths) == list(range(BEFORE + MEANWHILE))
    (aside,) = station.paths.state.glob("ledger-2.0-*.db")
    assert returning.version_of(aside) == 1000
    assert f"{aside}, {MEANWHILE} outcomes were carried over" in station.told[0]


def test_ledger_that_cannot_be_read_is_told_of_and_kept(root: Path, fuse: Fuse) -> None:
    station = bench(root, fuse, "damages")
    station.upgrading().begin(NEW)
    station.upgrading().go_on()
    assert recorded(station.paths) == list(range(BEFORE))
    assert "whose outcomes are in it alone" in station.told[0]
    assert list(station.paths.state.glob("ledger-2.0-*.db"))


def test_release_that_cannot_even_be_started_never_stops_the_line(root: Path, fuse: Fuse) -> None:
    station = bench(root, fuse, "unstartable")
    with pytest.raises(MaintainerError, match="is of no use here"):
        station.upgrading().begin(NEW)
    assert station.runs
    assert station.releases.upgrade() is None
    assert station.releases.named("current") == OLD


def test_two_upgrades_at_once_are_refused(root: Path, fuse: Fuse) -> None:
    station = bench(root, fuse, "good")
    station.upgrading().begin(NEW)
    with pytest.raises(MaintainerError, match=r"an upgrade to 2\.0 is under way"):
        station.upgrading().begin(NEW)


def test_what_is_made_comes_back_where_the_old_release_cannot_read_it(
    root: Path, fuse: Fuse
) -> None:
    station = bench(root, fuse, "crashes")
    before = station.paths.current.read_text()
    station.upgrading().begin(NEW)
    start = station.start

    def start_and_write() -> None:
        if station.releases.named("current") == NEW:
            station.paths.current.write_text('{"product": "of a later version"}')
        start()

    station.start = start_and_write  # type: ignore[method-assign]
    station.upgrading().go_on()
    assert station.paths.current.read_text() == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a folder to somebody")
def test_link_in_the_folder_of_record_leads_root_nowhere(root: Path, fuse: Fuse) -> None:
    """A taken record may lay one out wherever the upgrade is going to write."""
    somebody = 4711
    root.chmod(0o755)
    station = bench(root, fuse, "migrates badly")
    state = station.paths.state
    shadow = root / "shadow"
    shadow.write_text("root's own")
    for folder, _, files in os.walk(state):
        for path in (folder, *(Path(folder) / name for name in files)):
            os.chown(path, somebody, somebody)
    drafts = (state / ".current.json.copy", state / "ledger.db.returned")
    for draft in drafts:
        draft.symlink_to(shadow)
    station.upgrading().begin(NEW)
    start = station.start

    def start_and_write() -> None:
        if station.releases.named("current") == NEW:
            station.paths.current.write_text('{"product": "of a later version"}')
        start()

    station.start = start_and_write  # type: ignore[method-assign]
    station.upgrading().go_on()
    assert shadow.read_text() == "root's own"
    assert shadow.stat().st_uid == 0
    assert station.releases.named("current") == OLD
    assert recorded(station.paths) == list(range(BEFORE + MEANWHILE))
    made = {path.stat().st_uid for path in state.iterdir() if not path.is_symlink()}
    assert made == {somebody}


def test_power_cut_at_any_moment_of_a_good_upgrade(root: Path, fuse: Fuse) -> None:
    """It is gone on with: the station runs, on one release whole, with all its data."""
    for station in cut_everywhere(root, fuse, "good"):
        assert station.releases.named("current") == station.releases.named("proven") == NEW
        assert station.runs
        assert not station.held
        assert station.releases.upgrade() is None
        assert set(range(BEFORE)) <= set(recorded(station.paths))


@pytest.mark.parametrize("behaviour", ["crashes", "migrates badly"])
def test_power_cut_at_any_moment_of_a_bad_upgrade(root: Path, fuse: Fuse, behaviour: str) -> None:
    """The station runs on the previous release, and nothing recorded is missing or doubled."""
    for station in cut_everywhere(root, fuse, behaviour):
        assert station.releases.named("current") == station.releases.named("proven") == OLD
        units = station.releases.base.parent / "system" / "inspector-gate.service"
        assert units.read_text() == OLD
        assert station.runs
        assert not station.held
        assert station.releases.upgrade() is None
        assert station.releases.notes().refusal(NEW)
        assert len(station.told) >= 1
        meanwhile = range(BEFORE + MEANWHILE) if behaviour == "migrates badly" else range(BEFORE)
        assert recorded(station.paths) == list(meanwhile)


def test_no_room_for_a_copy_is_said_before_anything_changes(
    root: Path, fuse: Fuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = bench(root, fuse, "good")
    monkeypatch.setattr(returning, "SPARE_BYTES", 1 << 60)
    with pytest.raises(MaintainerError, match="make room"):
        station.upgrading().begin(NEW)
    assert station.releases.upgrade() is None


def test_steps_are_all_tried() -> None:
    """Every step there is has its place in the tests above."""
    assert [step.value for step in Step] == [
        "copying",
        "switching",
        "trial",
        "returning",
        "telling",
    ]


def test_ledger_with_a_log_is_copied_whole(root: Path) -> None:
    """record was killed: what it committed last lies in the log."""
    paths = under(root)
    paths.create()
    ledger = Ledger(paths.ledger, 60, 0, 1)
    ledger.commit([(outcome(seq), True) for seq in range(4)])
    copy = paths.state / "before-upgrade" / "ledger.db"
    returning.copy_stopped(paths.ledger, copy)
    ledger.close()
    with closing(sqlite3.connect(copy)) as made:
        assert made.execute("SELECT count(*) FROM outcome").fetchone() == (4,)
    assert not copy.with_name("ledger.db-wal").exists()


def test_rows_that_a_refused_release_has_sent_all_the_same_are_not_counted_twice(
    root: Path, fuse: Fuse
) -> None:
    """publish is held during a trial; should anything have left, a receiver is not to be misled."""
    station = bench(root, fuse, "migrates badly")
    plant, sent = TotalsStore(root / "received.db"), list[int]()

    def deliver() -> None:
        later = WALL + 3600 * SECOND
        with (
            closing(Ledger(station.paths.ledger, 60, 0, later)) as ledger,
            closing(LedgerReader(station.paths.ledger)) as reader,
        ):
            while ledger.close_windows(later, 1.0):
                pass
            while rows := reader.pending():
                plant.take([totals_of("e/s/a/l/c", row) for row in rows], WALL)
                ledger.commit([], (), [mark(rows[0].ledger, rows[0].row)], later)
                sent.append(rows[0].row)

    record(station.paths, 1000, 3)  # a window that is not counted when the copy is made
    run = station._run_new

    def run_and_deliver() -> None:
        record(station.paths, 1003, 3)
        deliver()
        record(station.paths, 100_000, 3)  # and this one is not sent
        run()

    station._run_new = run_and_deliver  # type: ignore[method-assign]
    station.upgrading().begin(NEW)
    station.upgrading().go_on()
    assert sent
    record(station.paths, 200_000, 3)
    deliver()
    streams = plant.streams()
    assert not any(one.account.clashes or one.account.contradicts for one in streams)
    late = MEANWHILE  # parts of a window whose total had left without them
    assert sum(sum(one.account.counts) for one in streams) == len(recorded(station.paths)) - late
    assert len(streams) == 2
    with closing(Ledger(station.paths.ledger, 60, 0, WALL)) as ledger:
        (gap,) = ledger.write(take_untold)
        assert f"; {late} older parts may be in no total" in gap
    assert "totals go on in a new stream" in station.told[0]
    plant.close()


def test_log_of_a_refused_ledger_is_never_taken_for_that_of_the_copy(root: Path) -> None:
    """Cut after the ledger was set aside, before its log was."""
    paths = under(root)
    paths.create()
    record(paths, 0, 5)
    copy = paths.state / "before-upgrade" / "ledger.db"
    returning.copy_stopped(paths.ledger, copy)
    with closing(Ledger(paths.ledger, 60, 0, 1)) as ledger:
        ledger.commit([(mixed(seq), True) for seq in range(5, 500)])
        log = (paths.state / "ledger.db-wal").read_bytes()
    paths.ledger.rename(paths.state / "aside.db")
    (paths.state / "ledger.db-wal").write_bytes(log)
    returning.give_back(paths.ledger, copy, paths.state / "aside.db")
    assert recorded(paths) == list(range(5))
    assert (paths.state / "aside.db-wal").read_bytes() == log
