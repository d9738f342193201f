"""A taught model beside the present one, on the same parts of the running line.

Promises: what is compared is the lane that each would send the part to; a part without a verdict,
or whose frame is gone, is not compared.
Never: has a say in what becomes of a part, or looks at more than five a second.
"""

import time
from collections import deque
from contextlib import closing

from msgspec import structs

from inspector.core.bundle import Limits
from inspector.core.errors import EngineerError
from inspector.core.live import RECENT, Live, RecentPart, Shadow
from inspector.core.orders import AdoptProduct, TryInShadow
from inspector.core.recipe import Recipe
from inspector.core.terms import Kind, Lane
from inspector.core.topology import LIVE
from inspector.devices.bundles import open_bundle
from inspector.devices.bus import Bus, newest_live
from inspector.devices.engine import Engine, Image
from inspector.procedures.judge import Judge, Unseen
from inspector.procedures.proving import settings_of
from inspector.procedures.training_pictures import Rings
from inspector.services.workshop.adopting import learned_of, recipe_for
from inspector.services.workshop.job import Done, Job
from inspector.services.workshop.parts import NextParts
from inspector.services.workshop.place import known_as

REST_S = 0.2  # from one part to the next


def try_in_shadow(job: Job, errand: TryInShadow) -> Done:
    """Compare until told to stop. Raises OperatorError where nothing is taught."""
    job.tell(step="loading")
    judge = _judge(job, errand)
    comparing = _Comparing(job, judge)
    job.tell(step="comparing")
    with Bus() as bus, closing(bus.listen(job.paths.socket(LIVE))) as inbox:
        while True:
            comparing.look(newest_live(inbox, 1000 * REST_S), time.monotonic())


def _judge(job: Job, errand: TryInShadow) -> Judge:
    """As it would be after its adoption."""
    learned = learned_of(job)
    adoption = AdoptProduct(product=errand.product, review=errand.review, fail=errand.fail)
    recipe: Recipe = recipe_for(job.paths, learned, adoption)
    bundle = open_bundle(job.place.bundle)
    limits = Limits(review=errand.review, fail=errand.fail)
    manifest = structs.replace(bundle.manifest, limits=limits)
    engine = Engine(structs.replace(settings_of(job.paths), threads=1), job.paths.cache)
    return Judge(recipe, engine.load(bundle.folder, manifest), manifest.id)


class _Comparing:
    """The counts so far."""

    def __init__(self, job: Job, judge: Judge) -> None:
        self._job, self._judge = job, judge
        self._parts, self._rings = NextParts(job.config.line.deadline_ms), Rings(job.paths)
        self._shadow = Shadow(model=known_as(judge.model_id))
        self._differences: deque[RecentPart] = deque(maxlen=RECENT)  # newest first
        self._due_s = 0.0
        job.tell(shadow=self._shadow)

    def look(self, live: Live | None, now_s: float) -> None:
        """Compare the newest of the new parts, if it is time."""
        fresh = self._parts.of(live, now_s) if live else []
        judged = [part for part in fresh if part.kind is not Kind.FAULT]
        if judged and now_s >= self._due_s:
            frame = self._rings.copy(judged[-1])
            if frame is not None:
                self._due_s = now_s + REST_S
                self._compare(judged[-1], frame)
        self._job.tell(shadow=self._shadow)

    def _compare(self, part: RecentPart, frame: Image) -> None:
        line, shadow = part.lane is Lane.REJECT, self._rejects(part, frame)
        before = self._shadow
        if line != shadow:
            self._differences.appendleft(part)
        self._shadow = structs.replace(
            before,
            parts=before.parts + 1,
            agree=before.agree + (line == shadow),
            only_shadow_rejects=before.only_shadow_rejects + (shadow and not line),
            only_line_rejects=before.only_line_rejects + (line and not shadow),
            last_differences=tuple(self._differences),
        )

    def _rejects(self, part: RecentPart, frame: Image) -> bool:
        """What has no verdict is rejected, as on the line."""
        assert part.frame
        try:
            x, y, width, height = self._judge.region(part.frame)
            kind = self._judge.whole(frame[y : y + height, x : x + width]).kind
        except (Unseen, EngineerError):
            return True
        if kind is Kind.REVIEW:
            return self._job.config.line.review_lane == "reject"
        return kind is not Kind.PASS
