"""inspector teach: from a folder of good images to a bundle, and a recipe that uses it."""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from inspector.cli.screen import command, print_json, progress, results
from inspector.core.errors import OperatorError
from inspector.procedures.shipped_files import backbone
from inspector.procedures.teaching import EYES
from inspector.teach.pipeline import Taught, teach
from inspector.teach.settings import Settings


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
    made.add_argument(
        "--defect",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="images of known defects, which sharpen the limits; may be repeated",
    )
    usual = Settings()
    made.add_argument(
        "--target-overkill",
        type=float,
        default=usual.target_overkill,
        metavar="SHARE",
        help="of good parts that may fail; default: %(default)s",
    )
    made.add_argument(
        "--side", type=int, default=usual.side, help="of the model's view; default: %(default)s"
    )
    made.add_argument(
        "--second-look",
        action="store_true",
        help="add a finer, slower model for parts in doubt, used where the deadline leaves time",
    )
    made.add_argument("--seed", type=int, default=usual.seed, help="default: %(default)s")
    made.set_defaults(command=_teach)


def settings(side: int, target_overkill: float, seed: int, second_look: bool = False) -> Settings:
    """Raises OperatorError for what cannot be taught with."""
    if side % 32 or not 64 <= side <= 1024:
        raise OperatorError(f"--side {side}: must be a multiple of 32 from 64 to 1024")
    if not 0 < target_overkill <= 0.2:
        raise OperatorError(f"--target-overkill {target_overkill}: must be above 0, at most 0.2")
    share = max(Settings().review_share, min(0.5, 5 * target_overkill))
    return Settings(
        side=side,
        target_overkill=target_overkill,
        review_share=share,
        seed=seed,
        second_look=second_look,
    )


def _teach(arguments: argparse.Namespace) -> int:
    given = settings(
        arguments.side, arguments.target_overkill, arguments.seed, arguments.second_look
    )
    with progress() as bar:
        tasks: dict[str, Any] = {}

        def advance(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=100)
            bar.update(tasks[step], completed=round(100 * done))

        taught = teach(
            arguments.good,
            backbone(),
            arguments.name,
            arguments.out,
            EYES,
            given,
            advance,
            arguments.defect,
        )
    if arguments.json:
        print_json(told(taught))
    else:
        _show(taught, arguments.out)
    return 0


def told(taught: Taught) -> dict[str, Any]:
    """The manifest, the notes and the images set aside, for a machine."""
    aside = [{"image": one.path.name, "reason": one.reason} for one in taught.aside]
    manifest: dict[str, Any] = msgspec.to_builtins(taught.manifest)
    return {**manifest, "notes": list(taught.notes), "set_aside": aside}


def _show(taught: Taught, out: Path) -> None:
    manifest = taught.manifest
    calibration, limits = manifest.calibration, manifest.limits
    assert calibration  # a taught bundle has one
    lines = [
        f"{manifest.id} in {out}: taught on {calibration.good_images} good images",
        *(f"- {note}" for note in taught.notes),
        *(f"- set aside: {one.path.name} {one.reason}" for one in taught.aside),
        f"limits: review from {limits.review:.3f}, fail from {limits.fail:.3f}; "
        f"overkill aimed at {calibration.target_overkill:.1%}, "
        f"to be expected between {calibration.overkill_low:.1%} "
        f"and {calibration.overkill_high:.1%}",
        *(f"{one.name}: {one.value:.3f} on {one.images} {one.data}" for one in manifest.metrics),
    ]
    results.print("\n".join(lines))
