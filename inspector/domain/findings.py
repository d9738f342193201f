"""What a model that names its findings says, and which of it counts by the recipe.

Promises: a part's score is the confidence of the finding that makes it defective: with
`count = n` the n-th highest among those that count; 0 where there are fewer.
Never: decides; limits are `verdict`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inspector.core.recipe import Findings


@dataclass(frozen=True)
class Finding:
    """One named area. Box edges are shares of the inspected region, 0..1; a class that covers the
    whole image has the whole region as its box."""

    label: str
    confidence: float  # 0..1
    left: float
    top: float
    right: float
    bottom: float


GOOD = "good"  # a class of this name is no defect


def that_count(
    found: tuple[Finding, ...], rules: Findings, size_px: tuple[int, int], mm_per_px: float | None
) -> tuple[Finding, ...]:
    """Those of a class that matters and of the least size. `size_px`: (width, height) inspected."""
    return tuple(
        finding
        for finding in found
        if _matters(finding, rules) and _large(finding, rules, size_px, mm_per_px)
    )


def unknown_classes(rules: Findings, known: Sequence[str]) -> tuple[str, ...]:
    """Classes that a recipe names and a model does not: a defect that would always pass."""
    return tuple(name for name in rules.classes if name not in known)


def score(counted: tuple[Finding, ...], count: int) -> float:
    """The `count`-th highest confidence, 0 where there are fewer."""
    ordered = sorted((finding.confidence for finding in counted), reverse=True)
    return ordered[count - 1] if len(ordered) >= count else 0.0


def _matters(finding: Finding, rules: Findings) -> bool:
    return finding.label in rules.classes if rules.classes else finding.label != GOOD


def _large(
    finding: Finding, rules: Findings, size_px: tuple[int, int], mm_per_px: float | None
) -> bool:
    width = (finding.right - finding.left) * size_px[0]
    height = (finding.bottom - finding.top) * size_px[1]
    return max(width, height) * (mm_per_px or 0.0) >= rules.min_size_mm
