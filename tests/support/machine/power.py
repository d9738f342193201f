"""The plug pulled, at a random moment, from a station whose disk is a real ext4.

Promises: at the cut the file system stops at once, and what was not on the disk by then is gone,
as without power (EXT4_IOC_SHUTDOWN without flushing its log); all processes go with it; the next
boot is from what the disk then holds, its journal replayed by the kernel.
Never: lets the disk reorder what it was told to write; an SSD that lies about a flush is not here.

Run as a program it does so as often as it is told (in tests/):

    python -m support.machine.power [COUNT] [SEED]
"""

import fcntl
import itertools
import os
import random
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inspector.core.paths import INSTALLED
from inspector.devices.bundles import Store
from inspector.devices.ledger import RecordedPart
from support.machine import Machine, boot, installed_root, station_files
from support.machine.line import StationLine
from support.machine.roots import KEPT
from support.machine.station import SHARE

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN of linux/ext4.h
WITHOUT_FLUSHING = struct.pack("I", 2)  # EXT4_GOING_FLAGS_NOLOGFLUSH
TAKT_MS = 50.0
_numbers = itertools.count()

# Models come in again and again, as from the workshop: a whole version or none may be left.
INSTALLS = f"""
from inspector.core.paths import INSTALLED
from inspector.devices.bundles import Store
from pathlib import Path
store = Store(INSTALLED.models)
while True:
    made = store.install(Path("{SHARE}/models/plate"))
    store.remove("plate", made.manifest.version)
"""
# The model that decides lies in the store, too.
FIRST = f"""
from inspector.core.paths import INSTALLED
from inspector.devices.bundles import Store
from pathlib import Path
store = Store(INSTALLED.models)
store.use("cap", store.install(Path("{SHARE}/models/cap")).manifest.version)
"""
PYTHON = "/opt/inspector/current/venv/bin/python"


@contextmanager
def disk() -> Iterator[Path]:
    """An ext4 in a file, which is gone afterwards."""
    image = KEPT / f"disk{os.getpid()}-{next(_numbers)}"
    image.parent.mkdir(parents=True, exist_ok=True)
    try:
        with image.open("wb") as file:
            file.truncate(2 << 30)
        _run("mkfs.ext4", "-q", "-F", str(image))
        yield image
    finally:
        image.unlink()


def cut(machine: Machine, image: Path) -> None:
    """No power from now on: the machine is gone, its disk is as it is found at the next boot."""
    handle = os.open(machine.disk, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, SHUTDOWN, WITHOUT_FLUSHING)
    finally:
        os.close(handle)
    machine.cut_power()
    until = time.monotonic() + 30
    while _run("losetup", "-j", str(image)):
        assert time.monotonic() < until, f"{image} is still held"
        time.sleep(0.01)


class CutStation:
    """A station that loses its power again and again."""

    def __init__(self, disk: Path, chance: random.Random) -> None:
        """`disk`: a file with an empty file system."""
        self._disk, self._chance = disk, chance
        self._root = installed_root()
        self._seen: list[RecordedPart] = []  # committed, as a reader saw before the cut
        self.cuts = 0
        files = station_files(takt_ms=TAKT_MS, record={"window_s": 1})
        with boot(self._root, files=_from_store(files), disk=disk) as machine:
            machine.run(PYTHON, "-c", FIRST, user="inspector-workshop")
            machine.run("sync")

    def live_and_die(self, longest_s: float = 6.0) -> float:
        """Boot, see that nothing is missing and that it inspects, and pull the plug at a moment
        drawn at random, at most so many seconds after power came. Returns the seconds until it
        inspected; 0 when it did not get so far."""
        until = time.monotonic() + self._chance.uniform(0.3, longest_s)
        early = self._chance.random() < 0.3  # a plug pulled twice, before it ever inspects
        with boot(self._root, disk=self._disk, wait=False) as machine:
            line, took = StationLine(machine), 0.0
            _assert_models_whole(machine)
            self._load(machine)
            if not early:
                took = self._inspects(line)
                until = max(until, time.monotonic() + self._chance.uniform(0.0, 2.0))
            time.sleep(max(0.0, until - time.monotonic()))
            self._seen = line.parts() or self._seen
            cut(machine, self._disk)
        self.cuts += 1
        return took

    def last_look(self) -> list[RecordedPart]:
        """Boot once more, and stop in good order. Returns all parts."""
        with boot(self._root, disk=self._disk) as machine:
            line = StationLine(machine)
            self._inspects(line)
            line.stop()
            return line.parts()

    def _load(self, machine: Machine) -> None:
        """What writes besides the line: models that come in, and at times one compiled anew."""
        if self._chance.random() < 0.5:
            machine.run("sh", "-c", "rm -rf /var/cache/inspector/*")
        command = ["systemd-run", "-q", "--uid=inspector-workshop", "--gid=inspector-workshop"]
        machine.run(*command, "-p", "UMask=0027", PYTHON, "-c", INSTALLS, check=False)

    def _inspects(self, line: StationLine) -> float:
        began = line.machine.started
        line.inspected_after(time.time_ns() - int((time.monotonic() - began) * 1e9))
        took = time.monotonic() - began
        found = line.parts()
        assert found[: len(self._seen)] == self._seen, "committed parts are missing or changed"
        _assert_gapless(found)
        return took


def _assert_models_whole(machine: Machine) -> None:
    """Every version that is there can be loaded; what was not finished is not there."""
    listed = machine.inside(lambda: Store(INSTALLED.models).listed())
    assert any(one.name == "cap" and one.current for one in listed), listed
    assert not [one for one in listed if one.problem], listed


def _assert_gapless(parts: list[RecordedPart]) -> None:
    """Of each run of the camera all parts up to the last one committed are there, once."""
    seqs: dict[str, list[int]] = {}
    for part in parts:
        seqs.setdefault(part.outcome.stream, []).append(part.outcome.seq)
    for stream, found in seqs.items():
        assert sorted(found) == list(range(len(found))), stream


def _from_store(files: dict[str, str | Path]) -> dict[str, str | Path]:
    """The recipe with the model of that name in the store."""
    path = "/etc/inspector/recipes/cap.toml"
    text = str(files[path]).replace(f"{SHARE}/models/cap", "cap")
    return {**files, path: text}


def _run(*command: str) -> str:
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def main(count: int, seed: int) -> None:
    with disk() as one:
        station = CutStation(one, random.Random(seed))
        took = []
        for number in range(count):
            took.append(station.live_and_die())
            print(f"cut {number + 1}: inspected after {took[-1]:.1f} s", flush=True)
        parts = station.last_look()
    inspected = sorted(one for one in took if one)
    middle = inspected[len(inspected) // 2]
    print(
        f"{station.cuts} power cuts (seed {seed}), {len(parts)} parts recorded, none missing; "
        f"inspects {middle:.1f} s after power (p50), {inspected[-1]:.1f} s at the most"
    )


if __name__ == "__main__":
    main(*(int(word) for word in (*sys.argv[1:], *("50", "1")[len(sys.argv) - 1 :])))
