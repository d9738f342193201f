"""inspector teach: from a folder of good images to a bundle, and a recipe that uses it."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from inspector.cli import samples
from inspector.cli.screen import command, print_json, progress, results
from inspector.core.bundle import BundleManifest
from inspector.devices.engine import reduce
from inspector.teach.images import SIDE
from inspector.teach.pipeline import Settings, teach


def add(commands: Any) -> None:
    made = command(
        commands,
        "teach",
        "teach a product from a folder of good images",
        "inspector teach parts/good --name cap --out models/cap",
    )
    made.add_argument("good", type=Path, metavar="GOOD_DIR", help="images of good parts, 5 or more")
    made.add_argument("--name", required=True, help="the product: a-z, 0-9, _ and -")
    made.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="a new folder")
    made.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    made.set_defaults(command=_teach)


def _teach(arguments: argparse.Namespace) -> int:
    with progress() as bar:
        tasks: dict[str, Any] = {}

        def advance(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=100)
            bar.update(tasks[step], completed=round(100 * done))

        manifest = teach(
            arguments.good,
            samples.backbone(),
            arguments.name,
            arguments.out,
            partial(reduce, width=SIDE, height=SIDE),
            Settings(seed=arguments.seed),
            advance,
        )
    if arguments.json:
        print_json(manifest)
    else:
        _show(manifest, arguments.out)
    return 0


def _show(manifest: BundleManifest, out: Path) -> None:
    calibration, limits = manifest.calibration, manifest.limits
    assert calibration  # a taught bundle has one
    results.print(
        f"{manifest.id} in {out}: taught on {calibration.good_images} good images\n"
        f"limits: review from {limits.review:.3f}, fail from {limits.fail:.3f}; "
        f"overkill aimed at {calibration.target_overkill:.1%}, "
        f"to be expected between {calibration.overkill_low:.1%} and {calibration.overkill_high:.1%}"
    )
