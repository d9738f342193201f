"""Where the product's own samples and models lie: beside the package, in the checkout."""

from pathlib import Path

import inspector
from inspector.core.errors import MaintainerError

ROOT = Path(inspector.__file__).resolve().parents[1]
BACKBONE = ROOT / "models" / "backbone" / "backbone-int8.xml"
PRODUCT = "cap"


def images(product: str = PRODUCT) -> Path:
    """The labelled test images of a sample product, a folder a label."""
    return _existing(ROOT / "sample_data" / product / "test")


def bundle(product: str = PRODUCT) -> Path:
    """The model taught on a sample product."""
    return _existing(ROOT / "models" / product)


def backbone() -> Path:
    """The feature network that teaching starts from: in INT8, since the line runs it so, and memory
    and line must agree."""
    return _existing(BACKBONE)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise MaintainerError(f"{path}: missing; run from a checkout of the whole project")
    return path
