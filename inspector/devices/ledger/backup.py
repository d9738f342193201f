"""Backups: a folder each, with the ledger, the configuration and a list of all that is in it.

Promises: a backup is there whole or not at all, over a power cut too; its manifest has the size
and the SHA-256 of each file, by which it is proven before it is used; old ones go only once there
is a new one.
Never: holds a model's files (their names and digests are in the manifest), an image or a secret.
"""

import re
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from inspector.core.bundle_folder import flush
from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.devices.ledger import copying, schema
from inspector.devices.ledger.copying import Alive, nothing
from inspector.devices.ledger.migrations import MIGRATIONS

LEDGER = "ledger.db"
MANIFEST = "manifest.json"
PART = ".part"
NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
SPARE_BYTES = 16 << 20  # to be left on the disk

_FACTS = """SELECT (SELECT value FROM meta WHERE key = 'ledger'),
    (SELECT coalesce(max("row"), 0) FROM window_total),
    (SELECT value FROM sum WHERE name = 'committed'),
    (SELECT coalesce(max(trigger_wall_ns), 0) FROM
        (SELECT trigger_wall_ns FROM outcome ORDER BY id DESC LIMIT 100))"""


class FileSum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What proves one file."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a backup says of itself."""

    schema: int
    made_ns: int
    program: str  # the version that made it
    ledger: str  # its identity
    ledger_version: int
    rows: int  # the last row of totals, in the ledger's own numbers
    parts: int  # that were ever recorded
    newest_ns: int  # when the last one was triggered; 0: there is none
    files: dict[str, FileSum]
    models: tuple[str, ...]  # NAME@VERSION of what was installed


@dataclass(frozen=True)
class Backup:
    """One that is there."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def ledger(self) -> Path:
        return self.folder / LEDGER

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.manifest.files.values())


@dataclass(frozen=True)
class Wanted:
    """What goes into a backup. `files`: by their names in it."""

    ledger: Path
    files: Mapping[str, Path]
    models: tuple[str, ...]
    program: str


def name_of(wall_ns: int) -> str:
    """The name of a backup that is made now."""
    return datetime.fromtimestamp(wall_ns // SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")


def make_backup(
    folder: Path, wanted: Wanted, wall_ns: int, keep: int, alive: Alive = nothing
) -> Backup:
    """Make one below `folder`, and let go all but the newest `keep`. Raises MaintainerError; what
    was there before stays then."""
    target = _free_name(folder, name_of(wall_ns))
    fresh = target.with_name(target.name + PART)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _tidy(folder)
        _want_room(folder, wanted.ledger)
        fresh.mkdir(mode=0o700)
        made = _fill(fresh, wanted, wall_ns, alive)
        fresh.rename(target)
        flush(folder)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        what = error.strerror or str(error)
        raise MaintainerError(f"{target}: the backup cannot be written ({what})") from None
    except MaintainerError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    others = [one for one in backups(folder, wall_ns) if one != target]
    for old in others[: len(others) - keep + 1]:
        _remove(old)
    return Backup(target, made)


def backups(folder: Path, wall_ns: int) -> list[Path]:
    """The folders of those that are finished, oldest first. One that would be of a time to come
    was made while the clock was wrong, and counts as older than all others."""
    try:
        found = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    except OSError:
        return []
    finished = (one for one in found if (one / MANIFEST).is_file())
    return sorted(finished, key=lambda one: _order(one, name_of(wall_ns)))


def read_backup(folder: Path) -> Backup:
    """One by its folder; its files are proven when they are used. Raises MaintainerError."""
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise MaintainerError(f"{folder}: is no backup ({error}); see the folder above") from None
    if manifest.schema != 1:
        raise MaintainerError(f"{folder}: was made by a newer program; install that first")
    schema.refuse_newer(manifest.ledger_version, folder / LEDGER)
    if LEDGER not in manifest.files or not all(map(_stays_below, manifest.files)):
        raise MaintainerError(f"{folder}: is no backup (its list of files is not in order)")
    return Backup(folder, manifest)


def prove(backup: Backup, alive: Alive = nothing) -> None:
    """Hold every file against the manifest. Raises MaintainerError naming one that differs."""
    for name, said in backup.manifest.files.items():
        proven_copy(backup.folder / name, said, alive)


def proven_copy(path: Path, said: FileSum, alive: Alive, copy_to: Path | None = None) -> None:
    """Read a file of a backup, and copy it where that is wanted. Raises MaintainerError when it is
    not what the manifest says."""
    try:
        found = copying.digest(path, alive, copy_to)
    except OSError as error:
        place = error.filename or path
        raise MaintainerError(f"{place}: cannot be copied ({error.strerror})") from None
    if found != (said.bytes, said.sha256):
        raise MaintainerError(f"{path}: is damaged (not what its manifest says); take another")


def _fill(fresh: Path, wanted: Wanted, wall_ns: int, alive: Alive) -> Manifest:
    copying.copy_ledger(wanted.ledger, fresh / LEDGER, alive)
    for name, source in wanted.files.items():
        _copy(source, fresh / name)
    names = sorted(str(path.relative_to(fresh)) for path in fresh.rglob("*") if path.is_file())
    sums = {name: FileSum(*copying.digest(fresh / name, alive)) for name in names}
    ledger, rows, parts, newest_ns = _facts(fresh / LEDGER)
    manifest = Manifest(
        schema=1,
        made_ns=wall_ns,
        program=wanted.program,
        ledger=ledger,
        ledger_version=len(MIGRATIONS),
        rows=rows,
        parts=parts,
        newest_ns=newest_ns,
        files=sums,
        models=wanted.models,
    )
    (fresh / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    for path in (*fresh.rglob("*"), fresh):
        flush(path)
    return manifest


def _copy(source: Path, target: Path) -> None:
    """A file, or the files of a folder that are not hidden; what is not there is left out."""
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                _copy(path, target / path.name)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _facts(ledger: Path) -> tuple[str, int, int, int]:
    uri = f"{ledger.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as database:
            found = database.execute(_FACTS).fetchone()
    except sqlite3.Error as error:
        raise MaintainerError(f"{ledger}: cannot be read ({error})") from None
    return str(found[0]), int(found[1]), int(found[2]), int(found[3])


def _want_room(folder: Path, ledger: Path) -> None:
    log = ledger.with_name(ledger.name + "-wal")
    size = ledger.stat().st_size + (log.stat().st_size if log.exists() else 0)
    free = shutil.disk_usage(folder).free
    if free < size + SPARE_BYTES:
        raise MaintainerError(
            f"{folder}: {free >> 20} MB are free, a backup takes {(size + SPARE_BYTES) >> 20}; "
            "make room, or give [backup] another folder"
        )


def _free_name(folder: Path, name: str) -> Path:
    number, target = 1, folder / name
    while target.exists():
        number += 1
        target = folder / f"{name}-{number}"
    return target


def _tidy(folder: Path) -> None:
    """What a kill or a power cut has left unfinished."""
    for path in folder.glob(f"*{PART}"):
        if NAME.fullmatch(path.name.removesuffix(PART)):
            with suppress(OSError):
                shutil.rmtree(path)


def _stays_below(name: str) -> bool:
    """True for the plain name of a file below the folder that it is put into."""
    path = PurePosixPath(name)
    return str(path) == name and not path.is_absolute() and ".." not in path.parts


def _remove(folder: Path) -> None:
    """First its name, so that the rest goes with the next backup if the power fails."""
    with suppress(OSError):
        going = folder.rename(folder.with_name(folder.name + PART))
        shutil.rmtree(going)


def _order(folder: Path, now: str) -> tuple[bool, str, int]:
    name, _, number = folder.name.partition("-")
    return name <= now, name, int(number or 1)
