"""Recipes, and the golden parts of the model in force, as the pages need them.

Promises: a recipe that is unreadable or gone is said to be so, and everything else works on.
Never: loads a model, or proves one: that takes seconds, and is the workshop's.
"""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector.core.bundle import BundleManifest
from inspector.core.bundle_folder import MANIFEST
from inspector.core.errors import InspectorError
from inspector.core.paths import Paths
from inspector.core.recipe import Recipe, load_recipe
from inspector.core.toml import read_toml
from inspector.devices.bundles import find
from inspector.ui import drawing, responses
from inspector.ui.context import Context

LIMITS = (0.5, 1.0)  # where a recipe is gone: 1 is the usual fail limit
LARGEST_IMAGE = 64 * 2**20


class Recipes:
    """The routes about products."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        return [
            Route("/api/recipes", self._recipes),
            Route("/api/golden", self._golden),
            Route("/golden/{index:int}", self._golden_image),
        ]

    async def _recipes(self, _request: Request) -> Response:
        paths, now = self._context.paths, self._context.recipe_now()
        found = await self._context.drawing.run(lambda _: overview(paths, now))
        return responses.json(found | {"pause": self._context.config.line.pause})

    async def _golden(self, _request: Request) -> Response:
        paths, now = self._context.paths, self._context.recipe_now()
        images = await self._context.drawing.run(lambda _: golden_images(paths, now))
        return responses.json({"good": [str(index) for index in range(len(images))]})

    async def _golden_image(self, request: Request) -> Response:
        paths, now = self._context.paths, self._context.recipe_now()
        index: int = request.path_params["index"]

        def draw(_rings: object) -> bytes | None:
            images = golden_images(paths, now)
            return as_jpeg(images[index]) if index < len(images) else None

        data = await self._context.drawing.run(draw)
        if data is None:
            raise HTTPException(404, "the model in force has no such golden part")
        return responses.picture(data, "jpeg")


def overview(paths: Paths, now: str) -> dict[str, object]:
    """All recipes, and what the one in force demands. Blocks on the disk, as all below."""
    recipe = recipe_of(paths, now)
    return {
        "recipes": [
            {"name": name, "problem": problem_of(paths, name)} for name in paths.recipe_names()
        ],
        "reason_for": recipe.reason_for if recipe else (),
        "challenge": recipe.challenge if recipe else None,
        "limits": recipe.limits if recipe else None,
    }


def problem_of(paths: Paths, name: str) -> str:
    """Why the recipe cannot be made; empty where it can, as far as a quick look tells."""
    try:
        folder = find(load_recipe(paths.recipe(name)).model, paths.models)
    except InspectorError as error:
        return str(error)
    return "" if (folder / MANIFEST).is_file() else f"{folder}: holds no bundle"


def recipe_of(paths: Paths, name: str) -> Recipe | None:
    """The recipe of this name, None when it is gone or unreadable."""
    try:
        return load_recipe(paths.recipe(name)) if name in paths.recipe_names() else None
    except InspectorError:
        return None


def limits_of(paths: Paths, name: str) -> tuple[float, float]:
    """Review and fail limit."""
    recipe = recipe_of(paths, name)
    return (recipe.limits.review, recipe.limits.fail) if recipe else LIMITS


def bundle_of(paths: Paths, name: str) -> tuple[Path, BundleManifest] | None:
    """Where the recipe's model lies and what it says of itself, unproven; None where there is
    none."""
    recipe = recipe_of(paths, name)
    if recipe is None:
        return None
    try:
        folder = find(recipe.model, paths.models)
        return folder, read_toml(folder / MANIFEST, BundleManifest)
    except InspectorError:
        return None


def manifest_of(paths: Paths, name: str) -> BundleManifest | None:
    found = bundle_of(paths, name)
    return found[1] if found else None


def golden_images(paths: Paths, name: str) -> list[Path]:
    """Pictures of good parts that came with the recipe's model."""
    found = bundle_of(paths, name)
    if found is None:
        return []
    folder, manifest = found
    names = manifest.golden.good or (manifest.proof.references[0].image,)
    return [folder / name for name in names]


def as_jpeg(path: Path, width: int = 0) -> bytes | None:
    """An image file as JPEG, at most `width` wide where one is given; None when it is none."""
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST_IMAGE else b""
    except OSError:
        return None
    frame = drawing.decoded(data)
    return None if frame is None else drawing.jpeg(drawing.shrunk(frame, width or frame.shape[1]))
