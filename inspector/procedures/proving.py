"""Proving a bundle as the station's own detect would, before it is put in use.

Promises: it is proven for every recipe that names it, with that recipe's limits, and stamped, so
that detect need not do it all again.
Never: puts anything in use.
"""

from collections.abc import Sequence
from pathlib import Path

from inspector.core.config import Detect, load_station
from inspector.core.current import read_current
from inspector.core.errors import MaintainerError
from inspector.core.paths import Paths
from inspector.core.recipe import Recipe, RecipeLimits, load_recipe
from inspector.devices.bundles import Bundle
from inspector.devices.engine import Engine
from inspector.procedures.loading import Loader


def prove_here(
    bundle: Bundle, paths: Paths, instead: Sequence[Recipe] = (), settings: Detect | None = None
) -> None:
    """As detect will prove it for each recipe that names it, and stamped for it. `instead`: recipes
    as they will be, in place of those of the same name; `settings`: default, the station's.

    Raises MaintainerError.
    """
    loader = Loader(paths, Engine(settings or settings_of(paths), paths.cache))
    known = {recipe.name: recipe for recipe in recipes_naming(bundle.manifest.name, paths)}
    naming = [*(known | {recipe.name: recipe for recipe in instead}).values()]
    for recipe in naming or [rules_of(bundle)]:
        loader.judge(recipe, bundle.folder)


def recipes_naming(model: str, paths: Paths) -> list[Recipe]:
    """All recipes in order that use the model of this name."""
    recipes = [recipe_in(paths.recipe(name)) for name in paths.recipe_names()]
    return [recipe for recipe in recipes if recipe and recipe.model == model]


def recipe_in(file: Path) -> Recipe | None:
    """None for a recipe that is not in order: that is for `check-config` to say."""
    try:
        return load_recipe(file)
    except MaintainerError:
        return None


def in_force(paths: Paths) -> tuple[str, str]:
    """Recipe and lot in force, or on their way to be. Raises MaintainerError."""
    return read_current(paths.current, load_station(paths.station_file).line).newest


def settings_of(station: Paths | None) -> Detect:
    """How the station runs OpenVINO; the defaults where there is no station yet."""
    if station and station.station_file.exists():
        return load_station(station.station_file).detect
    return Detect()


def rules_of(bundle: Bundle) -> Recipe:
    """A recipe of the bundle's own limits."""
    limits = bundle.manifest.limits
    return Recipe(
        schema=1,
        name=bundle.manifest.name,
        model=str(bundle.folder),
        limits=RecipeLimits(review=limits.review, fail=limits.fail),
    )
