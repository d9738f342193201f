"""Reading a bundle from disk and proving it is what its manifest says.

Promises: a bundle is returned only when every file of it bears its SHA-256; anything else is
refused with one line that names the file.
Never: loads a model, or changes a bundle.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from inspector.core.bundle import BundleManifest
from inspector.core.errors import MaintainerError
from inspector.core.toml import read_toml

MANIFEST = "bundle.toml"
MODEL = "model.xml"
WEIGHTS = "model.bin"


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked."""

    folder: Path
    manifest: BundleManifest

    @property
    def model(self) -> Path:
        return self.folder / MODEL


def open_bundle(folder: Path) -> Bundle:
    """The bundle in `folder`. Raises MaintainerError when it is missing, incomplete or altered."""
    if not (folder / MANIFEST).is_file():
        raise MaintainerError(
            f"{folder}: holds no bundle ({MANIFEST} is missing); "
            "teach one, or mend `model` in the recipe"
        )
    manifest = read_toml(folder / MANIFEST, BundleManifest)
    for needed in (MODEL, WEIGHTS):
        if needed not in manifest.files:
            raise MaintainerError(f"{folder / MANIFEST}: [files] does not name {needed}")
    for name, expected in manifest.files.items():
        _prove(folder / name, expected)
    return Bundle(folder, manifest)


def find(model: str, models: Path) -> Path:
    """The folder a recipe's `model` means: an absolute path, or a name below the store."""
    return Path(model) if Path(model).is_absolute() else models / model


def _prove(path: Path, expected: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise MaintainerError(f"{path}: cannot be read ({error.strerror})") from None
    if found != expected:
        raise MaintainerError(
            f"{path}: has SHA-256 {found[:12]}..., its bundle says {expected[:12]}...; "
            "the file was altered or damaged, install the bundle again"
        )
