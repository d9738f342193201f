"""Putting a taught model in use: its limits, the store, the proof, and the product's recipe.

Promises: the model is proven here with the very recipe that it will have, before anything that
the line reads is changed; then the model is put in use and the recipe written, both or neither,
whatever is killed meanwhile.
Never: asks the line; that is record's, once it hears that this is done.
"""

import shutil

from msgspec import structs

from inspector.core.bundle import Limits
from inspector.core.bundle_folder import as_toml
from inspector.core.errors import InspectorError, MaintainerError, OperatorError
from inspector.core.orders import AdoptProduct
from inspector.core.paths import Paths
from inspector.core.recipe import Findings, Recipe, RecipeLimits, load_recipe
from inspector.devices.bundles import Bundle, Store, open_bundle
from inspector.procedures.proving import in_force, prove_here, recipe_in, settings_of
from inspector.services.workshop.job import Done, Job, to_the_end
from inspector.services.workshop.leftovers import in_use
from inspector.services.workshop.place import Adoption, Learned, known_as
from inspector.teach.relimit import check_order, relimit


def adopt(job: Job, errand: AdoptProduct) -> Done:
    """Put what was taught in use. Raises OperatorError, or MaintainerError where it is refused."""
    job.place.tidy()
    learned = learned_of(job)
    recipe = recipe_for(job.paths, learned, errand)
    store = Store(job.paths.models)
    job.tell(step="installing", progress=0.1)
    there = {one.version for one in store.listed() if one.name == errand.product}
    bundle = _installed(job, store, learned, errand)
    job.tell(step="proving", progress=0.3)
    version = bundle.manifest.version
    try:
        settings = structs.replace(settings_of(job.paths), threads=1)
        prove_here(bundle, job.paths, [recipe], settings)
    except InspectorError:
        if version not in there and not in_use(job.paths, errand.product, version):
            store.remove(errand.product, version)
        raise
    job.tell(step="switching", progress=0.9)
    to_the_end()
    job.place.begin_adoption(Adoption(version, job.who, as_toml(recipe)))
    store.use(errand.product, version)
    job.place.write_recipe(as_toml(recipe))
    return f"{bundle.manifest.id} in use for recipe {errand.product}", errand.product


def learned_of(job: Job) -> Learned:
    """What was taught. Raises OperatorError where nothing was."""
    learned = job.place.learned()
    if learned is None:
        raise OperatorError(f"{job.place.product}: nothing is taught yet; teach it first")
    return learned


def recipe_for(paths: Paths, learned: Learned, errand: AdoptProduct) -> Recipe:
    """The product's own recipe with the taught model; where there is none, one that checks the
    frames as the recipe in force does. Raises OperatorError, or MaintainerError for a recipe that
    is not in order."""
    check_order(Limits(review=errand.review, fail=errand.fail))
    limits, name = RecipeLimits(review=errand.review, fail=errand.fail), errand.product
    if name not in paths.recipe_names():
        like = recipe_in(paths.recipe(in_force(paths)[0]))
        made = Recipe(schema=1, name=name, model=name, limits=limits)
        if like is None:
            return made
        return structs.replace(
            made, frame=like.frame, mm_per_px=like.mm_per_px, reason_for=like.reason_for
        )
    own = load_recipe(paths.recipe(name))
    if own.region != learned.region:
        raise OperatorError(f"{name}: its recipe's region is another than at teaching; teach again")
    return structs.replace(own, model=name, limits=limits, findings=Findings())


def _installed(job: Job, store: Store, learned: Learned, errand: AdoptProduct) -> Bundle:
    """The taught bundle with these limits, in the store."""
    place, taught = job.place, learned.taught
    manifest = open_bundle(place.bundle).manifest
    if known_as(manifest.id) != taught.model:
        raise MaintainerError(f"{place.bundle}: is not {taught.model}; teach it again")
    limits = Limits(review=errand.review, fail=errand.fail)
    good, defects = taught.good_scores, taught.defect_scores
    try:
        relimit(place.bundle, manifest, limits, good, defects, place.altered)
        return store.install(place.altered)
    finally:
        shutil.rmtree(place.altered, ignore_errors=True)
