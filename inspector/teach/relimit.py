"""The same model with other limits: another version of its bundle.

Promises: what the references must say stays what the model said where it was made; the rates that
follow from the limits are counted anew, on the scores of teaching.
Never: makes or proves a model.
"""

from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from inspector.core import bundle_folder
from inspector.core.bundle import (
    LOST,
    BundleManifest,
    Calibration,
    Limits,
    Metric,
    Proof,
    Reference,
)
from inspector.core.errors import OperatorError
from inspector.teach import packing


def relimit(
    folder: Path,
    manifest: BundleManifest,
    limits: Limits,
    good: Sequence[float],
    defects: Sequence[float],
    out: Path,
) -> BundleManifest:
    """Write the bundle in `folder` with these limits as the bundle folder `out`. `good` and
    `defects` are the scores that its limits were found by.

    Raises OperatorError for limits out of order, MaintainerError where it cannot be written.
    """
    check_order(limits)
    if limits == manifest.limits:
        changed = manifest
    else:
        changed = structs.replace(
            manifest,
            limits=limits,
            calibration=_calibration(manifest, limits, good),
            metrics=_metrics(manifest, limits, good, defects),
            proof=_proof(manifest, limits),
        )
    files = {name: (folder / name).read_bytes() for name in manifest.files}

    def describe(version: str, digests: dict[str, str]) -> BundleManifest:
        return structs.replace(changed, version=version, files=digests)

    return bundle_folder.write(out, files, describe)


def check_order(limits: Limits) -> None:
    """Raises OperatorError where review lies above fail."""
    if limits.review > limits.fail:
        raise OperatorError(
            f"review from {limits.review:g} lies above fail from {limits.fail:g}; "
            "review must come first"
        )


def _proof(manifest: BundleManifest, limits: Limits) -> Proof:
    """Where the part is not found, the limit sets the score and not the model: such a reference is
    left out. Raises OperatorError when no other is there."""
    if limits.fail == manifest.limits.fail:
        return manifest.proof
    kept = tuple(one for one in manifest.proof.references if not _lost(one, manifest.limits.fail))
    if not kept:
        raise OperatorError(
            f"{manifest.id}: the part is found on no reference; adopt it with "
            f"fail from {manifest.limits.fail:g}, or teach it again"
        )
    return structs.replace(manifest.proof, references=kept)


def _lost(reference: Reference, fail: float) -> bool:
    scores = [values[0] for values in (reference.values, reference.second) if values]
    return LOST * fail in scores


def _calibration(
    manifest: BundleManifest, limits: Limits, good: Sequence[float]
) -> Calibration | None:
    if manifest.calibration is None:
        return None
    observed = packing.overkill(good, limits)
    assert observed.low is not None
    assert observed.high is not None
    return structs.replace(
        manifest.calibration, overkill_low=observed.low, overkill_high=observed.high
    )


def _metrics(
    manifest: BundleManifest, limits: Limits, good: Sequence[float], defects: Sequence[float]
) -> tuple[Metric, ...]:
    kept = [one for one in manifest.metrics if one.name not in ("overkill", "escapes")]
    missed = [packing.escapes(defects, limits)] if defects else []
    return (packing.overkill(good, limits), *kept, *missed)
