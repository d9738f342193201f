"""A product's folder in the workshop: pictures, the taught bundle, and an adoption under way.

    workshop/cap/good/          pictures, and defective/ beside it
    workshop/cap/bundle/        what was taught last, and taught.json: limits and scores
    workshop/cap/adopting.json  an adoption that record has not yet heard the end of

Promises: what stands here is whole, or is cleared away by `tidy`; a bundle counts only with the
scores that belong to it.
Never: touches a picture that it did not make, or leaves its folder.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import msgspec

from inspector.core.bundle_folder import MANIFEST, flush
from inspector.core.live import Taught
from inspector.core.paths import Paths
from inspector.core.recipe import Region

LABELS = ("good", "defective")
PICTURES = frozenset({".png", ".jpg"})
PART = ".part"
LONGEST = 64  # of an Identifier


def known_as(model_id: str) -> str:
    """A model's id as messages carry it."""
    return model_id[:LONGEST]


class Learned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What teaching gave, and the region of the frames that it looked at."""

    taught: Taught
    region: Region | None


class Adoption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that is being put in use, with its recipe's text."""

    version: str
    who: str
    recipe: str


class Place:
    """The folder of one product. Its name has been checked: it is an order's `Product`."""

    def __init__(self, paths: Paths, product: str) -> None:
        self.product = product
        self.folder = paths.workshop / product
        self.bundle = self.folder / "bundle"
        self.fresh = self.folder / "fresh"  # a bundle that is being taught
        self.altered = self.folder / "altered"  # one with other limits, on its way to the store
        self._learned = self.folder / "taught.json"
        self._adoption = self.folder / "adopting.json"
        self._recipe = paths.taught_recipes / f"{product}.toml"

    def make(self) -> None:
        """Make the folders that are missing. Raises OSError."""
        for label in LABELS:
            self.label(label).mkdir(parents=True, exist_ok=True)

    def label(self, label: str) -> Path:
        return self.folder / label

    def facts(self, label: str) -> Path:
        """What was measured of the pictures of a label."""
        return self.folder / f"{label}.json"

    def pictures(self, label: str) -> list[Path]:
        """All pictures of a label, by name."""
        with suppress(OSError):
            return sorted(p for p in self.label(label).iterdir() if p.suffix in PICTURES)
        return []

    def counts(self) -> tuple[int, int]:
        """How many good and how many defective pictures there are."""
        return len(self.pictures("good")), len(self.pictures("defective"))

    def learned(self) -> Learned | None:
        """What was taught last; None where nothing was, or it is not whole."""
        try:
            learned = msgspec.json.decode(self._learned.read_bytes(), type=Learned)
        except (OSError, msgspec.MsgspecError):
            return None
        return learned if (self.bundle / MANIFEST).is_file() else None

    def keep(self, learned: Learned) -> None:
        """Put what was taught freshly in the place of what was before. Raises OSError."""
        self._learned.unlink(missing_ok=True)
        shutil.rmtree(self.bundle, ignore_errors=True)
        self.fresh.rename(self.bundle)
        write(self._learned, msgspec.json.encode(learned))

    def begin_adoption(self, adoption: Adoption) -> None:
        write(self._adoption, msgspec.json.encode(adoption))

    def adoption(self) -> Adoption | None:
        """The adoption under way, if there is one."""
        try:
            return msgspec.json.decode(self._adoption.read_bytes(), type=Adoption)
        except (OSError, msgspec.MsgspecError):
            return None

    def end_adoption(self) -> None:
        self._adoption.unlink(missing_ok=True)

    def write_recipe(self, text: str) -> None:
        """Raises OSError."""
        write(self._recipe, text.encode())

    def tidy(self) -> None:
        """Clear away what somebody who was killed has left."""
        for leftover in (self.fresh, self.altered, *self.folder.glob(".*-*")):
            shutil.rmtree(leftover, ignore_errors=True)
        for label in LABELS:
            for part in self.label(label).glob(f"*{PART}"):
                part.unlink(missing_ok=True)

    def discard(self) -> None:
        """All of it goes, in one step. Raises OSError."""
        grave = self.folder.with_name(f".{self.product}-{os.getpid()}")
        self.folder.rename(grave)
        shutil.rmtree(grave, ignore_errors=True)


def places(paths: Paths) -> list[Place]:
    """All products here, the one worked on last first."""
    found = [path for path in paths.workshop.glob("[a-z0-9]*") if path.is_dir()]
    found.sort(key=_worked_on, reverse=True)
    return [Place(paths, path.name) for path in found]


def clear_graves(paths: Paths) -> None:
    """Delete the rest of what was discarded."""
    for grave in paths.workshop.glob(".*-*"):
        shutil.rmtree(grave, ignore_errors=True)


def write(path: Path, content: bytes) -> None:
    """Replace a file in one step, on the disk. Raises OSError, and then leaves it as it was."""
    fresh = path.with_name(f"{path.name}{PART}")
    try:
        fresh.write_bytes(content)
        flush(fresh)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    flush(path.parent)


def _worked_on(folder: Path) -> float:
    times = [path.stat().st_mtime for path in (folder, *folder.glob("*"))]
    return max(times)
