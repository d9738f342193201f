"""Taking in a foreign model: from its file to a bundle that is proven against the original.

Promises: the reference values come from the untouched model, fed and read by numpy; the bundle's
own network must say the same on this very box, or nothing is written.
Never: trains, quantises, or needs the library that exported the model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from inspector.adopt import anomaly, classification, detection, facts, network, pictures, pixels
from inspector.adopt import segmentation as areas
from inspector.adopt import source as sources
from inspector.adopt.graphs import serialised
from inspector.adopt.terms import Asked, Colours, Facts, Head, Image, Source, Tensors
from inspector.core import bundle_folder
from inspector.core.bundle import BundleManifest, Input, Limits, Proof, Provenance, Reference, Task
from inspector.core.errors import EngineerError, MaintainerError
from inspector.domain import parity

TOLERANCE = 0.05  # of a score or a confidence, on any box
EXACT = 0.01  # on this box against the original, of the largest value, and of a box's edges
COLOURED = 1.0  # grey values between red and blue, on average
ROUNDED = 1e-4  # what the order of additions may change
FAIL = 0.5  # confidence from which a finding fails, unless the export states one
DOUBT = 0.6  # review starts at this share of the fail limit, as in 0.3 of 0.5
DOUBT_OF_ANOMALY = 0.9
DRAWN = "proven on drawn pictures; give --references with some of the station's own"
BLIND = (
    "on these references the model says next to the same with {}, so they prove little; give "
    "--references where it finds something"
)

Put = Callable[[Image, Input], Image]  # a frame as the line puts it in front of the model
Values = Callable[[Task, tuple[str, ...], Tensors], tuple[float, ...]]


@dataclass(frozen=True)
class Line:
    """What the line does with a bundle; references are made by the very same."""

    put: Put
    values: Values  # task, classes and outputs to what `domain.parity` compares


@dataclass(frozen=True)
class Order:
    """What is to become of a model."""

    name: str
    out: Path
    asked: Asked
    review: float | None = None
    fail: float | None = None


@dataclass(frozen=True)
class Adopted:
    """A written bundle, and what a person should know of it."""

    manifest: BundleManifest
    facts: Facts
    remarks: tuple[str, ...]
    difference: float  # from the original, the largest of all reference values


def adopt(path: Path, order: Order, frames: Sequence[Image], line: Line) -> Adopted:
    """Read the model, prove it on `frames` (whole frames of the station; none: drawn ones) and
    write the bundle. Raises MaintainerError saying what is missing, EngineerError where the
    bundle's network says something else than the original."""
    bundle_folder.check_name(order.name)
    bundle_folder.free_place(order.out)
    source = sources.read(path, order.asked.size)
    known = facts.read(source, order.asked)
    size = _input(source, known, order.asked)
    whole = pictures.chosen(frames, size)
    seen = [line.put(frame, size) for frame in whole]
    said = network.original(source, [pixels.plain(source, known.pixels, one) for one in seen])
    head = _head(source, known, said)
    limits = _limits(source, known, head, order)
    expected = [head.plain(one) for one in said]
    model = network.composed(source, pixels.graph(source, known.pixels, size.pixel), head)
    found = network.answers(source, model, seen)
    values = [line.values(head.task, head.classes, one) for one in expected]
    again = [line.values(head.task, head.classes, one) for one in found]
    difference = _proven(source, expected, found, values, again, head)
    written = _write(order, source, head, size, limits, _proof(values), model, whole)
    remarks = [*known.remarks, *([] if frames else [DRAWN])]
    remarks += _blind(source, known, head, seen, values, line)
    return Adopted(written, known, tuple(remarks), difference)


def _head(source: Source, known: Facts, said: list[list[NDArray[Any]]]) -> Head:
    if known.kind in ("anomalib", "geti-anomaly"):
        return anomaly.head(source, known)
    if known.kind in ("yolo-classify", "geti-classify"):
        return classification.head(source, known, said)
    if known.kind == "geti-segment":
        return areas.head(source, known, said)
    return detection.head(source, known)


def _input(source: Source, known: Facts, asked: Asked) -> Input:
    own: Literal["mono8", "bgr8"] = "mono8" if source.channels == 1 else "bgr8"
    if asked.pixel == "bgr8" and own == "mono8":
        raise source.refuse("takes 1 channel; a colour picture is made grey, so use --pixel mono8")
    return Input(
        width=source.width,
        height=source.height,
        pixel=asked.pixel or own,
        fit=known.pixels.fit,
        pad=known.pixels.pad if known.pixels.fit == "letterbox" else 114,
    )


def _limits(source: Source, known: Facts, head: Head, order: Order) -> Limits:
    """As told, or else: an anomaly fails at the export's threshold, which is score 1."""
    anomalous = head.task == "anomaly"
    own = 1.0 if anomalous else known.confidence or FAIL
    fail = own if order.fail is None else order.fail
    doubt = fail * (DOUBT_OF_ANOMALY if anomalous else DOUBT)
    review = doubt if order.review is None else order.review
    if not 0 < review <= fail:
        raise MaintainerError(
            f"review {review:g} and fail {fail:g}: review must lie above 0 and not above fail"
        )
    if not anomalous and fail > 1:
        raise source.refuse(f"fail {fail:g} lies above 1, and confidences end there; give --fail")
    return Limits(review=round(review, 6), fail=fail)


def _proven(
    source: Source,
    expected: Sequence[Tensors],
    found: Sequence[Tensors],
    values: Sequence[tuple[float, ...]],
    again: Sequence[tuple[float, ...]],
    head: Head,
) -> float:
    """The largest difference between the original and the bundle's network. Raises."""
    if not np.isfinite(np.concatenate([np.asarray(one) for one in values])).all():
        raise source.refuse("says NaN or infinity of a reference picture; export it again")
    _confident(source, expected, values)
    _all_named(source, head, expected)
    apart = max(parity.difference(one, two) for one, two in zip(values, again, strict=True))
    largest = max(abs(value) for one in values for value in one)
    if apart > EXACT * largest + ROUNDED:
        raise EngineerError(
            f"{source.path}: as a bundle it differs by {apart:.3f} from the original; nothing was "
            "written, report this model's export"
        )
    for one, two in zip(expected, found, strict=True):
        if "boxes" in one and not _same_boxes(one, two):
            raise EngineerError(
                f"{source.path}: as a bundle its boxes lie elsewhere than the original's; nothing "
                "was written, report this model's export"
            )
    return apart


def _all_named(source: Source, head: Head, expected: Sequence[Tensors]) -> None:
    """Raises MaintainerError where a list of boxes speaks of a class that has no name."""
    for one in expected:
        if "labels" in one:
            last = max(one["labels"][one["confidences"] > EXACT], default=0)
            if last >= len(head.classes):
                raise source.refuse(
                    f"says class {last}, and there are names up to {len(head.classes) - 1}; "
                    "give --classes with all names"
                )


def _confident(
    source: Source, expected: Sequence[Tensors], values: Sequence[tuple[float, ...]]
) -> None:
    """Raises MaintainerError where confidences are none: limits would mean nothing."""
    low, high = (pick(value for one in values for value in one) for pick in (min, max))
    if "score" not in expected[0] and not -EXACT <= low <= high <= 1 + EXACT:
        raise source.refuse(
            f"says {low:.3g} to {high:.3g} where confidences of 0 to 1 are expected; export it "
            "with its last sigmoid or softmax"
        )


def _same_boxes(expected: Tensors, found: Tensors, most: int = 20) -> bool:
    """Each of the surest boxes has its like; ranks may differ where confidences are equal."""
    for box, confidence, label in zip(
        expected["boxes"][:most],
        expected["confidences"][:most],
        expected["labels"][:most],
        strict=True,
    ):
        near = np.abs(found["boxes"] - box).max(1) < EXACT
        alike = np.abs(found["confidences"] - confidence) < EXACT
        doubtful = confidence < EXACT  # nothing there: any class may come first
        if not (near & alike & ((found["labels"] == label) | doubtful)).any() and not doubtful:
            return False
    return True


def _blind(
    source: Source,
    known: Facts,
    head: Head,
    seen: Sequence[Image],
    values: Sequence[tuple[float, ...]],
    line: Line,
) -> list[str]:
    """What the references would not notice: another order of colours, another normalisation."""
    other: Colours = "bgr" if known.pixels.colours == "rgb" else "rgb"
    wrong = {"half the contrast": replace(known.pixels, scale=_doubled(known.pixels.scale))}
    if source.channels == 3 and any(_coloured(one) for one in seen):
        wrong["red and blue exchanged"] = replace(known.pixels, colours=other)
    missed = []
    for what, mistaken in wrong.items():
        said = network.original(source, [pixels.plain(source, mistaken, one) for one in seen])
        found = [line.values(head.task, head.classes, head.plain(one)) for one in said]
        apart = max(parity.difference(one, two) for one, two in zip(values, found, strict=True))
        if apart <= TOLERANCE:
            missed.append(what)
    return [BLIND.format(" or ".join(missed))] if missed else []


def _coloured(picture: Image) -> bool:
    """A colour camera before a grey part needs no order of colours."""
    return bool(np.abs(picture[..., 0].astype(np.int16) - picture[..., -1]).mean() > COLOURED)


def _doubled(scale: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(2 * one for one in scale)


def _proof(values: Sequence[tuple[float, ...]]) -> Proof:
    references = tuple(
        Reference(image=f"reference/{number:02}.png", values=one)
        for number, one in enumerate(values)
    )
    return Proof(tolerance=TOLERANCE, references=references)


def _write(
    order: Order,
    source: Source,
    head: Head,
    size: Input,
    limits: Limits,
    proof: Proof,
    model: ov.Model,
    whole: Sequence[Image],
) -> BundleManifest:
    files = serialised(model)
    for reference, frame in zip(proof.references, whole, strict=True):
        files[reference.image] = pictures.packed(frame)

    def describe(version: str, digests: dict[str, str]) -> BundleManifest:
        return BundleManifest(
            schema=1,
            name=order.name,
            version=version,
            task=head.task,
            classes=head.classes,
            input=size,
            limits=limits,
            provenance=_provenance(source),
            proof=proof,
            files=digests,
        )

    return bundle_folder.write(order.out, files, describe)


def _provenance(source: Source) -> Provenance:
    try:
        program = package_version("inspector")
    except PackageNotFoundError:
        program = "uninstalled"
    return Provenance(
        made_from=source.path.name,
        source_sha256=source.sha256,
        inspector=program,
        openvino=ov.__version__,
    )
