"""The box around the station, as the handbook sets it up: a root that nobody can write, a journal
that never takes the disk, a watchdog, and what the timers start."""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.machine import Machine, boot, installed_root, needs_machine, station_files
from support.machine.line import StationLine

from inspector.core.paths import INSTALLED

pytestmark = [needs_machine(), pytest.mark.line]

# What the handbook says has to be writable; all else is not.
WRITABLE = ("/var/lib/inspector", "/var/cache/inspector", "/var/lib/systemd", "/var/log")
READ_ONLY = ("--read-only", "--tmpfs=/var/tmp")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="inspector-box-") as disk:
        binds = {place: Path(disk) / place.replace("/", "_") for place in WRITABLE}
        for folder in binds.values():
            folder.mkdir(mode=0o755)
        root = installed_root()
        points = {f"{place}/.mount": "" for place in (*WRITABLE, *root.read_only)}
        files = {**station_files(takt_ms=200.0), **points}
        with boot(root, files=files, binds=binds, options=READ_ONLY) as one:
            yield one


def test_station_inspects_on_a_root_that_nobody_can_write(machine: Machine) -> None:
    for place in ("/etc", "/opt/inspector", "/usr/bin", "/var/lib"):
        refused = machine.run("touch", f"{place}/written", check=False)
        assert "Read-only file system" in refused.stderr
    StationLine(machine).inspected_after(0)
    failed = machine.systemctl("list-units", "--failed", "--no-legend", "inspector*").stdout
    assert not failed


def test_backup_of_the_timer_is_made_beside_the_line(machine: Machine) -> None:
    StationLine(machine).inspected_after(0)
    machine.systemctl("start", "inspector-backup.service")
    (made,) = machine.path("/var/lib/inspector/backups").iterdir()
    assert (made / "ledger.db").stat().st_size
    assert (made / "manifest.json").is_file()


def test_selftest_of_the_timer_passes_beside_the_line_and_is_recorded(machine: Machine) -> None:
    StationLine(machine).inspected_after(0)
    done = machine.systemctl("start", "inspector-selftest.service", check=False)
    said = machine.journal("-u", "inspector-selftest.service")
    assert not done.returncode, [entry["MESSAGE"] for entry in said]
    until(lambda: "selftest_passed" in events(machine))


def test_backup_is_made_while_the_station_is_stopped_too(machine: Machine) -> None:
    before = len(list(machine.path("/var/lib/inspector/backups").iterdir()))
    machine.systemctl("stop", "inspector.target", "inspector-*.service")
    try:
        machine.systemctl("start", "inspector-backup.service")
    finally:
        machine.systemctl("start", "inspector.target")
    assert len(list(machine.path("/var/lib/inspector/backups").iterdir())) == before + 1


def test_both_timers_wait_for_their_time_of_day(machine: Machine) -> None:
    for name in ("backup", "selftest"):
        found = machine.show(f"inspector-{name}.timer", "ActiveState", "NextElapseUSecRealtime")
        assert found["ActiveState"] == "active"
        assert found["NextElapseUSecRealtime"]


def test_journal_keeps_to_its_share_of_the_disk(machine: Machine) -> None:
    said = machine.journal("-u", "systemd-journald", "--grep", "System Journal")
    assert "max 500.0M" in said[-1]["MESSAGE"]


def test_manager_feeds_the_boxs_own_watchdog(machine: Machine) -> None:
    """Where there is one; a container has none."""
    said = machine.systemctl("show", "--property=RuntimeWatchdogUSec,RebootWatchdogUSec").stdout
    assert said.split() == ["RuntimeWatchdogUSec=30s", "RebootWatchdogUSec=2min"]


def until(done: Callable[[], bool], timeout: float = 30) -> None:
    end = time.monotonic() + timeout
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


def events(machine: Machine) -> list[str]:
    """The codes of all events in the ledger."""

    def read() -> list[str]:
        with closing(sqlite3.connect(f"file:{INSTALLED.ledger}?mode=ro", uri=True)) as database:
            return [code for (code,) in database.execute("SELECT code FROM event")]

    return machine.inside(read)
