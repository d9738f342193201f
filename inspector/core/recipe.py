"""A recipe: what one product needs to be inspected, strict and with its bounds.

Promises: an unknown key, a missing key, a wrong type or a value out of range is refused with one
line that names file, line, key, value and remedy.
Never: says which recipe is in force; that is `current`.
"""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from inspector.core.errors import MaintainerError
from inspector.core.section import Limit, Name, Section
from inspector.core.toml import read_toml


class Region(Section, frozen=True, kw_only=True):
    """The part of the frame that is inspected, in pixels."""

    x: Annotated[int, Meta(ge=0)]
    y: Annotated[int, Meta(ge=0)]
    width: Annotated[int, Meta(ge=16)]
    height: Annotated[int, Meta(ge=16)]


class RecipeLimits(Section, frozen=True, kw_only=True):
    """Score from which a part goes to review, and from which it fails."""

    review: Limit
    fail: Limit


class FrameCheck(Section, frozen=True, kw_only=True):
    """What a frame must be before it may be judged. Grey values 0 to 255."""

    min_mean: Annotated[float, Meta(ge=0, le=255)] = 8.0
    max_mean: Annotated[float, Meta(ge=0, le=255)] = 247.0
    min_contrast: Annotated[float, Meta(ge=0, le=128)] = 2.0  # standard deviation
    min_focus: Annotated[float, Meta(ge=0)] = 0.0  # variance of the Laplacian; 0: not checked
    refuse_identical: bool = True  # looks the very same as the frame before: camera frozen


class Findings(Section, frozen=True, kw_only=True):
    """What counts of a model that names its findings (boxes, areas or classes)."""

    classes: tuple[str, ...] = ()  # none: every class that the model knows, but `good`
    min_size_mm: Annotated[float, Meta(ge=0, le=10_000)] = 0.0  # longer side; needs mm_per_px
    count: Annotated[int, Meta(ge=1, le=100)] = 1  # so many are a defect


class GoldenPart(Section, frozen=True, kw_only=True):
    """A part that lies in a drawer beside the line, and what the line must say of it."""

    name: Annotated[str, Meta(min_length=1, max_length=32)]
    expect: Literal["pass", "fail"]  # fail: any verdict but pass


class Challenge(Section, frozen=True, kw_only=True):
    """The test with golden parts."""

    parts: Annotated[tuple[GoldenPart, ...], Meta(min_length=1, max_length=20)]
    every_h: Annotated[float, Meta(ge=0, le=1000)] = 0.0  # 0: no test falls due by hours
    at_shift_start: bool = False
    on_failure: Literal["alarm", "stop"] = "alarm"  # stop: the inspection is paused
    on_overdue: Literal["alarm", "stop"] = "alarm"


class Recipe(Section, frozen=True, kw_only=True):
    """`recipes/NAME.toml`: what one product needs."""

    schema: Literal[1]
    name: Name
    model: Annotated[str, Meta(min_length=1, max_length=255)]  # in the store, or a folder's path
    limits: RecipeLimits
    region: Region | None = None
    frame: FrameCheck = FrameCheck()
    min_defect_px: Annotated[int, Meta(ge=0)] = 0  # smaller suspicious areas are not boxed
    mm_per_px: Annotated[float, Meta(gt=0, le=1000)] | None = None  # scale of the frame
    findings: Findings = Findings()
    second_look: bool = True  # where the bundle brings one and the deadline leaves time
    challenge: Challenge | None = None
    reason_for: tuple[
        Literal["set_recipe", "pause", "review_part", "abandon_challenge", "use_model"], ...
    ] = ()  # orders that need a reason while this product is made


def load_recipe(path: Path) -> Recipe:
    """One recipe. Raises MaintainerError naming file, line and key."""
    recipe = read_toml(path, Recipe)
    if recipe.name != path.stem:
        raise MaintainerError(
            f"{path}: name = {recipe.name!r} must be the file's own name, {path.stem!r}"
        )
    if recipe.limits.review > recipe.limits.fail:
        raise MaintainerError(
            f"{path}: limits.review = {recipe.limits.review:g} lies above "
            f"limits.fail = {recipe.limits.fail:g}; review must come first"
        )
    if recipe.findings.min_size_mm and recipe.mm_per_px is None:
        raise MaintainerError(
            f"{path}: findings.min_size_mm = {recipe.findings.min_size_mm:g} needs the scale of "
            "the frame; add mm_per_px"
        )
    if recipe.frame.min_mean >= recipe.frame.max_mean:
        raise MaintainerError(
            f"{path}: frame.min_mean = {recipe.frame.min_mean:g} must lie below "
            f"frame.max_mean = {recipe.frame.max_mean:g}"
        )
    return recipe
