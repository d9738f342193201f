"""Where the product's own files lie: beside the package in a checkout, in `share` of an installed
release.

Promises: what is missing is named, with the remedy.
Never: opens a file.
"""

import sys
from pathlib import Path

import inspector
from inspector.core.errors import MaintainerError


def _root(package: Path, prefix: Path) -> Path:
    """The folder with models/ and sample_data/, by where the program and its Python are."""
    share = prefix.parent / "share"
    return share if package.is_relative_to(prefix) and share.is_dir() else package.parents[1]


ROOT = _root(Path(inspector.__file__).resolve(), Path(sys.prefix).resolve())


def backbone() -> Path:
    """The feature network that teaching starts from: in INT8, since the line runs it so, and memory
    and line must agree."""
    return existing(ROOT / "models" / "backbone" / "backbone-int8.xml")


def existing(path: Path) -> Path:
    """The path itself. Raises MaintainerError where there is nothing."""
    if not path.exists():
        raise MaintainerError(
            f"{path}: missing; run from a checkout of the whole project, or install the package"
        )
    return path
