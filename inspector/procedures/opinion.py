"""From what the model says to what detect says of a part: verdict, reason, score and grounds.

Promises: an anomaly is judged by its score; named findings by those that count in the recipe;
verdict, score and grounds always come of one and the same look.
Never: infers, or knows of time.
"""

from dataclasses import dataclass, replace
from math import isfinite

from inspector.core.recipe import Recipe, RecipeLimits
from inspector.core.terms import Box, Heatmap, Kind
from inspector.devices.engine import Inference
from inspector.domain.defects import Rectangle, boxes, named, packed
from inspector.domain.findings import score, that_count
from inspector.domain.second_look import settled
from inspector.domain.verdict import judge


@dataclass(frozen=True)
class Opinion:
    """What is said of one part."""

    kind: Kind
    reason: str
    score: float
    boxes: tuple[Box, ...]
    heatmap: Heatmap | None


def form(inference: Inference, recipe: Recipe, limits: RecipeLimits, region: Rectangle) -> Opinion:
    """The opinion on one inference by these limits. A score that is not finite is a FAULT."""
    if inference.findings is None:
        return _of_anomaly(inference, recipe, limits, region)
    if not isfinite(inference.score):  # what was found beside it may be anything
        return Opinion(*judge(inference.score, limits), inference.score, (), None)
    counted = that_count(inference.findings, recipe.findings, region[2:], recipe.mm_per_px)
    found = score(counted, recipe.findings.count)
    kind, reason = judge(found, limits)
    heatmap = inference.heatmap
    drawn = None if heatmap is None else packed(heatmap, region, limits.review)
    return Opinion(kind, reason, found, named(counted, region), drawn)


def after(first: Opinion, second: Opinion) -> Opinion:
    """The opinion after a second look. One that says nothing leaves the first as it was."""
    if second.kind is Kind.FAULT:
        return first
    kind = settled(first.kind, second.kind)
    reason = f"second look: {second.reason} (first look: score {first.score:.3f})"
    return replace(second, kind=kind, reason=reason)


def _of_anomaly(
    inference: Inference, recipe: Recipe, limits: RecipeLimits, region: Rectangle
) -> Opinion:
    kind, reason = judge(inference.score, limits)
    heatmap = inference.heatmap
    if heatmap is None:
        return Opinion(kind, reason, inference.score, (), None)
    passed = kind is Kind.PASS
    where = () if passed else boxes(heatmap, limits.review, region, recipe.min_defect_px)
    return Opinion(kind, reason, inference.score, where, packed(heatmap, region, limits.review))
