"""Measure a backbone on real products: `python -m models.training.score DATA BACKBONE.xml`.

Promises: every product is taught as a user would teach it (good images only, default settings) and
judged by the finished bundle; splits are fixed by a seed; the table is printed as it comes out.
Never trains, and nothing in this repository is tuned to these products.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import openvino as ov

from inspector.devices.engine import reduce
from inspector.teach import evaluate, images, pipeline

PRODUCTS = {
    "light_guide_plate": ("good/*", "defect/*"),
    "cookie": ("*/good/*", "*/defect/*"),
    "screw_block": ("good/*", "defect/*"),
    "metal_tag": ("good/*", "defect/*"),
}
MOST, FEWEST = 100, 5  # good images to teach from


shrink = partial(reduce, width=images.SIDE, height=images.SIDE)


def split(folder: Path, patterns: tuple[str, str]) -> tuple[list[Path], list[Path], list[Path]]:
    """Half of the good images (5 to 100) to teach from, up to 200 other good ones, all bad ones."""
    good, bad = (sorted(p for p in folder.glob(pattern) if p.is_file()) for pattern in patterns)
    random.Random(0).shuffle(good)
    count = max(FEWEST, min(MOST, len(good) // 2))
    return good[:count], good[count : count + 200], bad


def scores(bundle: Path, pixel: str, paths: list[Path]) -> list[float]:
    """The score of each image by the finished model, in full precision."""
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    model = ov.Core().compile_model(bundle / "model.xml", "CPU", options)
    frames = images.as_pixel([shrink(images.read(path)) for path in paths], pixel)
    return [float(np.asarray(model(frame[None])["score"]).item()) for frame in frames]


def row(product: str, data: Path, backbone: Path, settings: pipeline.Settings) -> str:
    """One line of the table."""
    taught, good, bad = split(data / product, PRODUCTS[product])
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / product
        made = pipeline.teach(taught, backbone, product, bundle, shrink, settings)
        pixel = made.input.pixel
        first, second = (scores(bundle, pixel, paths) for paths in (good, bad))
    found = evaluate.report(first, second, made.limits.review, made.limits.fail)
    cells = [product, f"{len(taught)}", f"{found.good} / {found.bad}", f"{found.auroc:.3f}"]
    cells += [f"{found.average_precision:.3f}", _rate(found.overkill), _rate(found.review)]
    cells += [_rate(found.escapes), f"{made.calibration.position_weight:g}"]
    return "| " + " | ".join(cells) + " |"


def _rate(rate: evaluate.Rate) -> str:
    return f"{rate.hits}/{rate.total} ({rate.low:.0%} to {rate.high:.0%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("backbone", type=Path)
    parser.add_argument("--products", nargs="*", default=list(PRODUCTS))
    given = parser.parse_args()
    print("| product | taught | good / bad | AUROC | AP | overkill | review | escapes | weight |")
    print("|---|---|---|---|---|---|---|---|---|")
    for product in given.products:
        print(row(product, given.data, given.backbone, pipeline.Settings()), flush=True)


if __name__ == "__main__":
    main()
