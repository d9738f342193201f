"""The releases of the program on an installed station, and which of them runs.

Promises: a release is a folder that never changes; `current` is the one that runs, `proven` the
last one that has inspected here, `previous` the one before. A link changes in one step and is on
the disk when the call returns; the units that systemd reads are those of `current`.
Never: decides which release is to run.
"""

import filecmp
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from inspector.core.bundle_folder import flush
from inspector.core.errors import MaintainerError
from inspector.domain.upgrade import Notes, Upgrade

BASE = Path("/opt/inspector")
UNITS = Path("/usr/lib/systemd/system")
OURS = "inspector*"
BY_PROVEN = "inspector-upgrade"  # units that look after an upgrade are never the new release's

T = TypeVar("T")


class Releases:
    """What lies below /opt/inspector."""

    def __init__(self, base: Path = BASE, units: Path = UNITS) -> None:
        self.base, self._units = base, units

    def folder(self, name: str) -> Path:
        return self.base / "releases" / name

    def python(self, name: str) -> Path:
        return self.folder(name) / "venv" / "bin" / "python"

    def version(self, name: str) -> str:
        """What the release says of itself. Raises MaintainerError."""
        path = self.folder(name) / "release.json"
        try:
            return str(json.loads(path.read_bytes())["version"])
        except (OSError, ValueError, KeyError, TypeError):
            raise MaintainerError(f"{path}: is no release; install the package again") from None

    def named(self, link: str) -> str | None:
        """The release that `current`, `proven` or `previous` names, where it is there."""
        try:
            name = (self.base / link).readlink().name
        except OSError:
            return None
        return name if self.folder(name).is_dir() else None

    def point(self, link: str, name: str) -> None:
        """Let a link name a release, in one step."""
        self.version(name)
        fresh = self.base / f".{link}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("releases") / name)
        fresh.replace(self.base / link)
        flush(self.base)

    def remove_others(self) -> None:
        """Remove releases that no link names."""
        kept = {self.named(link) for link in ("current", "proven", "previous")}
        for folder in (self.base / "releases").iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def place_units(self) -> None:
        """Let systemd read the units of `current`, and no others of ours."""
        wanted = dict(self._wanted())
        for path in sorted(self._units.glob(OURS)):
            for file in [path] if path.is_file() else sorted(path.iterdir()):
                if str(file.relative_to(self._units)) not in wanted:
                    file.unlink()
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        for name, source in wanted.items():
            _place(source, self._units / name)

    def _wanted(self) -> Iterator[tuple[str, Path]]:
        """Each file by its name below systemd's folder."""
        for link, proven in (("current", False), ("proven", True)):
            folder = self.base / link / "units"
            for path in sorted(folder.rglob("*")):
                name = str(path.relative_to(folder))
                if path.is_file() and name.startswith(BY_PROVEN) == proven:
                    yield name, path

    @property
    def _journal(self) -> Path:
        return self.base / "upgrade.json"

    @property
    def _notes(self) -> Path:
        return self.base / "notes.json"

    def upgrade(self) -> Upgrade | None:
        """The upgrade under way. Raises MaintainerError."""
        return _read(self._journal, Upgrade)

    def write(self, upgrade: Upgrade) -> None:
        """Write down how far the upgrade is, on the disk when this returns."""
        _write(self._journal, upgrade)

    def end(self) -> None:
        """No upgrade is under way any more."""
        self._journal.unlink(missing_ok=True)
        flush(self.base)

    def notes(self) -> Notes:
        """Raises MaintainerError."""
        return _read(self._notes, Notes) or Notes()

    def note(self, notes: Notes) -> None:
        _write(self._notes, notes)


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise MaintainerError(f"{path}: cannot be read ({error}); remove it") from None


def _write(path: Path, value: object) -> None:
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(value) + b"\n")
        file.flush()
        os.fchmod(file.fileno(), 0o644)  # whoever asks for the status may know
        os.fsync(file.fileno())
    fresh.replace(path)
    flush(path.parent)


def _place(source: Path, target: Path) -> None:
    """A copy, in one step; nothing is written where it is there already."""
    with suppress(OSError):
        if filecmp.cmp(source, target, shallow=False):
            return
    if not target.parent.is_dir():
        target.parent.mkdir(parents=True)
        target.parent.chmod(0o755)  # as all may read what systemd reads, whatever the umask
    fresh = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o644)
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(target)
