"""What the workshop has of each product: pictures, to be looked at before teaching, and what was
taught from them.

Promises: only pictures of a product's good and defective parts are shown, in small.
Never: follows a name out of its folder.
"""

import re
from pathlib import Path
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector.core.live import Taught
from inspector.ui import responses
from inspector.ui.context import Context
from inspector.ui.pictures import SMALL
from inspector.ui.recipes import as_jpeg

PRODUCT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\.(png|jpg)")
LABELS = ("good", "defective")


class Learned(msgspec.Struct):
    """What the screen needs of what was taught last."""

    taught: Taught


class Workshop:
    """The routes about collected pictures."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        return [
            Route("/api/workshop", self._products),
            Route("/api/workshop/{label}", self._names),
            Route("/workshop/{product}/{label}/{file}", self._image),
        ]

    async def _products(self, _request: Request) -> Response:
        workshop = self._context.paths.workshop
        found = await self._context.drawing.run(lambda _: products_in(workshop))
        return responses.json({"products": found})

    async def _names(self, request: Request) -> Response:
        product = request.query_params.get("product", "")
        folder = self._folder(product, request.path_params)
        names = await self._context.drawing.run(lambda _: pictures_in(folder))
        return responses.json({"files": names})

    async def _image(self, request: Request) -> Response:
        file = request.path_params["file"]
        path = self._folder(request.path_params["product"], request.path_params) / file
        if not FILE.fullmatch(file):
            raise HTTPException(404, "no such picture")
        data = await self._context.drawing.run(lambda _: as_jpeg(path, SMALL))
        if data is None:
            raise HTTPException(404, "no such picture")
        return responses.picture(data, "jpeg")

    def _folder(self, product: str, where: dict[str, Any]) -> Path:
        if not PRODUCT.fullmatch(product) or where["label"] not in LABELS:
            raise HTTPException(404, "no such product: a name and good or defective")
        return self._context.paths.workshop / product / str(where["label"])


def products_in(workshop: Path) -> list[dict[str, object]]:
    """Every product there, the one worked on last first."""
    found = [path for path in workshop.glob("*") if PRODUCT.fullmatch(path.name) and path.is_dir()]
    found.sort(key=_worked_on, reverse=True)
    return [
        {
            "product": folder.name,
            **{label: len(pictures_in(folder / label)) for label in LABELS},
            "taught": _taught(folder),
        }
        for folder in found
    ]


def _worked_on(folder: Path) -> int:
    try:
        return max(path.stat().st_mtime_ns for path in (folder, *folder.iterdir()))
    except OSError:  # discarded just now
        return 0


def _taught(folder: Path) -> Taught | None:
    try:
        learned = msgspec.json.decode((folder / "taught.json").read_bytes(), type=Learned)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return learned.taught if (folder / "bundle").is_dir() else None


def pictures_in(folder: Path) -> list[str]:
    """Names of the pictures there, in the order in which they were taken."""
    try:
        found = [path for path in folder.iterdir() if FILE.fullmatch(path.name)]
        return [path.name for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)]
    except OSError:
        return []
