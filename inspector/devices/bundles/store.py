"""The station's models: every version of each, and which one is in use.

    models/cap/9de9aca7adf6/    a bundle, whole or absent
    models/cap/current          -> 9de9aca7adf6, replaced in one step
    models/cap/previous         -> the one in use before

Promises: a version's folder appears whole, checked and flushed, or not at all, whatever is pulled
at whatever time; the version in use is always one that was whole when it was chosen; the one
before it is kept.
Never: alters a version that is in order, removes one that is in use, or proves a model (that it
says here what it said where it was made is `procedures.proof`'s).
"""

import fcntl
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from inspector.core.bundle_folder import MANIFEST, flush
from inspector.core.errors import InspectorError, MaintainerError
from inspector.devices.bundles.opening import SEAL, Bundle, open_bundle

CURRENT, PREVIOUS = "current", "previous"
DRAFT = ".draft-"  # what a killed process leaves; the next one clears it away

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_VERSION = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Installed:
    """One version in the store. `problem`: why it cannot be used; else its `digest`."""

    name: str
    version: str
    folder: Path
    current: bool
    previous: bool
    digest: str = ""
    problem: str = ""


def find(model: str, models: Path) -> Path:
    """The folder a recipe's `model` means: an absolute path, or what is in use of that name.

    It names the version and no link, so that what is compiled from it is never taken for another.
    Raises MaintainerError when nothing of that name is in use.
    """
    return candidates(model, models)[0]


def candidates(model: str, models: Path) -> list[Path]:
    """`find`, then the one in use before where there is one: what a station may begin with."""
    if Path(model).is_absolute():
        return [Path(model)]
    if not _NAME.fullmatch(model):
        raise MaintainerError(
            f"model = {model!r}: is neither a name in {models} nor an absolute path; "
            "mend it in the recipe"
        )
    links = [_linked(models / model, link) for link in (CURRENT, PREVIOUS)]
    found = [models / model / version for version in links if version]
    if not found:
        raise MaintainerError(
            f"{models / model}: holds no bundle in use; `inspector model install BUNDLE`, "
            "or mend `model` in the recipe"
        )
    return list(dict.fromkeys(found))


class Store:
    """The bundles below one folder."""

    def __init__(self, models: Path) -> None:
        self._models = models

    def install(self, folder: Path) -> Bundle:
        """Copy the bundle in `folder` into the store, and say what is there now.

        The same bundle twice changes nothing; a damaged copy of it in the store is replaced.
        Raises MaintainerError when it is not in order, or when there is no room.
        """
        source = open_bundle(folder)
        place = self._models / source.manifest.name / source.manifest.version
        with self._alone(source.manifest.name):
            if place.exists() and (there := _same(place, source)):
                return there
            try:
                return _copy(source, place)
            except OSError as error:
                raise MaintainerError(
                    f"{place}: cannot be written ({error.strerror}); make room or mend its folder"
                ) from None

    def use(self, name: str, version: str) -> Bundle:
        """Put a version in use; the one before stays at hand. Raises MaintainerError when it is
        not there or not in order."""
        with self._alone(name):
            return self._use(name, version)

    def back(self, name: str) -> Bundle:
        """Put the version in use that was so before. Raises MaintainerError when there is none."""
        with self._alone(name):
            return self._use(name, self._version_before(name))

    def before(self, name: str) -> Path:
        """The folder of the version that `back` goes to. Raises MaintainerError."""
        return self._models / name / self._version_before(name)

    def folder(self, name: str, version: str) -> Path:
        """Where a version lies. Raises MaintainerError when it is not there."""
        if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version):
            raise MaintainerError(
                f"{name} {version}: no name and version of a bundle; see `inspector model list`"
            )
        place = self._models / name / version
        if not place.is_dir():
            there = ", ".join(path.name for path in _versions(self._models / name)) or "none"
            raise MaintainerError(f"{name} {version}: is not installed (there: {there})")
        return place

    def remove(self, name: str, version: str) -> None:
        """Delete a version. Raises MaintainerError for the one in use and the one before it."""
        with self._alone(name):
            place = self.folder(name, version)
            for link in (CURRENT, PREVIOUS):
                if _linked(place.parent, link) == version:
                    raise MaintainerError(f"{name} {version}: is the {link} one; it is kept")
            try:
                _away(place)
            except OSError as error:
                raise MaintainerError(f"{place}: cannot be removed ({error.strerror})") from None

    def listed(self) -> list[Installed]:
        """Every version of every name, checked file by file."""
        names = sorted(path for path in self._models.glob("*") if _NAME.fullmatch(path.name))
        return [_installed(version) for name in names for version in _versions(name)]

    def tidy(self) -> None:
        """Clear away what processes that were killed have left half-made. Raises MaintainerError
        where the store cannot be written."""
        for place in self._models.glob("*"):
            if place.is_dir() and _NAME.fullmatch(place.name):
                with self._alone(place.name), suppress(OSError):
                    place.rmdir()  # where nothing else is in it

    def _version_before(self, name: str) -> str:
        version = _linked(self._models / name, PREVIOUS) if _NAME.fullmatch(name) else None
        if version is None or version == _linked(self._models / name, CURRENT):
            raise MaintainerError(f"{name}: no version was in use before; choose one with `use`")
        return version

    def _use(self, name: str, version: str) -> Bundle:
        chosen = open_bundle(self.folder(name, version))
        place, now = self._models / name, _linked(self._models / name, CURRENT)
        if now == version:
            return chosen
        try:
            if now and not _problem(place / now):  # a damaged one is nothing to go back to
                _link(place, PREVIOUS, now)
            _link(place, CURRENT, version)
        except OSError as error:
            raise MaintainerError(
                f"{place / CURRENT}: cannot be written ({error.strerror}); "
                "make room or mend its folder"
            ) from None
        return chosen

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Nobody else changes this name meanwhile, and nothing half-made is left of before."""
        place = self._models / name
        if not _NAME.fullmatch(name):
            raise MaintainerError(f"{name!r}: no name of a bundle; see `inspector model list`")
        try:
            self._models.mkdir(parents=True, exist_ok=True)
            handle = (self._models / ".lock").open("a")
        except OSError as error:
            raise MaintainerError(
                f"{self._models}: cannot be written ({error.strerror}); mend its owner or mount"
            ) from None
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            for leftover in place.glob(f"{DRAFT}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield


def _installed(place: Path) -> Installed:
    name, version = place.parent.name, place.name
    current, previous = (_linked(place.parent, link) == version for link in (CURRENT, PREVIOUS))
    try:
        digest, problem = open_bundle(place).digest, ""
    except InspectorError as error:
        digest, problem = "", str(error)
    return Installed(name, version, place, current, previous, digest, problem)


def _same(place: Path, source: Bundle) -> Bundle | None:
    """The bundle that is there, when it is this one; None when it is damaged.

    Raises MaintainerError when another manifest stands there with the same files.
    """
    try:
        there = open_bundle(place)
    except MaintainerError:
        return None
    if there.digest != source.digest:
        raise MaintainerError(
            f"{source.folder / MANIFEST}: differs from that of {source.manifest.id} in the store, "
            "over the same files; put another version in use and remove that one first"
        )
    return there


def _copy(source: Bundle, place: Path) -> Bundle:
    """The files beside `place`, flushed and checked once more, then renamed into it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=place.parent))
    try:
        for name in (*source.manifest.files, MANIFEST):
            (draft / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(source.folder / name, draft / name)
        (draft / SEAL).write_text(source.digest + "\n")
        _flush_all(draft)
        open_bundle(draft)
        draft.chmod(0o755)
        if place.exists():
            _away(place)
        draft.rename(place)
        flush(place.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return open_bundle(place)


def _away(place: Path) -> None:
    """Take a folder away in one step, whatever happens while it is deleted."""
    grave = Path(tempfile.mkdtemp(prefix=DRAFT, dir=place.parent))
    place.rename(grave / place.name)
    shutil.rmtree(grave, ignore_errors=True)


def _versions(name: Path) -> list[Path]:
    return sorted(path for path in name.glob("*") if _VERSION.fullmatch(path.name))


def _problem(place: Path) -> str:
    return _installed(place).problem


def _linked(place: Path, link: str) -> str | None:
    """The version that a link names."""
    try:
        target = str((place / link).readlink())
    except OSError:
        return None
    return target if _VERSION.fullmatch(target) else None


def _link(place: Path, link: str, version: str) -> None:
    fresh = place / f".{link}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(version)
    fresh.replace(place / link)
    flush(place)


def _flush_all(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        flush(path)
