"""INT8 of a bundle's model: quantised with the station's own pictures, judged by others of them.

Promises: a bundle is written only where the quantised model loses no more than allowed, says of
the references what the original says within a stated bound, and judges the golden parts rightly;
else the figures are in the error and nothing is written. Limits, the pictures of references,
golden parts and a second look stay.
Never: calibrates and validates with the same picture, or changes the bundle it starts from.
"""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from inspector.adopt import gate, int8, splitting
from inspector.adopt.gate import GOOD, Auroc, Loss, Said
from inspector.adopt.int8 import serialised
from inspector.adopt.pace import Speed, measure
from inspector.core import bundle_folder
from inspector.core.bundle import BundleManifest, Metric, Proof, Provenance
from inspector.core.bundle_folder import MODEL, WEIGHTS
from inspector.core.errors import MaintainerError
from inspector.domain import parity

Image = NDArray[np.uint8]
Progress = Callable[[str, float], None]


class Loaded(Protocol):
    """A model as the line runs it."""

    def put(self, frame: Image) -> Image:
        """The frame as the model sees it, in the model's own input memory."""
        ...

    def say(self, frame: Image) -> Said: ...

    def infer(self) -> None:
        """Once more what was put last, for the clock."""
        ...


@dataclass(frozen=True)
class Line:
    """What the line does with a bundle, and how detectors are judged."""

    load: Callable[[Path, BundleManifest], Loaded]
    read: Callable[[Path], Image]
    auroc: Auroc


@dataclass(frozen=True)
class Picture:
    """A picture of the station; the label is a class or "good", None where nobody said."""

    path: Path
    label: str | None


@dataclass(frozen=True)
class Order:
    """What is to be made, and what it may cost."""

    bundle: Path
    out: Path
    auroc_loss: float = 0.005
    f1_loss: float = 0.01
    difference: float = 0.25  # of a reference value, in shares of the largest (1 at least)
    seed: int = 0


@dataclass(frozen=True)
class Optimised:
    """What came of it."""

    manifest: BundleManifest
    loss: Loss
    speed: Speed
    difference: float  # the largest of all reference values, against the original
    calibration: int
    copies: int
    operations: int  # that take INT8


def optimise(
    manifest: BundleManifest,
    order: Order,
    pictures: Sequence[Picture],
    line: Line,
    progress: Progress = lambda _step, _done: None,
) -> Optimised:
    """Quantise the bundle's model; try carefully where the fast way loses too much.

    Raises OperatorError for too few pictures, MaintainerError where NNCF is missing, the model
    cannot become INT8, or loses too much.
    """
    int8.nncf()
    bundle_folder.free_place(order.out)
    model = _read(order.bundle)
    original = line.load(order.bundle, manifest)
    parts = splitting.split(
        _seen(original, pictures, line, progress), order.seed, _normal(manifest, pictures)
    )
    judged = [pictures[sample.number] for sample in parts.validation]
    views = [sample.view for sample in parts.calibration]
    before = _said(original, judged, line, progress)
    refusals: list[str] = []
    for care in (int8.FAST, int8.CAREFUL):
        told = _step(progress, f"calibration {len(refusals) + 1}")
        made = int8.quantised(model, views, lambda view: view[None], care, told)
        attempt = _Attempt(manifest, order, line, judged, before, made)
        with tempfile.TemporaryDirectory() as folder:
            draft = attempt.draft(Path(folder))
            quantised = line.load(draft, manifest)
            found = attempt.weigh(quantised, original, progress)
            if found.refusal:
                refusals.append(found.refusal)
                continue
            speed = measure(original.infer, quantised.infer)
        written = _write(attempt, found, speed, len(views))
        copies, operations = parts.copies, int8.count(made)
        return Optimised(
            written, found.loss, speed, found.difference, len(views), copies, operations
        )
    raise MaintainerError(
        f"{order.bundle}: not written as INT8; it {'; carefully, '.join(refusals)}"
    )


@dataclass(frozen=True)
class _Found:
    """The figures of one attempt; `refusal` is empty where all is well."""

    loss: Loss
    difference: float
    values: tuple[tuple[float, ...], ...]  # of the references
    refusal: str


@dataclass(frozen=True)
class _Attempt:
    """One quantised model and what it is held against."""

    manifest: BundleManifest
    order: Order
    line: Line
    judged: Sequence[Picture]
    before: Sequence[Said]
    model: ov.Model

    def draft(self, folder: Path) -> Path:
        """The bundle's files with the new model, for the line to load."""
        for name, content in self.files().items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    def files(self) -> dict[str, bytes]:
        kept = {name: (self.order.bundle / name).read_bytes() for name in self.manifest.files}
        return kept | serialised(self.model)

    def weigh(self, quantised: Loaded, original: Loaded, progress: Progress) -> _Found:
        manifest, order = self.manifest, self.order
        after = _said(quantised, self.judged, self.line, progress)
        labels = [picture.label for picture in self.judged]
        lost = gate.loss(
            manifest.task, labels, self.before, after, manifest.limits, self.line.auroc
        )
        frames = [
            self.line.read(order.bundle / reference.image)
            for reference in manifest.proof.references
        ]
        expected = [original.say(frame).values for frame in frames]
        values = tuple(quantised.say(frame).values for frame in frames)
        apart = max(
            parity.difference(one, two) / max(1.0, *(abs(value) for value in one))
            for one, two in zip(expected, values, strict=True)
        )
        refusal = _refusal(lost, apart, order) or self._golden(quantised)
        return _Found(lost, apart, values, refusal)

    def _golden(self, quantised: Loaded) -> str:
        """What is wrong with its judgement of the golden parts, if anything."""
        manifest = self.manifest
        for names, right in ((manifest.golden.good, True), (manifest.golden.defective, False)):
            for name in names:
                said = quantised.say(self.line.read(self.order.bundle / name))
                if (gate.decision(said, manifest.limits, manifest.task) == GOOD) != right:
                    return f"judges golden part {name} wrongly (score {said.score:.3f})"
        return ""


def _refusal(lost: Loss, apart: float, order: Order) -> str:
    allowed = order.auroc_loss if lost.measure == "AUROC" else order.f1_loss
    if not lost.lost <= allowed:
        return (
            f"loses {lost.lost:.4f} of {lost.measure} ({lost.before:.4f} to {lost.after:.4f} on "
            f"{lost.images} pictures, {allowed:g} allowed)"
        )
    if not apart <= order.difference:
        return f"differs by {apart:.2f} at a reference ({order.difference:g} allowed)"
    return ""


def _read(folder: Path) -> ov.Model:
    """The original. Raises MaintainerError where it is INT8 already, or has nothing to quantise."""
    try:
        model = ov.Core().read_model(folder / MODEL)
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1][:200]
        raise MaintainerError(f"{folder / MODEL}: OpenVINO cannot read it ({last})") from None
    if int8.count(model):
        raise MaintainerError(f"{folder}: its model is INT8 already; nothing to optimise")
    if not int8.heavy(model):
        raise MaintainerError(f"{folder}: its model has nothing that INT8 could make faster")
    return model


def _normal(manifest: BundleManifest, pictures: Sequence[Picture]) -> str | None:
    """An anomaly model is calibrated with good parts alone, where they are known."""
    known = any(picture.label == GOOD for picture in pictures)
    return GOOD if manifest.task == "anomaly" and known else None


def _seen(
    model: Loaded, pictures: Sequence[Picture], line: Line, progress: Progress
) -> list[splitting.Sample]:
    samples = []
    for number, picture in enumerate(pictures):
        view = model.put(line.read(picture.path)).copy()
        samples.append(splitting.Sample(number, view, picture.label))
        progress("pictures", (number + 1) / len(pictures))
    return samples


def _said(model: Loaded, pictures: Sequence[Picture], line: Line, progress: Progress) -> list[Said]:
    said = []
    for number, picture in enumerate(pictures):
        said.append(model.say(line.read(picture.path)))
        progress("validation", (number + 1) / len(pictures))
    return said


def _step(progress: Progress, step: str) -> Callable[[float], None]:
    return lambda done: progress(step, done)


def _write(attempt: _Attempt, found: _Found, speed: Speed, calibration: int) -> BundleManifest:
    manifest, order = attempt.manifest, attempt.order
    references = tuple(
        msgspec.structs.replace(reference, values=values)
        for reference, values in zip(manifest.proof.references, found.values, strict=True)
    )
    metrics = tuple(_metrics(found, speed, calibration, manifest))
    changed: dict[str, Any] = {
        "provenance": _provenance(manifest, order.bundle),
        "proof": Proof(tolerance=manifest.proof.tolerance, references=references),
        "metrics": (*manifest.metrics, *metrics),
    }

    def describe(version: str, digests: dict[str, str]) -> BundleManifest:
        return msgspec.structs.replace(manifest, version=version, files=digests, **changed)

    return bundle_folder.write(order.out, attempt.files(), describe)


def _metrics(
    found: _Found, speed: Speed, calibration: int, manifest: BundleManifest
) -> list[Metric]:
    data = f"pictures of the station; {calibration} others calibrated; against {manifest.id}"
    lost = found.loss
    figures = {
        f"int8 {lost.measure} lost": lost.lost,
        f"int8 {lost.measure}": lost.after,
        "int8 decisions unchanged": lost.agreement,
        "int8 speed-up": speed.gain,
        "int8 largest reference difference": found.difference,
    }
    return [
        Metric(name=name, value=round(value, 6), images=lost.images, data=data)
        for name, value in figures.items()
    ]


def _provenance(manifest: BundleManifest, folder: Path) -> Provenance:
    model = b"".join((folder / name).read_bytes() for name in (MODEL, WEIGHTS))
    return Provenance(
        made_from=f"{manifest.id} (INT8 by nncf {package_version('nncf')})",
        source_sha256=hashlib.sha256(model).hexdigest(),
        inspector=package_version("inspector"),
        openvino=ov.__version__,
    )
