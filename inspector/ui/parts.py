"""One part: what the line said of it, its picture, its heatmap.

Promises: a part is found by the run of its camera and its number in it, fresh or old.
Never: takes anything but hexadecimal digits and a whole number for a part.
"""

import re

from msgspec import structs
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector.core.live import RecentPart
from inspector.core.messages import Outcome
from inspector.core.terms import Heatmap
from inspector.devices.ledger import RecordedPart
from inspector.ui import drawing, responses
from inspector.ui.context import Context
from inspector.ui.recipes import limits_of

STREAM = re.compile(r"[0-9a-f]{32}")
MOST_WIDE = 16_384


class Parts:
    """The routes below /part."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        return [
            Route("/part/{stream}/{seq}", self._part),
            Route("/part/{stream}/{seq}/image", self._image),
            Route("/part/{stream}/{seq}/heat", self._heat),
        ]

    async def _part(self, request: Request) -> Response:
        part = await self._recorded(request)
        context = self._context
        there = await context.drawing.run(lambda rings: context.pictures.there(part.outcome, rings))
        return responses.json({**told(part), "image": there})

    async def _image(self, request: Request) -> Response:
        width = responses.number(request, "width", 0, 0, MOST_WIDE)
        part = self._shown(request) or (await self._recorded(request)).outcome
        pictures = self._context.pictures
        data = await self._context.drawing.run(lambda rings: pictures.of(part, width, rings))
        if data is None:
            raise HTTPException(404, "there is no picture of this part any more")
        return responses.picture(data, "jpeg")

    async def _heat(self, request: Request) -> Response:
        stream, seq = _named(request)
        heatmap = self._context.pictures.heat(stream, seq)
        recipe = self._context.recipe_now()
        if heatmap is None:
            outcome = (await self._recorded(request)).outcome
            heatmap, recipe = outcome.heatmap, outcome.recipe
        data = await self._drawn(heatmap, recipe) if heatmap else None
        if data is None:
            raise HTTPException(404, "there is no heatmap of this part")
        return responses.picture(data, "png")

    async def _drawn(self, heatmap: Heatmap, recipe: str) -> bytes | None:
        paths = self._context.paths

        def draw(_rings: object) -> bytes | None:
            return drawing.heat(heatmap, *limits_of(paths, recipe))

        return await self._context.drawing.run(draw)

    def _shown(self, request: Request) -> Outcome | RecentPart | None:
        """The part if it is one of the last: the ledger need not be asked."""
        named = _named(request)
        live = self._context.feed.live
        if live is None:
            return None
        if live.last and (live.last.stream, live.last.seq) == named:
            return live.last
        return next((one for one in live.recent if (one.stream, one.seq) == named), None)

    async def _recorded(self, request: Request) -> RecordedPart:
        stream, seq = _named(request)
        part = await self._context.ledger.ask(lambda reader: reader.part(stream, seq))
        if part is None:
            raise HTTPException(404, "no such part is recorded")
        return part


def told(part: RecordedPart) -> dict[str, object]:
    """A recorded part for a page, without the heatmap's values."""
    return {
        "id": part.id,
        "outcome": without_heat(part.outcome),
        "finding": part.finding,
        "defect_class": part.defect_class,
        "reviewed_by": part.reviewed_by,
    }


def without_heat(outcome: Outcome) -> Outcome:
    if outcome.heatmap is None:
        return outcome
    return structs.replace(outcome, heatmap=structs.replace(outcome.heatmap, data=b""))


def _named(request: Request) -> tuple[str, int]:
    """Stream and seq of the path. Raises HTTPException 404."""
    stream, seq = request.path_params["stream"], request.path_params["seq"]
    if not STREAM.fullmatch(stream) or not (seq.isascii() and seq.isdecimal() and len(seq) < 19):
        raise HTTPException(404, "no such part: a part is 32 hexadecimal digits and a number")
    return stream, int(seq)
