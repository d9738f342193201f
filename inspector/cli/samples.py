"""Where the product's own samples and models lie: beside the package, in the checkout."""

from pathlib import Path

from inspector.procedures.shipped_files import ROOT, existing

__all__ = ["ROOT", "bundle", "images"]

PRODUCT = "cap"


def images(product: str = PRODUCT) -> Path:
    """The labelled test images of a sample product, a folder a label."""
    return existing(ROOT / "sample_data" / product / "test")


def bundle(product: str = PRODUCT) -> Path:
    """The model taught on a sample product."""
    return existing(ROOT / "models" / product)
