"""inspector evaluate: how well a bundle tells good images from defective ones."""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from rich.progress import Progress

from inspector.cli.screen import command, print_json, progress, results, table
from inspector.cli.summary import Spread, spread
from inspector.core.config import Detect
from inspector.core.errors import OperatorError
from inspector.core.paths import cache_of_user
from inspector.devices.bundles import open_bundle
from inspector.devices.cameras import IMAGES, FrameMissing, read_image
from inspector.devices.engine import Engine, OpenVinoModel
from inspector.teach.evaluate import Rate, report


class Evaluation(Struct, frozen=True):
    """The figures, as a machine reads them. Rates are shares of 1."""

    bundle: str
    good: int
    defective: int
    image_auroc: float
    image_ap: float
    escape_rate: float
    escape_interval: tuple[float, float]
    overkill_rate: float
    overkill_interval: tuple[float, float]
    review_rate: float
    inference_ms: Spread


def add(commands: Any) -> None:
    made = command(
        commands,
        "evaluate",
        "score labelled images with a bundle",
        "inspector evaluate models/cap --good test/good --defect test/scratch --defect test/dent",
    )
    made.add_argument("bundle", type=Path, metavar="BUNDLE")
    made.add_argument("--good", type=Path, required=True, metavar="DIR")
    made.add_argument(
        "--defect", type=Path, required=True, action="append", metavar="DIR", help="may be repeated"
    )
    made.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    made.set_defaults(command=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    bundle = open_bundle(arguments.bundle)
    engine = Engine(Detect(threads=arguments.threads), cache_of_user())
    model = engine.load(bundle.folder, bundle.manifest)
    good = _listed([arguments.good])
    bad = _listed(arguments.defect)
    with progress() as bar:
        score = _timed(model)
        good_scores = _scores(good, score, bar, "good parts")
        bad_scores = _scores(bad, score, bar, "defective parts")
    limits = bundle.manifest.limits
    found = report(
        [value for value, _ in good_scores],
        [value for value, _ in bad_scores],
        limits.review,
        limits.fail,
    )
    times = spread(ms for _, ms in (good_scores + bad_scores)[1:])  # the first one warms up
    evaluation = Evaluation(
        bundle=bundle.manifest.id,
        good=found.good,
        defective=found.bad,
        image_auroc=round(found.auroc, 4),
        image_ap=round(found.average_precision, 4),
        escape_rate=_share(found.escapes),
        escape_interval=_interval(found.escapes),
        overkill_rate=_share(found.overkill),
        overkill_interval=_interval(found.overkill),
        review_rate=_share(found.review),
        inference_ms=times,
    )
    if arguments.json:
        print_json(evaluation)
    else:
        _show(evaluation)
    return 0


def _listed(folders: Sequence[Path]) -> list[Path]:
    files = []
    for folder in folders:
        if not folder.is_dir():
            raise OperatorError(f"{folder}: no such folder")
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES)
        if not found:
            raise OperatorError(f"{folder}: holds no image")
        files += found
    return files


def _timed(model: OpenVinoModel) -> Callable[[Path], tuple[float, float]]:
    """Score of a file and the milliseconds the model took for it."""

    def score(path: Path) -> tuple[float, float]:
        try:
            frame = read_image(path)
        except FrameMissing as missing:
            raise OperatorError(f"{missing.reason}; remove it or copy it again") from None
        model.put(frame)
        started = time.perf_counter()
        model.start()
        found = model.finish().score
        return found, 1000 * (time.perf_counter() - started)

    return score


def _scores(
    files: list[Path], score: Callable[[Path], tuple[float, float]], bar: Progress, label: str
) -> list[tuple[float, float]]:
    return [score(path) for path in bar.track(files, description=label)]


def _share(rate: Rate) -> float:
    return round(rate.hits / rate.total, 4) if rate.total else 0.0


def _interval(rate: Rate) -> tuple[float, float]:
    return round(rate.low, 4), round(rate.high, 4)


def _show(found: Evaluation) -> None:
    rows = [
        ("image AUROC", f"{found.image_auroc:.4f}", ""),
        ("image AP", f"{found.image_ap:.4f}", ""),
        ("escapes", f"{found.escape_rate:.1%}", _percent(found.escape_interval)),
        ("overkill", f"{found.overkill_rate:.1%}", _percent(found.overkill_interval)),
        ("review of good", f"{found.review_rate:.1%}", ""),
        (
            "inference p50 / p99",
            f"{found.inference_ms.p50:.2f} / {found.inference_ms.p99:.2f} ms",
            "",
        ),
    ]
    title = f"{found.bundle} on {found.good} good and {found.defective} defective images"
    results.print(table(title, ("", "found", "95 % interval"), rows))


def _percent(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.1%} to {interval[1]:.1%}"
