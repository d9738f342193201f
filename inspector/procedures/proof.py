"""Proving a model on this very box before it decides (export parity), and its golden parts.

Promises: the reference images go the way of a frame of the line, from the file to the score, whole
and whatever the recipe says; a difference beyond the bundle's own tolerance refuses the bundle
with one line that names image, values and remedy.
Never: touches the line, or takes a model's word for what it cannot show.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from inspector.core.bundle import BundleManifest, Reference
from inspector.core.errors import MaintainerError
from inspector.core.terms import Kind
from inspector.devices.bundles import Bundle
from inspector.devices.cameras import FrameMissing, read_image
from inspector.devices.engine import Image, Model
from inspector.domain import parity
from inspector.procedures.judge import Judge, infer

REMEDY = "export or teach it again, or set the precision it was made for"

Which = Literal["first", "second"]


class Shown(Struct, frozen=True):
    """What a model says of a reference image; `expected` and `found` are those furthest apart."""

    image: str
    look: Which
    value: str  # which of the values: score, a block of the heatmap, or a class
    expected: float
    found: float
    difference: float


def show(
    bundle: Bundle, model: Model, look: Which = "first", most: int | None = None
) -> list[Shown]:
    """The bundle's references, or the last `most`, scored here. Raises MaintainerError when one
    cannot be read, EngineerError when there is no inference."""
    with_values = [one for one in bundle.manifest.proof.references if _expected(one, look)]
    if not with_values:
        raise MaintainerError(
            f"{bundle.manifest.id}: its {look} look has no reference values; make the bundle again"
        )
    return [_shown(bundle, model, one, look) for one in with_values[-(most or 0) :]]


def check(bundle: Bundle, shown: Sequence[Shown]) -> float:
    """The largest difference of all. Raises MaintainerError when it lies beyond the tolerance."""
    worst = max(shown, key=lambda one: one.difference)
    tolerance = bundle.manifest.proof.tolerance
    if worst.difference > tolerance:
        raise MaintainerError(
            f"{bundle.manifest.id}: {worst.look} look at {worst.image}: {worst.value} is "
            f"{worst.found:.3f} here, {worst.expected:.3f} where it was made (tolerance "
            f"{tolerance:g}); {REMEDY}"
        )
    return worst.difference


def check_golden(bundle: Bundle, judge: Judge) -> None:
    """Raises MaintainerError when a part that a person knows would be judged wrongly."""
    golden = bundle.manifest.golden
    for names, forbidden, word in (
        (golden.good, Kind.FAIL, "good"),
        (golden.defective, Kind.PASS, "defective"),
    ):
        for name in names:
            opinion = judge.whole(image(bundle.folder / name))
            if opinion.kind in (forbidden, Kind.FAULT):
                raise MaintainerError(
                    f"{bundle.manifest.id}: golden {word} part {name}: {opinion.kind.value}, "
                    f"{opinion.reason}; mend the limits of recipe {judge.recipe.name} or the bundle"
                )


def image(path: Path) -> Image:
    """A reference as the camera gives it. Raises MaintainerError."""
    try:
        return read_image(path)
    except FrameMissing as missing:
        raise MaintainerError(f"{missing.reason}; make the bundle again") from None


def _expected(reference: Reference, look: Which) -> tuple[float, ...]:
    return reference.values if look == "first" else reference.second


def _shown(bundle: Bundle, model: Model, reference: Reference, look: Which) -> Shown:
    expected = _expected(reference, look)
    found = infer(model, image(bundle.folder / reference.image)).values
    if len(found) != len(expected):
        raise MaintainerError(
            f"{bundle.manifest.id}: {reference.image} has {len(expected)} values, the model gives "
            f"{len(found)}; make the bundle again"
        )
    apart = [parity.difference((one,), (two,)) for one, two in zip(expected, found, strict=True)]
    worst = max(range(len(apart)), key=apart.__getitem__)
    name = list(_named(bundle.manifest, len(found)))[worst]
    return Shown(reference.image, look, name, expected[worst], found[worst], apart[worst])


def _named(manifest: BundleManifest, count: int) -> Iterator[str]:
    """Names of the values, in their order."""
    if manifest.classes and len(manifest.classes) == count:
        yield from manifest.classes
        return
    yield "score"
    for place in range(count - 1):
        row, column = divmod(place, parity.BLOCKS)
        yield f"heatmap block {row + 1},{column + 1}"
