"""What an evaluation comes to, computed from judged images.

Promises: every rate comes with its 95 % Wilson interval; what the second look gained is told
against the very same images without it.
Never: runs a model or prints.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import Struct

from inspector.cli.summary import Spread, spread
from inspector.cli.trial import Seen
from inspector.core.bundle import BundleManifest
from inspector.core.config import Detect
from inspector.core.errors import EngineerError
from inspector.core.recipe import RecipeLimits
from inspector.core.terms import Kind
from inspector.teach.evaluate import Rate, auroc, average_precision, wilson
from inspector.teach.labelled import read_mask
from inspector.teach.pixels import Follow, Map, Pixels, measure

Interval = tuple[float, float]

JUDGED = (Kind.PASS, Kind.REVIEW, Kind.FAIL)


class ClassFigures(Struct, frozen=True):
    """One defect class against all good images."""

    name: str
    images: int
    escape_rate: float
    escape_interval: Interval
    image_auroc: float


class SecondLook(Struct, frozen=True):
    """What a second look at the grey parts gained and cost. `without_...`: the evaluation's own
    rates, had there been none."""

    grey: int  # parts that it was taken at
    right: int  # good ones passed, defective ones failed
    wrong: int  # defective ones passed, good ones failed
    unsettled: int  # still in review
    cost_ms: Spread  # on top of the first look, for each grey part
    without_escape_rate: float
    without_overkill_rate: float
    without_review_rate: float


class Evaluation(Struct, frozen=True):
    """The figures, as a machine reads them. Rates are shares of 1: an escape is a defective part
    that passes, overkill a good part that fails; `review_rate` is that of good parts."""

    bundle: str
    task: str
    device: str
    precision: str
    review_limit: float
    fail_limit: float
    good: int
    defective: int
    image_auroc: float
    image_ap: float
    pixel_auroc: float | None  # None without masks or without a heatmap
    aupro: float | None
    masks: int
    escape_rate: float
    escape_interval: Interval
    overkill_rate: float
    overkill_interval: Interval
    review_rate: float
    review_interval: Interval
    confusion: dict[str, dict[str, int]]  # good, defective: pass, review, fail
    classes: list[ClassFigures]
    second_look: SecondLook | None
    inference_ms: Spread
    prepare_ms: Spread  # crop, registration and reduction


def figures(
    manifest: BundleManifest,
    settings: Detect,
    limits: RecipeLimits,
    seen: Sequence[Seen],
    follow: Follow = iter,
) -> Evaluation:
    """All figures. There is at least one good and one defective image; `follow` as in `pixels`.

    Raises OperatorError for a mask that cannot be its image's.
    """
    good = [one for one in seen if not one.image.defective]
    bad = [one for one in seen if one.image.defective]
    scores, worse = _scores(good), _scores(bad)
    escapes, overkill = _rate(bad, Kind.PASS), _rate(good, Kind.FAIL)
    review = _rate(good, Kind.REVIEW)
    pixels = _pixels(seen, follow)
    return Evaluation(
        bundle=manifest.id,
        task=manifest.task,
        device=settings.device,
        precision=settings.precision,
        review_limit=limits.review,
        fail_limit=limits.fail,
        good=len(good),
        defective=len(bad),
        image_auroc=round(auroc(scores, worse), 4),
        image_ap=round(average_precision(scores, worse), 4),
        pixel_auroc=round(pixels.auroc, 4) if pixels else None,
        aupro=round(pixels.aupro, 4) if pixels else None,
        masks=sum(one.image.mask is not None for one in bad),
        escape_rate=_share(escapes),
        escape_interval=_interval(escapes),
        overkill_rate=_share(overkill),
        overkill_interval=_interval(overkill),
        review_rate=_share(review),
        review_interval=_interval(review),
        confusion={"good": _confusion(good), "defective": _confusion(bad)},
        classes=_classes(scores, bad),
        second_look=_second(good, bad) if manifest.second else None,
        inference_ms=spread(one.infer_ms for one in seen),
        prepare_ms=spread(one.prepare_ms for one in seen),
    )


def _scores(seen: Iterable[Seen]) -> list[float]:
    return [one.score for one in seen]


def _rate(seen: Sequence[Seen], kind: Kind) -> Rate:
    return wilson(sum(one.kind is kind for one in seen), len(seen))


def _share(rate: Rate) -> float:
    return round(rate.hits / rate.total, 4) if rate.total else 0.0


def _interval(rate: Rate) -> Interval:
    return round(rate.low, 4), round(rate.high, 4)


def _confusion(seen: Sequence[Seen]) -> dict[str, int]:
    return {kind.value: sum(one.kind is kind for one in seen) for kind in JUDGED}


def _classes(good: list[float], bad: Sequence[Seen]) -> list[ClassFigures]:
    found = []
    for name in sorted({one.image.label for one in bad}):
        own = [one for one in bad if one.image.label == name]
        escapes = _rate(own, Kind.PASS)
        found.append(
            ClassFigures(
                name=name,
                images=len(own),
                escape_rate=_share(escapes),
                escape_interval=_interval(escapes),
                image_auroc=round(auroc(good, _scores(own)), 4),
            )
        )
    return found


def _second(good: Sequence[Seen], bad: Sequence[Seen]) -> SecondLook:
    looks = [(one.image.defective, one.second) for one in (*good, *bad) if one.second]
    kinds = [(defective, second.kind) for defective, second in looks]
    passed, failed = (False, Kind.PASS), (True, Kind.FAIL)
    unsettled = sum(kind is Kind.REVIEW for _, kind in kinds)
    right = kinds.count(passed) + kinds.count(failed)
    return SecondLook(
        grey=len(kinds),
        right=right,
        wrong=len(kinds) - right - unsettled,
        unsettled=unsettled,
        cost_ms=spread(second.ms for _, second in looks),
        without_escape_rate=_first(bad, Kind.PASS),
        without_overkill_rate=_first(good, Kind.FAIL),
        without_review_rate=_first(good, Kind.REVIEW),
    )


def _first(seen: Sequence[Seen], kind: Kind) -> float:
    return round(sum(one.first is kind for one in seen) / len(seen), 4)


def _pixels(seen: Sequence[Seen], follow: Follow) -> Pixels | None:
    """Over all good images and those defective ones that have a mask."""
    if not any(one.image.mask for one in seen):
        return None
    maps = []
    for one in seen:
        mask = one.image.mask
        if one.heatmap is None:
            return None
        if mask or not one.image.defective:
            marked = partial(read_mask, mask, one.size) if mask else None
            maps.append(Map(one.heatmap, one.size, one.region, marked))
    try:
        return measure(maps, follow)
    except ValueError as error:
        raise EngineerError(f"{error}; the model is broken, teach or import it again") from None
