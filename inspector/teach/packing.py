"""From a fitted product to its bundle folder: model, template, references, golden parts, metrics.

Promises: what the references must say is what the very graph says of the very view that the line
sees; a golden part passes by the bundle's own limits.
Never sets a limit.
"""

import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path

import numpy as np
import openvino as ov
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from inspector.core import bundle_folder
from inspector.core.bundle import (
    LOST,
    BundleManifest,
    Calibration,
    Golden,
    Input,
    Limits,
    Metric,
    Proof,
    Provenance,
    Reference,
    Registration,
    SecondLook,
)
from inspector.domain import parity
from inspector.teach import calibrate, evaluate, graph, references
from inspector.teach.eyes import Image, view
from inspector.teach.fitting import Fitted
from inspector.teach.looks import Look
from inspector.teach.settings import Settings

TOLERANCE = 0.05  # of a score, 1.0 being the fail limit
GOLDEN = 2
SECOND = "second.xml"


class Facts(Struct, frozen=True):
    """What the manifest says before its files are written."""

    name: str
    input: Input
    limits: Limits
    registration: Registration | None
    second: SecondLook | None
    calibration: Calibration
    provenance: Provenance
    proof: Proof
    golden: Golden
    metrics: tuple[Metric, ...]

    def manifest(self, version: str, files: dict[str, str]) -> BundleManifest:
        return BundleManifest(
            schema=1,
            name=self.name,
            version=version,
            task="anomaly",
            input=self.input,
            limits=self.limits,
            registration=self.registration,
            second=self.second,
            calibration=self.calibration,
            provenance=self.provenance,
            proof=self.proof,
            golden=self.golden,
            metrics=self.metrics,
            files=files,
        )


def serialised(model: ov.Model, xml: str = bundle_folder.MODEL) -> dict[str, bytes]:
    """The model's two files, weights as FP16."""
    with tempfile.TemporaryDirectory() as folder:
        ov.save_model(model, Path(folder) / xml, compress_to_fp16=True)
        names = (xml, xml.removesuffix(".xml") + ".bin")
        return {name: (Path(folder) / name).read_bytes() for name in names}


class Judged:
    """The finished graph, asked as the line will ask it."""

    def __init__(self, model: ov.Model, look: Look, fail: float, threads: int) -> None:
        options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
        self._compiled = ov.Core().compile_model(model, "CPU", options)
        self._look, self._fail = look, fail

    def values(self, frame: Image) -> tuple[float, ...]:
        """As `domain.parity` orders them: the score first."""
        image, seen = view(self._look.sight, frame, self._look.size)
        outputs = self._compiled(image[None])
        heatmap = self._look.sight.back(np.asarray(outputs["heatmap"][0], np.float32), seen)
        score = float(outputs["score"].item())
        return parity.of_heatmap(max(score, LOST * self._fail) if seen.lost else score, heatmap)


def pack(
    backbone: Path,
    found: Fitted,
    frames: Sequence[Image],
    defects: Sequence[Image],
    second: Fitted | None,
    set_aside: int,
    given: Settings,
    name: str,
    provenance: Provenance,
    out: Path,
) -> BundleManifest:
    """Write the bundle. `frames` are the good ones in the order of `found.good`, `defects` the
    labelled ones."""
    look = found.seen.look
    model, judged = _composed(backbone, found, given.threads)
    files = serialised(model)
    closer = None
    if second is not None:
        finer, closer = _composed(backbone, second, given.threads)
        files |= serialised(finer, SECOND)
    proof, pictures = _proof(judged, closer, frames, given.seed)
    golden, parts = _golden(judged, found, frames, defects)
    files |= pictures | parts
    if look.posed is not None:
        files[look.posed.registration.template] = _packed(look.posed.template)
    facts = Facts(
        name=name,
        input=look.size,
        limits=_limits(found),
        second=_second(second),
        registration=look.posed.registration if look.posed is not None else None,
        calibration=_calibration(found, given, set_aside, len(defects)),
        provenance=provenance,
        proof=proof,
        golden=golden,
        metrics=_metrics(found),
    )
    return bundle_folder.write(out, files, facts.manifest)


def _composed(backbone: Path, found: Fitted, threads: int) -> tuple[ov.Model, Judged]:
    look = found.seen.look
    size = look.size
    model = graph.compose(backbone, size.width, size.height, size.pixel, found.head)
    return model, Judged(model, look, found.limits.fail, threads)


def _limits(found: Fitted) -> Limits:
    return Limits(review=found.limits.review, fail=found.limits.fail)


def _second(found: Fitted | None) -> SecondLook | None:
    if found is None:
        return None
    return SecondLook(model=SECOND, input=found.seen.look.size, limits=_limits(found))


def provenance(made_from: str, backbone_sha256: str) -> Provenance:
    return Provenance(
        made_from=made_from,
        source_sha256=backbone_sha256,
        inspector=_program(),
        openvino=ov.__version__,
    )


def _program() -> str:
    try:
        return package_version("inspector")
    except PackageNotFoundError:
        return "uninstalled"


def _proof(
    judged: Judged, closer: Judged | None, frames: Sequence[Image], seed: int
) -> tuple[Proof, dict[str, bytes]]:
    """What both looks say of the reference images, in full precision; and these images."""
    pictures = references.frames(frames, seed)
    names = [f"reference/{number:02}.png" for number in range(len(pictures))]
    said = tuple(
        Reference(
            image=name,
            values=judged.values(picture),
            second=closer.values(picture) if closer else (),
        )
        for name, picture in zip(names, pictures, strict=True)
    )
    packed = {name: _packed(p) for name, p in zip(names, pictures, strict=True)}
    return Proof(tolerance=TOLERANCE, references=said), packed


def _golden(
    judged: Judged, found: Fitted, frames: Sequence[Image], defects: Sequence[Image]
) -> tuple[Golden, dict[str, bytes]]:
    """Usual good parts that pass, and labelled defects that fail, as this very model says."""
    usual = np.argsort(np.abs(found.good - np.median(found.good)))
    obvious = np.argsort(-found.defects)
    good = [references.fitted(frames[index]) for index in usual[: 2 * GOLDEN]]
    bad = [references.fitted(defects[index]) for index in obvious[: 2 * GOLDEN]]
    good = [frame for frame in good if judged.values(frame)[0] < found.limits.review][:GOLDEN]
    bad = [frame for frame in bad if judged.values(frame)[0] >= found.limits.fail][:GOLDEN]
    files = {
        f"golden/{word}_{number:02}.png": _packed(frame)
        for word, some in (("good", good), ("defective", bad))
        for number, frame in enumerate(some)
    }
    fine, poor = (tuple(n for n in files if f"/{w}_" in n) for w in ("good", "defective"))
    return Golden(good=fine, defective=poor), files


def _packed(image: NDArray[np.uint8]) -> bytes:
    return references.packed(image)


def _calibration(found: Fitted, given: Settings, set_aside: int, defects: int) -> Calibration:
    return Calibration(
        good_images=len(found.good),
        set_aside=set_aside,
        defect_images=defects,
        target_overkill=given.target_overkill,
        overkill_low=found.limits.overkill_low,
        overkill_high=found.limits.overkill_high,
        position_weight=found.choice.weight,
        evened=found.choice.evened,
        alarm=found.learnt is not None,
        memory=len(found.head.memory),
    )


def _metrics(found: Fitted) -> tuple[Metric, ...]:
    synthetic = Metric(
        name="synthetic_auroc",
        value=evaluate.auroc(found.good, found.spoilt),
        images=len(found.spoilt),
        data="copies of good parts with synthetic defects",
    )
    limits = _limits(found)
    return (
        overkill(found.good, limits),
        synthetic,
        *([escapes(found.defects, limits)] if len(found.defects) else []),
    )


def overkill(good: ArrayLike, limits: Limits) -> Metric:
    """Of held-out scores of good parts, the share that fails."""
    return _share("overkill", np.asarray(good) >= limits.fail, "good parts, held out in turn")


def escapes(defects: ArrayLike, limits: Limits) -> Metric:
    """Of scores of labelled defects, the share that passes."""
    data = "labelled defects; the alarm was held out, the limits were not"
    return _share("escapes", np.asarray(defects) < limits.review, data)


def _share(name: str, hits: NDArray[np.bool_], data: str) -> Metric:
    """How many of these, with the interval of the rate."""
    count = int(hits.sum())
    low, high = calibrate.interval(count, len(hits))
    return Metric(
        name=name, value=count / len(hits), low=low, high=high, images=len(hits), data=data
    )
