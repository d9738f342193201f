"""Backups while the line runs: on a thread of its own, with a connection that cannot write.

Promises: one at a time; how it ended is told, and that it failed stands until one succeeds.
Never: holds up the loop, or copies a secret.
"""

import queue
import re
import threading
import time
from pathlib import Path

from inspector import __version__
from inspector.core.clock import Clock
from inspector.core.config import StationConfig
from inspector.core.errors import InspectorError, OperatorError
from inspector.core.paths import Paths
from inspector.core.terms import Severity
from inspector.devices.ledger.backup import Backup, Wanted, make_backup, name_of
from inspector.services.record.events import Events

VERSION = re.compile(r"[0-9a-f]{12}")
MB = 1 << 20


def backups_folder(config: StationConfig, paths: Paths) -> Path:
    """Where they are kept."""
    named = config.backup.folder
    return paths.config / named if named else paths.backups  # an absolute one stands for itself


def wanted(paths: Paths) -> Wanted:
    """What goes into a backup of this station."""
    files = {
        "config/station.toml": paths.station_file,
        "config/people.toml": paths.people,
        "config/recipes": paths.recipes,
        "state/recipes": paths.taught_recipes,
        "state/current.json": paths.current,
    }
    models = (path for path in paths.models.glob("*/*") if VERSION.fullmatch(path.name))
    names = sorted(f"{path.parent.name}@{path.name}" for path in models)
    return Wanted(paths.ledger, files, tuple(names), __version__)


class Backups:
    """Of one run of record."""

    def __init__(self, config: StationConfig, paths: Paths, events: Events, clock: Clock) -> None:
        self.folder = backups_folder(config, paths)
        self._paths, self._keep = paths, config.backup.keep
        self._events, self._clock = events, clock
        self._thread: threading.Thread | None = None
        self._done: queue.SimpleQueue[Backup | str] = queue.SimpleQueue()
        self._began = 0.0

    def check(self) -> None:
        """Raises OperatorError while one is being made."""
        if self._thread and self._thread.is_alive():
            raise OperatorError("a backup is being made; wait for it")

    def begin(self) -> str:
        """Begin one, and say where it will lie."""
        self.check()
        wall, self._began = self._clock.wall_ns(), time.monotonic()
        self._thread = threading.Thread(target=self._make, args=(wall,), name="backup", daemon=True)
        self._thread.start()
        return f"backup {self.folder / name_of(wall)}: begun"

    def turn(self) -> None:
        """Tell what has ended."""
        while not self._done.empty():
            done = self._done.get_nowait()
            if isinstance(done, str):
                self._events.tell(Severity.WARNING, "backup_failed", done)
                continue
            took = time.monotonic() - self._began
            text = f"backup {done.folder}: {done.bytes / MB:.1f} MB in {took:.1f} s"
            self._events.tell(Severity.INFO, "backup_made", text)

    def close(self) -> None:
        """A backup that is under way is let go; what is there of it goes with the next."""
        self._thread = None

    def _make(self, wall_ns: int) -> None:
        try:
            self._done.put(make_backup(self.folder, wanted(self._paths), wall_ns, self._keep))
        except InspectorError as error:
            self._done.put(str(error))
