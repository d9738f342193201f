"""Where the product's own files lie: beside the package, in the checkout.

Promises: what is missing is named, with the remedy.
Never: opens a file.
"""

from pathlib import Path

import inspector
from inspector.core.errors import MaintainerError

ROOT = Path(inspector.__file__).resolve().parents[1]


def backbone() -> Path:
    """The feature network that teaching starts from: in INT8, since the line runs it so, and memory
    and line must agree."""
    return existing(ROOT / "models" / "backbone" / "backbone-int8.xml")


def existing(path: Path) -> Path:
    """The path itself. Raises MaintainerError where there is nothing."""
    if not path.exists():
        raise MaintainerError(f"{path}: missing; run from a checkout of the whole project")
    return path
