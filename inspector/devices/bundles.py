"""Reading a bundle from disk and proving it is what its manifest says.

Promises: a bundle is returned only when every file of it bears its SHA-256; anything else is
refused with one line that names the file.
Never: loads a model, or changes a bundle.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from inspector.core.bundle import BundleManifest, version_of
from inspector.core.bundle_folder import MANIFEST, MODEL, WEIGHTS
from inspector.core.errors import MaintainerError
from inspector.core.toml import read_toml


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked."""

    folder: Path
    manifest: BundleManifest


def open_bundle(folder: Path) -> Bundle:
    """The bundle in `folder`. Raises MaintainerError when it is missing, incomplete or altered."""
    if not (folder / MANIFEST).is_file():
        raise MaintainerError(
            f"{folder}: holds no bundle ({MANIFEST} is missing); "
            "teach one, or mend `model` in the recipe"
        )
    manifest = read_toml(folder / MANIFEST, BundleManifest)
    for needed in _needed(manifest):
        if needed not in manifest.files:
            raise MaintainerError(f"{folder / MANIFEST}: [files] does not name {needed}")
    for name, expected in manifest.files.items():
        _prove(folder / name, expected)
    version = version_of(manifest.files)
    if manifest.version != version:
        raise MaintainerError(
            f"{folder / MANIFEST}: version = {manifest.version!r} is not that of its files, "
            f"{version!r}; the manifest was altered, install the bundle again"
        )
    return Bundle(folder, manifest)


def find(model: str, models: Path) -> Path:
    """The folder a recipe's `model` means: an absolute path, or a name below the store."""
    return Path(model) if Path(model).is_absolute() else models / model


def _needed(manifest: BundleManifest) -> list[str]:
    """All files that the manifest speaks of."""
    named = [MODEL, WEIGHTS, *manifest.golden.good, *manifest.golden.defective]
    named += [reference.image for reference in manifest.proof.references]
    if manifest.second:
        named += [manifest.second.model, manifest.second.model.removesuffix(".xml") + ".bin"]
    if manifest.registration:
        named.append(manifest.registration.template)
    return named


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
