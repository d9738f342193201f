"""Reading a bundle from disk and proving it is what its manifest says.

Promises: a bundle is returned only when every file of it bears its SHA-256, and its manifest too
where a seal lies beside it; anything else is refused with one line that names the file.
Never: loads a model, or changes a bundle.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from inspector.core.bundle import BundleManifest, version_of
from inspector.core.bundle_folder import MANIFEST, MODEL, WEIGHTS
from inspector.core.errors import MaintainerError
from inspector.core.toml import read_toml

SEAL = "bundle.sha256"  # the manifest's own SHA-256; the store writes it, a signature covers it


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked."""

    folder: Path
    manifest: BundleManifest
    digest: str  # SHA-256 of bundle.toml, which names that of every other file: covers all


def open_bundle(folder: Path) -> Bundle:
    """The bundle in `folder`. Raises MaintainerError when it is missing, incomplete or altered."""
    if not (folder / MANIFEST).is_file():
        raise MaintainerError(
            f"{folder}: holds no bundle ({MANIFEST} is missing); "
            "teach one, or mend `model` in the recipe"
        )
    digest = digest_of(folder / MANIFEST)
    _check_seal(folder, digest)
    manifest = read_toml(folder / MANIFEST, BundleManifest)
    for needed in _needed(manifest):
        if needed not in manifest.files:
            raise MaintainerError(f"{folder / MANIFEST}: [files] does not name {needed}")
    for name, expected in manifest.files.items():
        _prove(folder / name, expected)
    version = version_of(manifest)
    if manifest.version != version:
        raise MaintainerError(
            f"{folder / MANIFEST}: version = {manifest.version!r} is not that of its content, "
            f"{version!r}; the manifest was altered, install the bundle again"
        )
    return Bundle(folder, manifest, digest)


def digest_of(path: Path) -> str:
    """A file's SHA-256 as 64 hex digits. Raises MaintainerError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MaintainerError(f"{path}: cannot be read ({error.strerror})") from None


def _check_seal(folder: Path, digest: str) -> None:
    try:
        sealed = (folder / SEAL).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise MaintainerError(f"{folder / SEAL}: cannot be read ({error})") from None
    if sealed != digest:
        raise MaintainerError(
            f"{folder / MANIFEST}: has SHA-256 {digest[:12]}..., its seal says {sealed[:12]}...; "
            "the manifest was altered or damaged, install the bundle again"
        )


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
    found = digest_of(path)
    if found != expected:
        raise MaintainerError(
            f"{path}: has SHA-256 {found[:12]}..., its bundle says {expected[:12]}...; "
            "the file was altered or damaged, install the bundle again"
        )
