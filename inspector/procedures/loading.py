"""Loading a recipe with its model: whole, proven on this box, compiled.

Promises: a judge exists only when recipe and bundle are in order, the model says here what it
said where it was made, and its golden parts are judged rightly; another one can be loaded while
the present one goes on. What has been proven is remembered by its stamp, and spot-checked.
Never: decides on a part.
"""

import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import msgspec

from inspector import __version__
from inspector.core.bundle import BundleManifest
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.paths import Paths
from inspector.core.recipe import Recipe, RecipeLimits, load_recipe
from inspector.devices.bundles import Bundle, candidates, open_bundle
from inspector.devices.engine import Engine, Image, Model
from inspector.devices.proofs import Stamps
from inspector.domain.findings import unknown_classes
from inspector.domain.second_look import Cost
from inspector.procedures.judge import Judge, Second, infer
from inspector.procedures.proof import check, check_golden, image, show

TRIALS = 5  # second looks taken at loading, to know what one costs
SPOT_CHECK = 1  # references scored of a model that bears its stamp


class ModelRefused(MaintainerError):
    """A bundle that must not decide here, and why."""


class Loader:
    """Makes judges of the recipes in `paths`."""

    def __init__(self, paths: Paths, engine: Engine) -> None:
        """Raises MaintainerError when the engine's device is not there."""
        self._paths, self._engine, self._box = paths, engine, engine.identity()
        self._stamps = Stamps(paths.proofs)

    def chosen(self, name: str) -> Judge:
        """The recipe with the model in use. Raises MaintainerError; ModelRefused for the model."""
        recipe = load_recipe(self._paths.recipe(name))
        return self.judge(recipe, candidates(recipe.model, self._paths.models)[0])

    def best(self, name: str) -> Judge:
        """`chosen`, or else with the model that was in use before. Raises as `chosen` does."""
        recipe = load_recipe(self._paths.recipe(name))
        first, *before = candidates(recipe.model, self._paths.models)
        try:
            return self.judge(recipe, first)
        except ModelRefused as refused:
            if not before:
                raise
            return self._instead(recipe, before[0], refused)

    def judge(self, recipe: Recipe, folder: Path) -> Judge:
        """The recipe with the bundle in `folder`. Raises ModelRefused."""
        try:
            bundle = open_bundle(folder)
            check_classes(recipe, bundle.manifest)
            return self._proven(recipe, bundle)
        except InspectorError as error:
            raise ModelRefused(str(error)) from None

    def _instead(self, recipe: Recipe, folder: Path, refused: ModelRefused) -> Judge:
        try:
            found = self.judge(recipe, folder)
        except ModelRefused:
            raise refused from None  # the one in use is what has to be mended
        return replace(found, instead_of=str(refused))

    def _proven(self, recipe: Recipe, bundle: Bundle) -> Judge:
        """A refused model is compiled anew once: its kept form may be what is damaged."""
        judge = self._compiled(recipe, bundle)
        try:
            self._prove(bundle, judge)
        except InspectorError:
            self._engine.forget(bundle.manifest)
            judge = self._compiled(recipe, bundle)
            self._prove(bundle, judge)
        return judge

    def _compiled(self, recipe: Recipe, bundle: Bundle) -> Judge:
        manifest = bundle.manifest
        model = self._engine.load(bundle.folder, manifest)
        second = None
        if manifest.second and recipe.second_look:
            slower = self._engine.load(bundle.folder, manifest, second=True)
            limits = RecipeLimits(
                review=manifest.second.limits.review, fail=manifest.second.limits.fail
            )
            picture = image(bundle.folder / manifest.proof.references[0].image)
            second = Second(slower, limits, Cost([_usual_ns(slower, picture)]))
        return Judge(recipe, model, manifest.id, second)

    def _prove(self, bundle: Bundle, judge: Judge) -> None:
        """Score the references, all of them and the golden parts unless that was done before."""
        facts = self._facts(bundle, judge.recipe)
        known = self._stamps.holds(facts)
        shown = show(bundle, judge.model, most=SPOT_CHECK if known else None)
        if judge.second:
            shown += show(bundle, judge.second.model, "second", SPOT_CHECK if known else None)
        difference = check(bundle, shown)
        if not known:
            check_golden(bundle, judge)
            self._stamps.keep(facts, difference)

    def _facts(self, bundle: Bundle, recipe: Recipe) -> dict[str, str]:
        """All that a proof depends on: the bundle, the box, this program (which makes the model's
        picture of a frame), and how the recipe judges."""
        rules = (recipe.limits, recipe.findings, recipe.mm_per_px, recipe.second_look)
        return {
            "bundle": bundle.manifest.id,
            "digest": bundle.digest,
            "inspector": __version__,
            "rules": msgspec.json.encode(rules).decode(),
            **self._box,
        }


def check_classes(recipe: Recipe, manifest: BundleManifest) -> None:
    """Raises MaintainerError for a class that the model cannot find: it would always pass."""
    known = manifest.classes
    unknown = unknown_classes(recipe.findings, known)
    if unknown:
        raise MaintainerError(
            f"recipe {recipe.name}: findings.classes names {', '.join(unknown)}; "
            f"{manifest.id} knows {', '.join(known) or 'no classes'}"
        )


def _usual_ns(model: Model, picture: Image) -> int:
    """The median duration of a few inferences; the first one warms up. Not the longest: while a
    station starts, everything does."""
    taken = []
    for _ in range(TRIALS + 1):
        began = time.monotonic_ns()
        infer(model, picture)
        taken.append(time.monotonic_ns() - began)
    return int(median(taken[1:]))
