"""inspector evaluate: how well a bundle tells good images from defective ones."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from inspector.cli.figures import Evaluation, figures
from inspector.cli.screen import THREADS, command, print_json, progress, results, say, table, whole
from inspector.cli.sheet import between, check_place, percent, write_report
from inspector.cli.trial import Trial, recipe_for
from inspector.core.config import Detect
from inspector.core.paths import cache_of_user
from inspector.devices.bundles import open_bundle
from inspector.devices.engine import Engine
from inspector.teach.labelled import Labelled, listed

EXAMPLE = """inspector evaluate models/cap --good sample_data/cap/test/good \\
      --defect sample_data/cap/test --masks sample_data/cap/masks --report cap.html"""


def add(commands: Any) -> None:
    made = command(
        commands,
        "evaluate",
        "judge labelled images with a bundle: errors, and where it looks",
        EXAMPLE,
    )
    several: dict[str, Any] = {"type": Path, "nargs": "+", "action": "extend", "metavar": "DIR"}
    made.add_argument("bundle", type=Path, metavar="BUNDLE")
    made.add_argument("--good", required=True, **several, help="folders of good images")
    made.add_argument(
        "--defect",
        required=True,
        **several,
        help="a folder for each defect class, or one that holds such folders",
    )
    made.add_argument(
        "--masks", type=Path, metavar="DIR", help="masks of the defects, a folder for each class"
    )
    made.add_argument(
        "--recipe", type=Path, metavar="FILE", help="whose limits, region and findings count"
    )
    made.add_argument("--report", type=Path, metavar="FILE", help="write an HTML page")
    made.add_argument("--device", default="CPU", help="default: %(default)s")
    made.add_argument("--precision", choices=["f32", "auto"], default="f32")
    made.add_argument("--threads", type=whole(*THREADS), default=2, help="default: %(default)s")
    made.set_defaults(command=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    check_place(arguments.report)
    images = listed(arguments.good, arguments.defect, arguments.masks)
    bundle = open_bundle(arguments.bundle)
    recipe = recipe_for(bundle.manifest, arguments.recipe)
    settings = Detect(
        device=arguments.device, threads=arguments.threads, precision=arguments.precision
    )
    trial = Trial(bundle, recipe, Engine(settings, cache_of_user()))
    with progress() as bar:
        seen = list(bar.track(trial.run(images), total=len(images), description="images"))
        follow = partial(bar.track, description="pixels")
        found = figures(bundle.manifest, settings, recipe.limits, seen, follow)
    if arguments.masks:
        _say_unmasked(images)
    if arguments.report:
        write_report(arguments.report, found, bundle.manifest, recipe, seen)
        say(f"report: {arguments.report}")
    if arguments.json:
        print_json(found)
    else:
        _show(found)
    return 0


def _say_unmasked(images: list[Labelled]) -> None:
    bare = [one.path for one in images if one.defective and not one.mask]
    if bare:
        say(f"{bare[0]}: no mask, nor for {len(bare) - 1} others; not in the pixel figures")


def _show(found: Evaluation) -> None:
    times = found.inference_ms
    rows = [
        ("image AUROC", f"{found.image_auroc:.4f}", ""),
        ("image AP", f"{found.image_ap:.4f}", ""),
        ("pixel AUROC", _or_none(found.pixel_auroc), ""),
        ("AUPRO", _or_none(found.aupro), ""),
        ("escapes", percent(found.escape_rate), between(found.escape_interval)),
        ("overkill", percent(found.overkill_rate), between(found.overkill_interval)),
        ("review of good", percent(found.review_rate), between(found.review_interval)),
        ("inference p50 / p99", f"{times.p50:.2f} / {times.p99:.2f} ms", ""),
    ]
    title = f"{found.bundle} on {found.good} good and {found.defective} defective images"
    results.print(table(title, ("", "found", "95 % interval"), rows))
    classes = [
        (
            one.name,
            one.images,
            f"{one.image_auroc:.4f}",
            percent(one.escape_rate),
            between(one.escape_interval),
        )
        for one in found.classes
    ]
    head = ("defect class", "images", "AUROC", "escapes", "95 % interval")
    results.print(table("", head, classes))
    if found.second_look:
        look = found.second_look
        results.print(
            f"second look: {look.grey} grey parts, {look.right} settled rightly, "
            f"{look.wrong} wrongly, {look.unsettled} left; {look.cost_ms.p50:.2f} ms each"
        )


def _or_none(value: float | None) -> str:
    return "no masks" if value is None else f"{value:.4f}"
