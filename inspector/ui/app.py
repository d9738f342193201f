"""The application: every route of the screen, behind the guard.

Promises: all that a page can ask for is in this table.
Never: answers an address of its own that another program could have meant.
"""

import mimetypes
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from inspector.ui.context import Context
from inspector.ui.feed import STREAMS, EventStream
from inspector.ui.guard import Guard
from inspector.ui.health import Health
from inspector.ui.lists import Lists
from inspector.ui.metrics import Metrics
from inspector.ui.models import Models
from inspector.ui.parts import Parts
from inspector.ui.recipes import Recipes
from inspector.ui.responses import HANDLERS
from inspector.ui.trends import routes as trends
from inspector.ui.workshop import Workshop

MEET_S = 0.3  # a page need not wait for who is there, if record is slow to say
STATIC = Path(__file__).parent / "static"
# What the page is made of; the box's own table of types may say otherwise.
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def build(context: Context) -> ASGIApp:
    """All of it."""
    for ending, kind in TYPES.items():
        mimetypes.add_type(kind, ending)
    app = Starlette(routes=_routes(context), exception_handlers=HANDLERS)
    app.state.paths, app.state.station = context.paths, context.config
    assert context.config.ui
    return Guard(app, context.config.ui, context.control.logged_in)


def _routes(context: Context) -> list[BaseRoute]:
    assert context.config.ui
    login = context.config.ui.login_to_view

    async def page(_request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})

    async def live(request: Request) -> Response:
        if request.method != "GET":
            raise HTTPException(405, f"{request.method}: a stream has no end to tell of")
        if context.feed.streams >= STREAMS:
            raise HTTPException(503, f"{STREAMS} screens are open already; close one")
        await context.control.meet(request, MEET_S)
        session = context.control.session(request)
        return EventStream(context.feed, lambda: context.control.person(session), login)

    return [
        Route("/", page),
        Mount("/static", Fresh(directory=STATIC)),
        Route("/live", live),
        *context.control.routes(),
        *Parts(context).routes(),
        *Lists(context).routes(),
        *Recipes(context).routes(),
        *Models(context).routes(),
        *Workshop(context).routes(),
        *Health(context).routes(),
        *Metrics(context).routes(),
        *trends,
    ]


class Fresh(StaticFiles):
    """Files that a browser asks for anew each time: after an update it shows no mixture."""

    def file_response(self, *arguments: object, **named: object) -> Response:
        answer = super().file_response(*arguments, **named)  # type: ignore[arg-type]
        answer.headers["cache-control"] = "no-cache"
        return answer
