"""Writing a bundle: its files and its manifest, as one folder.

Promises: a bundle folder is whole or absent, whatever is pulled at whatever time.
Never overwrites a bundle, never makes a model.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import tomli_w
from msgspec import structs

from inspector.core.bundle import UNNUMBERED, BundleManifest, version_of
from inspector.core.errors import MaintainerError

MANIFEST = "bundle.toml"
MODEL = "model.xml"
WEIGHTS = "model.bin"

Describe = Callable[[str, dict[str, str]], BundleManifest]


def check_name(name: str) -> None:
    """Raises MaintainerError for a name that no manifest may carry."""
    kind = get_type_hints(BundleManifest, include_extras=True)["name"]
    try:
        msgspec.convert(name, kind)
    except msgspec.ValidationError:
        raise MaintainerError(
            f"name {name!r}: not allowed; use small letters, digits, - and _, 64 at most"
        ) from None


def free_place(folder: Path) -> None:
    """Raises MaintainerError where a bundle could not be put at `folder`."""
    if folder.exists():
        raise MaintainerError(f"{folder}: exists already; remove it or choose another folder")
    if not folder.parent.is_dir():
        raise MaintainerError(f"{folder.parent}: no such folder; make it or choose another")


def write(folder: Path, files: Mapping[str, bytes], describe: Describe) -> BundleManifest:
    """Save everything beside `folder`, flush it, then rename it into place.

    `describe` is given a version, to be replaced, and the digest of each file.
    Raises MaintainerError where the folder exists or the disk refuses.
    """
    free_place(folder)
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise MaintainerError(f"{folder}: cannot be written ({error.strerror})") from None
    try:
        return _fill(draft, folder, files, describe)
    except OSError as error:
        raise MaintainerError(f"{folder}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def as_toml(value: msgspec.Struct) -> str:
    """A manifest or a recipe as TOML, which has no word for a value that is not set."""
    return tomli_w.dumps(_set_only(msgspec.to_builtins(value)))


def _set_only(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _set_only(inner) for key, inner in value.items() if inner is not None}
    return [_set_only(inner) for inner in value] if isinstance(value, list | tuple) else value


def _fill(
    draft: Path, folder: Path, files: Mapping[str, bytes], describe: Describe
) -> BundleManifest:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    unnumbered = describe(UNNUMBERED, digests)
    made = structs.replace(unnumbered, version=version_of(unnumbered))
    everything = {**files, MANIFEST: as_toml(made).encode()}
    for name, content in everything.items():
        path = draft / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        flush(path)
    for inner in {(draft / name).parent for name in everything} | {draft}:
        flush(inner)
    draft.chmod(0o755)
    draft.rename(folder)
    flush(folder.parent)
    return made


def flush(path: Path) -> None:
    """Onto the disk: a file's content, or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
