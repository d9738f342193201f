"""Disks that fail, are read-only or gone under record: the line's parts wait or go on, somebody is
called, and it mends itself.

Alarms are promised within 2 s; `until` and `live` wait longer, for a box that is busy.
"""

import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.commands import INSPECTOR
from support.disks import failing, remount, small_disk
from support.outcomes import STREAM, mixed, outcome
from support.recording import Station, live, prepare, recorded, running, until

from inspector.core.live import Alarm
from inspector.core.orders import Pause
from inspector.core.paths import Paths
from inspector.core.terms import FrameFormat, Kind, Pixel
from inspector.devices.ring import RingWriter

pytestmark = pytest.mark.line
FORMAT = FrameFormat(width=64, height=48, pixel=Pixel.MONO8)


def standing(station: Station) -> dict[str, Alarm]:
    """The alarms that are active, by code."""
    return {alarm.code: alarm for alarm in live(station).alarms if alarm.active}


def raised(station: Station, code: str) -> Alarm:
    return until(lambda: standing(station).get(code))  # type: ignore[no-any-return]


def ended(station: Station, code: str) -> None:
    until(lambda: code not in standing(station))


def all_are_recorded(station: Station, parts: int) -> None:
    station.gate.settle()
    assert recorded(station) == Counter((STREAM, seq) for seq in range(parts))


def test_record_starts_with_a_read_only_state_folder_and_goes_on_once_it_is_writable(
    root: Path,
) -> None:
    paths = prepare(root)
    with small_disk(paths.state, "32m"):
        prepare(root)
        with running(paths) as station:
            station.settle(*map(mixed, range(10)))
            assert station.stop()[0] == 0
            remount(paths.state, "ro")
            station.start()
            alarm = raised(station, "ledger_stalled")
            assert "cannot be written" in alarm.text
            station.gate.add(*map(mixed, range(10, 50)))
            for _ in range(100):
                station.gate.step()
            assert len(station.gate.pending) == 40
            reply = station.order(Pause())
            assert not reply.ok
            assert "cannot be written" in reply.text
            assert live(station).mode == "inspect"
            remount(paths.state, "rw")
            all_are_recorded(station, 50)
            ended(station, "ledger_stalled")
            assert station.order(Pause()).ok
            assert station.stop()[0] == 0


@pytest.mark.parametrize(
    ("calls", "error"),
    [("fdatasync,fsync", "EIO"), ("pwrite64", "EROFS")],
    ids=["does not sync", "becomes read-only"],
)
def test_disk_that_fails_acknowledges_nothing_and_loses_nothing(
    root: Path, calls: str, error: str
) -> None:
    with running(prepare(root)) as station:
        station.settle(*map(mixed, range(10)))
        assert station.process
        with failing(station.process.pid, calls, error):
            raised(station, "ledger_stalled")
            station.gate.add(*map(mixed, range(10, 40)))
            for _ in range(50):
                station.gate.step()
            assert station.gate.pending
        all_are_recorded(station, 40)
        ended(station, "ledger_stalled")


class Camera:
    """A ring with frames, and outcomes that have them."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._ring = RingWriter(station.paths.ring("cam0"), FORMAT, 4, STREAM)
        self._seq = 0

    def part(self) -> None:
        with self._ring.write() as (pixels, ref):
            pixels[:] = np.uint8(self._seq % 255)
        self._station.settle(outcome(self._seq, Kind.FAIL, frame=ref))
        self._seq += 1

    def parts_until(self, condition: Callable[[], object]) -> None:
        """One part after another."""
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end, "did not happen within 30 s"
            self.part()
            time.sleep(0.05)


def images(paths: Paths) -> int:
    return len(list(paths.evidence.rglob("*.jpg")))


def test_evidence_disk_that_is_gone_is_told_of_and_taken_up_again(root: Path) -> None:
    paths = prepare(root)
    paths.evidence.mkdir(parents=True, exist_ok=True)
    with running(paths) as station:
        with small_disk(paths.evidence, "8m"):
            until(lambda: station.paths.ledger.exists())
            camera = Camera(station)
            camera.parts_until(lambda: images(paths) and paths.evidence_note.exists())
        assert "is not mounted" in raised(station, "evidence_gone").text
        for _ in range(20):
            camera.part()
        assert images(paths) == 0  # not into the folder that is left on the ledger's disk
        with small_disk(paths.evidence, "8m"):
            ended(station, "evidence_gone")
            camera.parts_until(lambda: images(paths))
            remount(paths.evidence, "ro")
            raised(station, "evidence_gone")
            remount(paths.evidence, "rw")
            ended(station, "evidence_gone")
            assert station.stop()[0] == 0


def test_record_starts_without_its_evidence_disk(root: Path) -> None:
    paths = prepare(root)
    paths.evidence_note.write_text("of its own\n")
    with running(paths) as station:
        station.settle(*map(mixed, range(10)))
        raised(station, "evidence_gone")
        assert len(recorded(station)) == 10
        paths.evidence_note.unlink()  # the maintainer's word that it may lie here
        ended(station, "evidence_gone")


def test_ten_minutes_in_figures_grow_by_a_sample_a_second(root: Path) -> None:
    with running(prepare(root)) as station:
        station.settle(*map(mixed, range(10)))
        samples = until(lambda: len(found := station.reader.metrics()) > 3 and found)
        last = samples[-1]
        assert last.committed == 10
        assert [one.wall_ns for one in samples] == sorted(one.wall_ns for one in samples)
        (own,) = [one for one in last.services if one.service == "record"]
        assert own.pid == station.process.pid  # type: ignore[union-attr]
        assert own.rss_mb
        assert own.rss_mb > 10
        assert own.cpu_percent is not None
        assert station.reader.metrics(last.wall_ns)[0] == last


def command(paths: Paths, *words: str) -> subprocess.CompletedProcess[str]:
    root = str(paths.config.parent)
    return subprocess.run(
        [*INSPECTOR, *words, "--root", root], capture_output=True, text=True, check=False
    )


def test_backup_of_the_running_station_is_restored_with_the_gap_told(root: Path) -> None:
    paths = prepare(root)
    with running(paths) as station:
        station.settle(*map(mixed, range(100)))
        done = command(paths, "backup")
        assert done.returncode == 0, done.stderr
        assert "100 parts" in done.stdout
        station.settle(*map(mixed, range(100, 150)))
        (name,) = [path.name for path in paths.backups.iterdir()]
        refused = command(paths, "restore", name)
        assert refused.returncode == 78
        assert "stop the station first" in refused.stderr
        station.stop()
        done = command(paths, "restore", name)
        assert done.returncode == 0, done.stderr
        assert "(50 parts) is missing" in " ".join(done.stdout.split())
        station.start()
        alarm = until(
            lambda: {one.code: one for one in live(station).alarms}.get("ledger_restored")
        )
        assert "(50 parts) is missing" in alarm.text
        station.settle(*map(mixed, range(150, 160)))
        assert live(station).committed == 110
        assert station.stop()[0] == 0
        done = command(paths, "backup")  # by the command itself
        assert done.returncode == 0, done.stderr
        assert len(list(paths.backups.iterdir())) == 2


def test_damaged_ledger_of_the_station_is_restored_at_its_start(root: Path) -> None:
    paths = prepare(root)
    with running(paths) as station:
        station.settle(*map(mixed, range(300)))
        assert command(paths, "backup").returncode == 0
        station.settle(*map(mixed, range(300, 330)))
        station.stop()
        with paths.ledger.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (paths.ledger.stat().st_size - 4096))
        station.start()
        codes = until(
            lambda: (
                {"ledger_set_aside", "ledger_restored"}
                <= (found := {one.code for one in live(station).alarms})
                and found
            )
        )
        assert "ledger_stalled" not in codes
        station.settle(*map(mixed, range(330, 340)))
        assert live(station).committed == 310
