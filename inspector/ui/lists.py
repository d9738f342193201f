"""Lists out of the ledger: parts, the queue of reviews, what left the station, who did what.

Promises: newest first, a bounded number at once, and where the next page begins; 100,000 parts in
the queue cost no more than ten.
Never: a query of its own; the ledger's reader has them.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector.core.terms import Kind
from inspector.devices.ledger import LedgerReader
from inspector.devices.ledger.chain import newest
from inspector.ui import responses
from inspector.ui.context import Context
from inspector.ui.parts import told
from inspector.ui.recipes import manifest_of
from inspector.ui.responses import number

MOST = 200
NEWEST = 2**63 - 1
USUAL = 50


class Lists:
    """The routes that ask the ledger."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        return [
            Route("/api/parts", self._parts),
            Route("/api/review", self._review),
            Route("/api/departures", self._departures),
            Route("/api/challenges", self._challenges),
            Route("/api/audit", self._audit),
        ]

    async def _parts(self, request: Request) -> Response:
        kinds = _kinds(request.query_params.get("kinds", ""))
        start = number(request, "from", 0)
        end = number(request, "to", NEWEST)
        between = (start, end) if (start, end) != (0, NEWEST) else None
        limit, before = _page(request)

        def question(reader: LedgerReader) -> list[dict[str, object]]:
            return [told(part) for part in reader.parts(limit, before, kinds, between)]

        return responses.json({"parts": await self._context.ledger.ask(question)})

    async def _review(self, request: Request) -> Response:
        limit, before = _page(request)
        context = self._context
        recipe = context.recipe_now()

        def question(reader: LedgerReader) -> dict[str, object]:
            manifest = manifest_of(context.paths, recipe)
            known = [name for name in manifest.classes if name != "good"] if manifest else []
            return {
                "total": reader.sums().to_review,
                "parts": [told(part) for part in reader.to_review(limit, before)],
                "classes": list(dict.fromkeys([*known, *reader.classes()])),
            }

        return responses.json(await context.ledger.ask(question))

    async def _departures(self, request: Request) -> Response:
        limit, before = _page(request)

        def question(reader: LedgerReader) -> dict[str, object]:
            sums = reader.sums()
            return {
                "messages": [
                    {
                        "id": one.id,
                        "wall_ns": one.wall_ns,
                        "topic": one.topic,
                        "bytes": one.bytes,
                        "payload": one.payload,
                    }
                    for one in reader.departures(limit, before)
                ],
                "count": sums.departed,
                "bytes": sums.departed_bytes,
                "pixel_bytes": sums.pixel_bytes,
            }

        return responses.json(await self._context.ledger.ask(question))

    async def _challenges(self, request: Request) -> Response:
        limit, before = _page(request)
        found = await self._context.ledger.ask(lambda reader: reader.challenges(limit, before))
        return responses.json({"challenges": found})

    async def _audit(self, request: Request) -> Response:
        limit, before = _page(request)
        path = self._context.paths.ledger
        found = await self._context.ledger.ask(lambda _reader: newest(path, limit, before))
        return responses.json({"entries": found})


def _page(request: Request) -> tuple[int, int]:
    """How many, and before which id."""
    return number(request, "limit", USUAL, 1, MOST), number(request, "before", NEWEST)


def _kinds(text: str) -> tuple[Kind, ...]:
    """`fail,review`; nothing: all. Raises HTTPException 400."""
    try:
        return tuple({Kind(word): None for word in text.split(",") if word}) or tuple(Kind)
    except ValueError:
        raise HTTPException(400, f"kinds: some of {', '.join(Kind)}, with commas") from None
