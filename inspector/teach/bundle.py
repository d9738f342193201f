"""Writes a bundle: `bundle.toml`, `model.xml`, `model.bin`.

Promises: a bundle folder is whole or absent, whatever is pulled at whatever time.
Never overwrites a bundle: a new teaching is a new folder.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import openvino as ov

from inspector.core.bundle import BundleManifest
from inspector.core.errors import MaintainerError

MODEL_FILES = ("model.xml", "model.bin")


def version(files: dict[str, str]) -> str:
    """First 12 hex digits of SHA-256 over the hex digests in the order of MODEL_FILES."""
    joined = "".join(files[name] for name in MODEL_FILES)
    return hashlib.sha256(joined.encode("ascii")).hexdigest()[:12]


def _line(key: str, value: object) -> str:
    bare = key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)
    return f"{bare} = {json.dumps(value, ensure_ascii=False)}"


def as_toml(manifest: BundleManifest) -> str:
    """The manifest as TOML. Its values are strings and numbers only, where JSON is TOML too."""
    table: dict[str, Any] = msgspec.to_builtins(manifest)
    lines = [_line(k, v) for k, v in table.items() if not isinstance(v, dict)]
    for name, section in table.items():
        if isinstance(section, dict):
            lines += ["", f"[{name}]", *(_line(k, v) for k, v in section.items())]
    return "\n".join(lines) + "\n"


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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


def write(
    folder: Path, model: ov.Model, manifest: Callable[[str, dict[str, str]], BundleManifest]
) -> BundleManifest:
    """Save everything beside `folder`, flush it, then rename it into place.

    `manifest` is given the version and the digest of each model file. Raises MaintainerError
    where the folder exists or the disk refuses.
    """
    free_place(folder)
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise MaintainerError(f"{folder}: cannot be written ({error.strerror})") from None
    try:
        return _fill(draft, folder, model, manifest)
    except OSError as error:
        raise MaintainerError(f"{folder}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(
    draft: Path,
    folder: Path,
    model: ov.Model,
    manifest: Callable[[str, dict[str, str]], BundleManifest],
) -> BundleManifest:
    ov.save_model(model, draft / MODEL_FILES[0], compress_to_fp16=True)
    digests = {n: hashlib.sha256((draft / n).read_bytes()).hexdigest() for n in MODEL_FILES}
    made = manifest(version(digests), digests)
    (draft / "bundle.toml").write_text(as_toml(made), encoding="utf-8")
    draft.chmod(0o755)
    for name in (*MODEL_FILES, "bundle.toml"):
        _flush(draft / name)
    _flush(draft)
    draft.rename(folder)
    _flush(folder.parent)
    return made
