"""Labelled images before a bundle's model: what it says of each, and what the line would do.

Promises: an image is judged as the line judges a part, by the same rooms and the same recipe, the
second look included (whatever time it takes); an image that cannot be read is refused by name.
Never: prints, or changes a limit.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from inspector.core.bundle import BundleManifest
from inspector.core.errors import EngineerError, OperatorError
from inspector.core.recipe import Recipe, RecipeLimits, load_recipe
from inspector.core.terms import Kind
from inspector.devices.bundles import Bundle
from inspector.devices.cameras import FrameMissing, read_image
from inspector.devices.engine import Engine, Image, Inference, OpenVinoModel, Scores
from inspector.procedures.loading import check_classes
from inspector.procedures.opinion import Opinion, after, form
from inspector.teach.labelled import Labelled

Rectangle = tuple[int, int, int, int]  # x, y, width, height in the frame


@dataclass(frozen=True)
class Second:
    """What the second look said, and the milliseconds it took."""

    score: float
    kind: Kind
    ms: float


@dataclass(frozen=True)
class Seen:
    """One image, judged."""

    image: Labelled
    score: float
    first: Kind
    second: Second | None
    size: tuple[int, int]  # (height, width)
    region: Rectangle
    heatmap: Scores | None
    prepare_ms: float  # from the frame to the model's input
    infer_ms: float

    @property
    def kind(self) -> Kind:
        """The verdict in the end."""
        return self.second.kind if self.second else self.first


class Trial:
    """A bundle's model, judging by a recipe."""

    def __init__(self, bundle: Bundle, recipe: Recipe, engine: Engine) -> None:
        """Raises MaintainerError when the model cannot be used here, or with this recipe."""
        manifest = bundle.manifest
        check_classes(recipe, manifest)
        self._recipe = recipe
        self._model = engine.load(bundle.folder, manifest)
        self._look = manifest.second if recipe.second_look else None
        self._second = engine.load(bundle.folder, manifest, second=True) if self._look else None

    def run(self, images: Iterable[Labelled]) -> Iterator[Seen]:
        """Judge image by image. The first inference is done twice, since it also warms up.

        Raises OperatorError for an image that cannot be read or does not hold the region.
        """
        warm = False
        for image in images:
            frame = read(image.path)
            region = _region(image.path, frame, self._recipe)
            x, y, width, height = region
            part = frame[y : y + height, x : x + width]
            if not warm:
                self._model.infer(part)
                warm = True
            yield self._judged(image, part, frame.shape[:2], region)

    def _judged(
        self, image: Labelled, part: Image, size: tuple[int, ...], region: Rectangle
    ) -> Seen:
        inference, prepare_ms, infer_ms = _timed(self._model, part)
        opinion = form(inference, self._recipe, self._recipe.limits, region)
        if opinion.kind is Kind.FAULT:
            raise EngineerError(
                f"{image.path}: {opinion.reason}; the model is broken, teach or import it again"
            )
        return Seen(
            image=image,
            score=opinion.score,
            first=opinion.kind,
            second=self._again(opinion, part, region),
            size=(size[0], size[1]),
            region=region,
            heatmap=inference.heatmap,
            prepare_ms=prepare_ms,
            infer_ms=infer_ms,
        )

    def _again(self, first: Opinion, part: Image, region: Rectangle) -> Second | None:
        """The second look, at a grey part only."""
        if first.kind is not Kind.REVIEW or not self._second or not self._look:
            return None
        inference, put_ms, ms = _timed(self._second, part)
        limits = RecipeLimits(review=self._look.limits.review, fail=self._look.limits.fail)
        opinion = after(first, form(inference, self._recipe, limits, region))
        return Second(opinion.score, opinion.kind, put_ms + ms)


def recipe_for(manifest: BundleManifest, file: Path | None) -> Recipe:
    """The recipe in `file`; without one, the bundle's own limits on the whole image."""
    if file is not None:
        return load_recipe(file)
    limits = RecipeLimits(review=manifest.limits.review, fail=manifest.limits.fail)
    return Recipe(schema=1, name=manifest.name, model=manifest.name, limits=limits)


def read(path: Path) -> Image:
    """The image as a camera would give it. Raises OperatorError naming the file."""
    try:
        return read_image(path)
    except FrameMissing as missing:
        raise OperatorError(f"{missing.reason}; remove it or copy it again") from None


def _timed(model: OpenVinoModel, part: Image) -> tuple[Inference, float, float]:
    """The inference, and the milliseconds before and in it."""
    begun = time.perf_counter()
    model.put(part)
    started = time.perf_counter()
    model.start()
    found = model.finish()
    return found, 1000 * (started - begun), 1000 * (time.perf_counter() - started)


def _region(path: Path, frame: Image, recipe: Recipe) -> Rectangle:
    height, width = frame.shape[:2]
    wanted = recipe.region
    if wanted is None:
        return 0, 0, width, height
    if wanted.x + wanted.width > width or wanted.y + wanted.height > height:
        raise OperatorError(
            f"{path}: {width}x{height}, the region of recipe {recipe.name} reaches beyond it; "
            "mend region in the recipe"
        )
    return wanted.x, wanted.y, wanted.width, wanted.height
