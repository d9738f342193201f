"""inspector model optimize: a bundle's model in INT8, judged with the station's own pictures."""

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from inspector.adopt.gate import DEFECT, GOOD, Said
from inspector.adopt.optimize import Line, Loaded, Optimised, Order, Picture, optimise
from inspector.cli.screen import (
    THREADS,
    command,
    print_json,
    progress,
    results,
    say,
    share,
    whole,
)
from inspector.core.bundle import BundleManifest
from inspector.core.config import Detect
from inspector.core.errors import OperatorError
from inspector.devices.bundles import open_bundle
from inspector.devices.cameras import IMAGES, FrameMissing, read_image
from inspector.devices.engine import Engine, Image, Inference, OpenVinoModel
from inspector.teach.evaluate import auroc

EXAMPLE = """inspector model optimize models/cap --images parts/good --defect parts/defect \\
      --out models/cap-int8"""


class Report(Struct, frozen=True):
    """What came of it, as a machine reads it. Speeds are p50 on two threads."""

    bundle: str
    folder: str
    measure: str
    before: float
    after: float
    lost: float
    decisions_unchanged: float
    decisions_seen: int  # different ones of the original; 1 shows nothing of the others
    reference_difference: float
    before_ms: float
    after_ms: float
    speed_up: float
    calibration_images: int
    validation_images: int
    copies_left_out: int
    int8_operations: int


def add(group: Any) -> None:
    made = command(group, "optimize", "make a bundle's model INT8, if it stays as good", EXAMPLE)
    several: dict[str, Any] = {"type": Path, "nargs": "+", "action": "extend", "metavar": "DIR"}
    made.add_argument("bundle", type=Path, metavar="BUNDLE")
    made.add_argument(
        "--images",
        required=True,
        **several,
        help="the station's own pictures: of good parts beside --defect, else unlabelled; "
        "or a folder for each label",
    )
    made.add_argument("--defect", default=[], **several, help="defective parts, to judge by")
    made.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="a new folder")
    made.add_argument("--max-auroc-loss", type=share, default=0.005, help="default: %(default)s")
    made.add_argument(
        "--max-f1-loss", type=share, default=0.01, help="or decisions changed; default: %(default)s"
    )
    made.add_argument(
        "--max-difference",
        type=share,
        default=0.25,
        help="of a reference's value, 1 being the fail limit; default: %(default)s",
    )
    made.add_argument("--threads", type=whole(*THREADS), default=2, help="default: %(default)s")
    made.add_argument(
        "--seed", type=whole(0, 2**31), default=0, help="of the split; default: %(default)s"
    )
    made.set_defaults(command=_optimize)


def _optimize(arguments: argparse.Namespace) -> int:
    bundle = open_bundle(arguments.bundle)
    order = Order(
        bundle=bundle.folder,
        out=arguments.out,
        auroc_loss=arguments.max_auroc_loss,
        f1_loss=arguments.max_f1_loss,
        difference=arguments.max_difference,
        seed=arguments.seed,
    )
    pictures = listed(arguments.images, arguments.defect)
    with progress() as bar, _engine(arguments.threads) as line:
        tasks: dict[str, Any] = {}

        def advance(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=100)
            bar.update(tasks[step], completed=round(100 * done))

        made = optimise(bundle.manifest, order, pictures, line, advance)
    report = _report(made, arguments.out)
    if report.measure == "agreement" and report.decisions_seen < 2:
        say("note: the original decides alike on all of them, so this proves little; give --defect")
    if arguments.json:
        print_json(report)
    else:
        _show(report)
    return 0


def listed(images: list[Path], defect: list[Path]) -> list[Picture]:
    """All pictures with their labels. Raises OperatorError for a folder without any."""
    known = GOOD if defect else None
    found = [one for folder in images for one in _of(folder, known, ())]
    return found + [one for folder in defect for one in _of(folder, DEFECT, images)]


def _of(folder: Path, label: str | None, given: Iterable[Path]) -> Iterator[Picture]:
    """The pictures of a folder, and those of the folders in it, which bear their labels; but not
    of those that are `given` already."""
    if not folder.is_dir():
        raise OperatorError(f"{folder}: no such folder")
    own = [Picture(path, label) for path in _images(folder)]
    passed = {path.resolve() for path in given}
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if inner.resolve() not in passed:
            own += [Picture(path, inner.name) for path in _images(inner)]
    if not own:
        raise OperatorError(f"{folder}: holds no image ({', '.join(sorted(IMAGES))})")
    return iter(own)


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES)


@contextmanager
def _engine(threads: int) -> Iterator[Line]:
    """The line's own engine. Drafts bear the same name and version, so each has its own cache."""
    with tempfile.TemporaryDirectory() as folder:
        loaded = 0

        def load(bundle: Path, manifest: BundleManifest) -> Loaded:
            nonlocal loaded
            loaded += 1
            settings = Detect(threads=threads, precision="f32")
            cache = Path(folder) / str(loaded)
            return _Loaded(Engine(settings, cache).load(bundle, manifest))

        yield Line(load, _read, auroc)


class _Loaded:
    """The engine's model, as `optimise` wants it."""

    def __init__(self, model: OpenVinoModel) -> None:
        self._model = model

    def put(self, frame: Image) -> Image:
        return self._model.put(frame)

    def say(self, frame: Image) -> Said:
        found = self._model.infer(frame)
        return Said(found.score if found.findings is None else _surest(found)[0], *_rest(found))

    def infer(self) -> None:
        self._model.start()
        self._model.finish()


def _surest(found: Inference) -> tuple[float, str]:
    """The confidence and name of the surest defect; a score that is no number stays one."""
    defects = [one for one in found.findings or () if one.label != GOOD]
    if found.score != found.score or not defects:
        return (found.score if found.score != found.score else 0.0), GOOD
    surest = max(defects, key=lambda one: one.confidence)
    return surest.confidence, surest.label


def _rest(found: Inference) -> tuple[str, tuple[float, ...]]:
    return (DEFECT if found.findings is None else _surest(found)[1]), found.values


def _read(path: Path) -> Image:
    try:
        return read_image(path)
    except FrameMissing as missing:
        raise OperatorError(f"{missing.reason}; remove it or copy it again") from None


def _report(made: Optimised, out: Path) -> Report:
    return Report(
        bundle=made.manifest.id,
        folder=str(out),
        measure=made.loss.measure,
        before=round(made.loss.before, 6),
        after=round(made.loss.after, 6),
        lost=round(made.loss.lost, 6),
        decisions_unchanged=round(made.loss.agreement, 6),
        decisions_seen=made.loss.kinds,
        reference_difference=round(made.difference, 6),
        before_ms=round(made.speed.before, 3),
        after_ms=round(made.speed.after, 3),
        speed_up=round(made.speed.gain, 3),
        calibration_images=made.calibration,
        validation_images=made.loss.images,
        copies_left_out=made.copies,
        int8_operations=made.operations,
    )


def _show(found: Report) -> None:
    results.print(
        f"{found.bundle} in {found.folder}: INT8, calibrated with {found.calibration_images} "
        f"pictures, judged by {found.validation_images} others\n"
        f"{found.measure} {found.before:.4f} before, {found.after:.4f} after; "
        f"{found.decisions_unchanged:.1%} of the decisions unchanged\n"
        f"inference {found.before_ms:.2f} ms before, {found.after_ms:.2f} ms after: "
        f"{found.speed_up:.1f} times as fast"
    )
    if found.copies_left_out:
        results.print(f"{found.copies_left_out} pictures left out, copies of others")
