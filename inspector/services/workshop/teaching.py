"""Teaching a product from what was collected.

Promises: as `inspector teach` does, on one thread; the bundle replaces the one that was taught
before only once it is whole; of good parts and labelled defects the scores are kept that the
limits rest on.
Never: puts anything in use.
"""

import shutil
import time

import cv2

from inspector.core.errors import OperatorError
from inspector.core.live import Taught
from inspector.core.orders import TeachProduct
from inspector.core.recipe import Region
from inspector.procedures.proving import recipe_in
from inspector.procedures.shipped_files import backbone
from inspector.procedures.teaching import EYES
from inspector.services.workshop.job import Done, Job
from inspector.services.workshop.place import Learned, known_as
from inspector.teach import images, pipeline
from inspector.teach.settings import Settings

LOOKING, COMPARING, LIMITS = 0.6, 0.75, 0.95  # shares of the whole at which these steps end
NOTES = 20


def teach_product(job: Job, errand: TeachProduct) -> Done:
    """Teach. Raises OperatorError for pictures that cannot be taught from."""
    began = time.monotonic()
    place = job.place
    place.tidy()
    good, defective = place.counts()
    if good < images.FEWEST:
        raise OperatorError(
            f"{errand.product}: {good} good pictures; collect at least {images.FEWEST}"
        )
    cv2.setNumThreads(1)
    region = _region(job, errand.product)
    given = Settings(threads=1, region=region)
    defects = [place.label("defective")] if defective else []
    try:
        made = pipeline.teach(
            place.label("good"),
            backbone(),
            errand.product,
            place.fresh,
            EYES,
            given,
            _Progress(job),
            defects,
        )
        taught = _taught(made, time.monotonic() - began)
        place.keep(Learned(taught, region))
    finally:
        shutil.rmtree(place.fresh, ignore_errors=True)
    job.tell(taught=taught, progress=1.0)
    return f"{taught.model} taught from {good} good and {defective} defective pictures", ""


def _region(job: Job, product: str) -> Region | None:
    """What the product's own recipe inspects of the frame, where there is one."""
    recipe = recipe_in(job.paths.recipe(product))
    return recipe.region if recipe else None


class _Progress:
    """The steps of teaching as one bar that never goes back."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._looks: list[str] = []

    def __call__(self, step: str, done: float) -> None:
        if step.startswith("looking") and step not in self._looks:
            self._looks.append(step)
        first, last = self._span(step)
        share = first + min(1.0, done) * (last - first)
        self._job.tell(step=step, progress=max(self._job.state.progress, share))

    def _span(self, step: str) -> tuple[float, float]:
        if step in self._looks:  # how many ways there will be is not known: each takes half
            number = self._looks.index(step)
            return LOOKING * (1 - 0.5**number), LOOKING * (1 - 0.5 ** (number + 1))
        spans = {"comparing": (LOOKING, COMPARING), "limits": (COMPARING, LIMITS)}
        return spans.get(step, (LIMITS, 1.0))


def _taught(made: pipeline.Taught, seconds: float) -> Taught:
    manifest = made.manifest
    aside = [f"set aside: {one.path.name} {one.reason}" for one in made.aside]
    return Taught(
        model=known_as(manifest.id),
        review=manifest.limits.review,
        fail=manifest.limits.fail,
        good_scores=made.good,
        defect_scores=made.defects,
        notes=tuple([*made.notes, *aside][:NOTES]),
        seconds=seconds,
    )
