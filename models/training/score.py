"""Measure a backbone on real products: `python -m models.training.score DATA BACKBONE.xml`.

DATA holds a folder a product: good images in folders called `good`, defective ones beside them.
Promises: every product is taught as a user would teach it (good images only, default settings) and
judged by the finished bundle; splits are fixed by a seed; the table is printed as it comes out.
Never trains, and nothing in this repository is tuned to these products.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from inspector.cli.teach import EYES
from inspector.core.bundle import BundleManifest
from inspector.core.config import Detect
from inspector.core.errors import OperatorError
from inspector.devices.engine import Engine
from inspector.teach import evaluate, images, pipeline
from inspector.teach.settings import Settings

MOST, FEWEST = 100, 5  # good images to teach from
NOT_LABELLED = frozenset({"mask", "masks", "masked", "ground_truth", "unlabelled"})


def products(data: Path) -> list[str]:
    """The folders that hold a folder `good` somewhere below."""
    return sorted(path.name for path in data.iterdir() if any(path.rglob("good")))


def labelled(folder: Path) -> tuple[list[Path], list[Path]]:
    """All images in folders called `good`, and all in the folders beside them."""
    good, bad = [], []
    for fine in sorted(path for path in folder.rglob("good") if path.is_dir()):
        good += sorted(path for path in fine.iterdir() if path.is_file())
        for beside in sorted(path for path in fine.parent.iterdir() if path.is_dir()):
            if beside != fine and beside.name not in NOT_LABELLED:
                bad += sorted(path for path in beside.iterdir() if path.is_file())
    return good, bad


def split(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Half of the good images (5 to 100) to teach from, up to 200 other good ones, all bad ones."""
    good, bad = labelled(folder)
    random.Random(0).shuffle(good)
    count = max(FEWEST, min(MOST, len(good) // 2))
    return good[:count], good[count : count + 200], bad


def scores(folder: Path, manifest: BundleManifest, paths: list[Path]) -> list[float]:
    """The score of each image by the finished bundle, as the line sees and infers it."""
    model = Engine(Detect(threads=2), folder.parent / "cache").load(folder, manifest)
    return [model.infer(images.read(path)).score for path in paths]


def row(product: str, data: Path, backbone: Path, labelled: int, settings: Settings) -> str:
    """One line of the table. The first `labelled` defects are taught, the others judged."""
    taught, good, bad = split(data / product)
    random.Random(1).shuffle(bad)
    known, bad = bad[:labelled], bad[labelled:]
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / product
        found = pipeline.teach(taught, backbone, product, bundle, EYES, settings, defects=known)
        first, second = (scores(bundle, found.manifest, paths) for paths in (good, bad))
    limits, made = found.manifest.limits, found.manifest.calibration
    assert made  # a taught bundle has one
    judged = evaluate.report(first, second, limits.review, limits.fail)
    cells = [product, f"{made.good_images}", f"{judged.good} / {judged.bad}"]
    cells += [f"{judged.auroc:.3f}", f"{judged.average_precision:.3f}"]
    cells += [_rate(judged.overkill), _rate(judged.review), _rate(judged.escapes)]
    cells += [f"{made.position_weight:g}", _how(found.manifest)]
    return "| " + " | ".join(cells) + " |"


def _how(manifest: BundleManifest) -> str:
    made = manifest.calibration
    assert made  # a taught bundle has one
    said = {
        "registered": manifest.registration is not None,
        "evened": made.evened,
        "alarm": made.alarm,
    }
    return ", ".join(word for word, so in said.items() if so) or "plain"


def _rate(rate: evaluate.Rate) -> str:
    return f"{rate.hits}/{rate.total} ({rate.low:.0%} to {rate.high:.0%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("backbone", type=Path)
    parser.add_argument("--labelled", type=int, default=0, help="defects that are taught, too")
    parser.add_argument("--side", type=int, default=Settings().side)
    parser.add_argument("--products", nargs="*", help="default: every folder of DATA")
    given = parser.parse_args()
    heads = [
        "product",
        "taught",
        "good/bad",
        "AUROC",
        "AP",
        "overkill",
        "review",
        "escapes",
        "weight",
        "how",
    ]
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    settings = Settings(side=given.side)
    for product in given.products or products(given.data):
        try:
            line = row(product, given.data, given.backbone, given.labelled, settings)
        except OperatorError as refused:
            line = f"| {product} | refused: {refused} |"
        print(line, flush=True)


if __name__ == "__main__":
    main()
