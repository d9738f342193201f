"""The models in the store as the page shows them.

Promises: every version is checked file by file, once, and again when its folder changes; what has
been proven on this box stands beside it.
Never: proves or switches; those are orders.
"""

import threading
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector.core.bundle import BundleManifest
from inspector.core.bundle_folder import MANIFEST
from inspector.core.errors import InspectorError
from inspector.core.paths import Paths
from inspector.core.toml import read_toml
from inspector.devices.bundles import Installed, Store
from inspector.devices.proofs import Stamp
from inspector.ui import responses
from inspector.ui.context import Context
from inspector.ui.recipes import bundle_of

Signature = tuple[tuple[str, int, str], ...]


class Models:
    """The route about models."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._seen: tuple[Signature, list[dict[str, object]]] | None = None

    def routes(self) -> list[Route]:
        return [Route("/api/models", self._models)]

    async def _models(self, _request: Request) -> Response:
        paths, recipe = self._context.paths, self._context.recipe_now()
        models = await self._context.drawing.run(lambda _: self._listed(paths))
        models = models + await self._context.drawing.run(lambda _: elsewhere(paths, recipe))
        proofs = await self._context.drawing.run(lambda _: proofs_of(paths.proofs))
        return responses.json({"models": models, "proofs": proofs})

    def _listed(self, paths: Paths) -> list[dict[str, object]]:
        """Checking files takes long, so it is done once for each change of the store."""
        with self._lock:
            signature = _signature(paths.models)
            if self._seen is None or self._seen[0] != signature:
                self._seen = signature, [_told(one) for one in Store(paths.models).listed()]
            return self._seen[1]


def elsewhere(paths: Paths, recipe: str) -> list[dict[str, object]]:
    """The model in force where it is none of the store's: a recipe may name any folder."""
    found = bundle_of(paths, recipe)
    if found is None or found[0].is_relative_to(paths.models):
        return []
    folder, manifest = found
    one = Installed(manifest.name, manifest.version, folder, current=True, previous=False)
    return [_told(one, installed=False)]


def proofs_of(folder: Path) -> list[dict[str, object]]:
    """The stamps of what has been proven here, newest first."""
    found = []
    for path in folder.glob("*.json"):
        try:
            stamp = msgspec.json.decode(path.read_bytes(), type=Stamp)
            made = path.stat().st_mtime_ns
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            continue  # it counts for nothing
        found.append((made, stamp))
    found.sort(key=lambda one: one[0], reverse=True)
    return [
        {
            "model": stamp.facts.get("bundle", ""),
            "wall_ns": made,
            "difference": stamp.difference,
            "facts": stamp.facts,
        }
        for made, stamp in found
    ]


def _told(one: Installed, installed: bool = True) -> dict[str, object]:
    manifest = _manifest(one.folder)
    told: dict[str, object] = {
        "name": one.name,
        "version": one.version,
        "current": one.current,
        "previous": one.previous,
        "installed": installed,
        "problem": one.problem,
    }
    if manifest is None:
        return told
    return told | {
        "task": manifest.task,
        "classes": manifest.classes,
        "made_from": manifest.provenance.made_from,
        "metrics": manifest.metrics,
        "limits": manifest.limits,
        "calibration": manifest.calibration,
    }


def _manifest(folder: Path) -> BundleManifest | None:
    try:
        return read_toml(folder / MANIFEST, BundleManifest)
    except InspectorError:
        return None


def _signature(models: Path) -> Signature:
    """Changes whenever a version comes, goes, is altered or is put in use."""
    return tuple(sorted(_fact(path) for path in models.glob("*/**/*")))


def _fact(path: Path) -> tuple[str, int, str]:
    try:
        link = str(path.readlink()) if path.is_symlink() else ""
        return str(path), path.lstat().st_mtime_ns, link
    except OSError:
        return str(path), 0, ""
