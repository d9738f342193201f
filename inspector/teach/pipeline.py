"""Teaches one product: a folder of good images becomes a bundle.

Promises: the same images, backbone, settings and seed give the same bundle; no defect image is
needed, and none is used.
Never runs on the line: this is done beside it, and takes a minute or two.

The whole image is averaged down to 256x256, as the engine does at run time. The position
weight is the one that best parts held-out good images from the same images with synthetic defects.
"""

import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np
import openvino as ov
from msgspec import Struct
from numpy.typing import NDArray

from inspector.core import bundle_folder
from inspector.core.bundle import (
    BundleManifest,
    Calibration,
    Input,
    Limits,
    Proof,
    Provenance,
    Reference,
)
from inspector.domain import parity
from inspector.teach import calibrate, fit, graph, images, references, synthetic
from inspector.teach.features import Backbone

TOLERANCE = 0.05  # of a score, 1.0 being the fail limit

Grid = NDArray[np.float32]
Progress = Callable[[str, float], None]
Pixel = Literal["mono8", "bgr8"]


class Settings(Struct, frozen=True):
    """What teaching may be told. Shares are in (0,1); `pixel` None means as the images are."""

    pixel: Pixel | None = None
    memory: int = 1000
    worst: int = 4
    weights: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0)
    target_overkill: float = 0.01
    review_share: float = 0.05
    folds: int = 10
    choosing_folds: int = 4
    defects: int = 60
    seed: int = 0
    threads: int = 0


class Facts(Struct, frozen=True):
    """What the manifest says before its files are written."""

    name: str
    input: Input
    limits: Limits
    calibration: Calibration
    provenance: Provenance
    proof: Proof

    def manifest(self, version: str, files: dict[str, str]) -> BundleManifest:
        return BundleManifest(
            schema=1,
            name=self.name,
            version=version,
            task="anomaly",
            input=self.input,
            limits=self.limits,
            calibration=self.calibration,
            provenance=self.provenance,
            proof=self.proof,
            files=files,
        )


def _silent(_step: str, _done: float) -> None:
    """No progress wanted."""


def _held_out(grid: Grid, weight: float, given: Settings) -> NDArray[np.float32]:
    """Raw score of every image against a memory of the other folds' images. [N]."""
    found = np.zeros(len(grid), np.float32)
    for kept, held in calibrate.folds(len(grid), given.folds, given.seed):
        memory = fit.memorise(grid[kept], weight, given.memory, given.seed)
        maps = fit.distances(grid[held], memory, weight)
        found[held] = fit.scores(maps, given.worst)
    return found


def choose_weight(grid: Grid, spoilt: Grid, given: Settings, progress: Progress) -> float:
    """The position weight that best parts held-out good images from their spoilt copies.

    `spoilt` holds whole rounds of copies, each in the order of `grid`.
    """
    worth = []
    for number, weight in enumerate(given.weights):
        good, bad = np.zeros(len(grid)), np.zeros(len(spoilt))
        origin = np.arange(len(spoilt)) % len(grid)
        for kept, held in calibrate.folds(len(grid), given.choosing_folds, given.seed):
            memory = fit.memorise(grid[kept], weight, given.memory, given.seed)
            good[held] = fit.scores(fit.distances(grid[held], memory, weight), given.worst)
            copies = np.isin(origin, held)
            bad[copies] = fit.scores(fit.distances(spoilt[copies], memory, weight), given.worst)
        worth.append(calibrate.separation(good, bad))
        progress("positions", (number + 1) / len(given.weights))
    return given.weights[int(np.argmax(worth))]


def _extract(backbone: Backbone, frames: NDArray[np.uint8], progress: Progress, step: str) -> Grid:
    grids = []
    for number, frame in enumerate(frames):
        grids.append(backbone(frame[None]))
        progress(step, (number + 1) / len(frames))
    return np.concatenate(grids)


def _program() -> str:
    try:
        return package_version("inspector")
    except PackageNotFoundError:
        return "uninstalled"


def _pixel(loaded: Sequence[images.Image], given: Settings) -> Pixel:
    """As told, or else as the images are: one colour image makes the product a colour one."""
    if given.pixel is not None:
        return given.pixel
    return "mono8" if all(image.ndim == 2 for image in loaded) else "bgr8"


def _calibration(
    limits: calibrate.Limits, given: Settings, images_used: int, weight: float, memory: int
) -> Calibration:
    return Calibration(
        good_images=images_used,
        target_overkill=given.target_overkill,
        overkill_low=limits.overkill_low,
        overkill_high=limits.overkill_high,
        position_weight=weight,
        memory=memory,
    )


def _provenance(made_from: str, backbone_sha256: str) -> Provenance:
    return Provenance(
        made_from=made_from,
        source_sha256=backbone_sha256,
        inspector=_program(),
        openvino=ov.__version__,
    )


def serialised(model: ov.Model) -> dict[str, bytes]:
    """The model's two files, weights as FP16."""
    with tempfile.TemporaryDirectory() as folder:
        ov.save_model(model, Path(folder) / bundle_folder.MODEL, compress_to_fp16=True)
        names = (bundle_folder.MODEL, bundle_folder.WEIGHTS)
        return {name: (Path(folder) / name).read_bytes() for name in names}


def prove(model: ov.Model, frames: NDArray[np.uint8]) -> Proof:
    """What the model says of the reference images, in full precision."""
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(model, "CPU", options)
    found = []
    for number, frame in enumerate(frames):
        outputs = compiled(frame[None])
        score, heatmap = float(outputs["score"].item()), outputs["heatmap"][0]
        values = parity.of_heatmap(score, np.asarray(heatmap, np.float32))
        found.append(Reference(image=f"reference/{number:02}.png", values=values))
    return Proof(tolerance=TOLERANCE, references=tuple(found))


def teach(
    source: Path | Sequence[Path],
    backbone: Path,
    name: str,
    out: Path,
    shrink: images.Shrink,
    settings: Settings | None = None,
    progress: Progress = _silent,
) -> BundleManifest:
    """Teach `name` from the good images in `source` and write the bundle folder `out`.

    `backbone` is backbone.xml; `shrink` reduces an image as the line will; `progress` is told a
    step and its share done, 0..1.
    Raises OperatorError for images that cannot be taught from, MaintainerError for the rest.
    """
    given = settings or Settings()
    bundle_folder.check_name(name)
    bundle_folder.free_place(out)
    network = Backbone(backbone, images.SIDE, given.threads)
    loaded = images.load(source, shrink)
    pixel = _pixel(loaded, given)
    frames = images.as_pixel(loaded, pixel)
    grid = _extract(network, frames, progress, "good parts")
    copies = ceil(given.defects / len(frames))
    defects = synthetic.defects(np.tile(frames, (copies, 1, 1, 1)), given.seed)
    spoilt = _extract(network, defects, progress, "synthetic defects")
    weight = choose_weight(grid, spoilt, given, progress)
    limits = calibrate.calibrate(
        _held_out(grid, weight, given), given.target_overkill, given.review_share
    )
    progress("limits", 1.0)
    memory = fit.memorise(grid, weight, given.memory, given.seed)
    places = weight * fit.positions(*grid.shape[1:3])
    model = graph.compose(backbone, images.SIDE, pixel, memory, places, limits.scale, given.worst)
    made_from = source.name if isinstance(source, Path) else "list"
    raw = [images.read(path) for path in images.evenly(images.listed(source), 7)]
    pictures = references.frames(raw, given.seed)
    files = serialised(model)
    small = images.as_pixel([shrink(picture) for picture in pictures], pixel)
    proof = prove(model, small)
    files |= {
        reference.image: references.packed(picture)
        for reference, picture in zip(proof.references, pictures, strict=True)
    }
    calibration = _calibration(limits, given, len(frames), weight, len(memory))
    facts = Facts(
        name=name,
        input=Input(width=frames.shape[2], height=frames.shape[1], pixel=pixel),
        limits=Limits(review=limits.review, fail=limits.fail),
        calibration=calibration,
        provenance=_provenance(made_from, network.sha256),
        proof=proof,
    )
    written = bundle_folder.write(out, files, facts.manifest)
    progress("bundle", 1.0)
    return written
