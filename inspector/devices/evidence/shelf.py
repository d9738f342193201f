"""The files of the evidence folder, one folder a day, and the room they take.

Promises: a file is there whole or not at all; the oldest passes go first, then the oldest of all
else.
Never: syncs a file: an image may be lost with the power.
"""

import contextlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from inspector.domain.keeping import excess, is_pass, next_to_go

PART = ".part"
DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass
class Held:
    """Bytes of one day."""

    passes: int = 0
    others: int = 0

    def add(self, passes: bool, size: int) -> None:
        if passes:
            self.passes += size
        else:
            self.others += size

    def clear(self, passes: bool) -> None:
        self.add(passes, -(self.passes if passes else self.others))


class Shelf:
    """The files of the evidence folder and the room they take: one folder a day.

    The folder is read once, at the start; from then on only bytes per day are kept in memory, and
    a day's folder is read when it is its turn to be thinned out.
    """

    def __init__(self, folder: Path, quota: int, keep_free: int) -> None:
        self._folder = folder
        self._quota = quota
        self._keep_free = keep_free
        self._days: dict[str, Held] = {}
        for day in (entry for entry in folder.iterdir() if DAY.fullmatch(entry.name)):
            self._scan(day)

    @property
    def used(self) -> int:
        """Bytes of all images."""
        return sum(held.passes + held.others for held in self._days.values())

    def make_room(self, size: int) -> bool:
        """Delete until `size` more bytes fit. False when the disk stays short of free room."""
        need = excess(self.used + size, self._free() - size, self._quota, self._keep_free)
        while need > 0:
            turn = next_to_go((day, h.passes, h.others) for day, h in self._days.items())
            if turn is None:
                return self._free() - size >= self._keep_free
            need -= self._thin(*turn, need)
        return True

    def put(self, name: str, data: bytes) -> None:
        """Write one file whole. Raises OSError, and then leaves nothing behind."""
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_name(path.name + PART)
        try:
            fresh.write_bytes(data)
            replaced = path.stat().st_size if path.exists() else 0
            fresh.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise
        self._add(path.parent.name, path.name, len(data) - replaced)

    def _free(self) -> int:
        return shutil.disk_usage(self._folder).free

    def _add(self, day: str, name: str, size: int) -> None:
        self._days.setdefault(day, Held()).add(is_pass(name), size)

    def _scan(self, day: Path) -> None:
        """Count a day's files; what a kill or a power cut left unfinished is removed."""
        for entry in os.scandir(day):
            size = entry.stat().st_size
            if entry.name.endswith(PART) or not size:
                Path(entry.path).unlink()
            else:
                self._add(day.name, entry.name, size)

    def _thin(self, day: str, passes: bool, need: int) -> int:
        """Delete the oldest passes, or the oldest of all else, of a day. Returns bytes freed."""
        freed = 0
        for size, path in self._oldest_first(day, passes):
            if freed >= need:
                break
            path.unlink(missing_ok=True)
            freed += size
        else:
            # All are gone; what somebody else deleted is no longer counted either.
            self._days[day].clear(passes)
            self._drop_if_empty(day)
            return freed
        self._days[day].add(passes, -freed)
        return freed

    def _oldest_first(self, day: str, passes: bool) -> list[tuple[int, Path]]:
        folder = self._folder / day
        if not folder.exists():
            return []
        entries = [entry for entry in os.scandir(folder) if is_pass(entry.name) == passes]
        found = sorted((entry.stat().st_mtime_ns, entry.name, entry.stat()) for entry in entries)
        return [(stat.st_size, folder / name) for _, name, stat in found]

    def _drop_if_empty(self, day: str) -> None:
        if self._days[day] == Held():
            del self._days[day]
            with contextlib.suppress(OSError):
                (self._folder / day).rmdir()
