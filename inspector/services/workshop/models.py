"""The station's models: proving one, putting one in use, going back.

Promises: as `inspector model prove`, `use` and `back` do, by the same code.
Never: asks the line; that is record's, once it hears that this is done.
"""

from typing import Any

from msgspec import structs

from inspector.core import orders
from inspector.core.orders import BackModel, ProveModel, UseModel
from inspector.core.paths import Paths
from inspector.devices.bundles import Bundle, Store, open_bundle
from inspector.procedures.proving import in_force, prove_here, recipe_in, settings_of
from inspector.services.workshop.job import Done, Errand, Job, to_the_end


def way(errand: orders.Errand) -> Errand:
    """How an errand of models is done."""
    ways: dict[type[Any], Errand] = {ProveModel: _prove, UseModel: _use, BackModel: _back}
    return ways[type(errand)]


def _prove(job: Job, errand: ProveModel) -> Done:
    bundle = open_bundle(Store(job.paths.models).folder(errand.name, errand.version))
    _proven(job, bundle)
    return f"{bundle.manifest.id}: proven on this box", ""


def _use(job: Job, errand: UseModel) -> Done:
    store = Store(job.paths.models)
    _proven(job, open_bundle(store.folder(errand.name, errand.version)))
    to_the_end()
    return _in_use(job, store.use(errand.name, errand.version))


def _back(job: Job, errand: BackModel) -> Done:
    store = Store(job.paths.models)
    _proven(job, open_bundle(store.before(errand.name)))
    to_the_end()
    return _in_use(job, store.back(errand.name))


def _proven(job: Job, bundle: Bundle) -> None:
    job.tell(step=f"proving {bundle.manifest.version}")
    prove_here(bundle, job.paths, settings=structs.replace(settings_of(job.paths), threads=1))


def _in_use(job: Job, bundle: Bundle) -> Done:
    return f"{bundle.manifest.id}: in use", _made_with(job.paths, bundle.manifest.name)


def _made_with(paths: Paths, model: str) -> str:
    """The recipe in force if it uses this model, else nothing."""
    recipe = recipe_in(paths.recipe(in_force(paths)[0]))
    return recipe.name if recipe and recipe.model == model else ""
