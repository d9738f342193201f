"""What goes back over HTTP: JSON of the messages' own types, and errors of one line.

Promises: an error is `{"error": "..."}`, one line; what was asked wrongly is told which field.
Never: a traceback, or an answer that a browser keeps.
"""

import asyncio
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from inspector.core.errors import InspectorError, OperatorError
from inspector.ui.pool import Busy

BODY_S = 5.0  # a body that has not come by then does not come
NO_STORE = {"cache-control": "no-store"}

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


def json(value: Any, status: int = 200) -> Response:
    """`value` (structs, dicts, lists) as JSON."""
    return Response(_encode(value), status, NO_STORE, "application/json")


def error(text: str, status: int) -> Response:
    """One line of what is wrong."""
    return json({"error": " ".join(text.split())}, status)


def picture(data: bytes, kind: str) -> Response:
    return Response(data, headers=NO_STORE, media_type=f"image/{kind}")


async def body(request: Request, kind: type[T]) -> T:
    """The request's JSON as `kind`. Raises HTTPException 400 naming the field that is wrong."""
    try:
        data = await asyncio.wait_for(request.body(), BODY_S)
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise HTTPException(400, f"not understood: {problem}") from None
    except (TimeoutError, ClientDisconnect):
        raise HTTPException(408, "the request did not come whole; send it again") from None


def number(request: Request, name: str, default: int, low: int = 0, high: int = 2**63 - 1) -> int:
    """A whole number of the query. Raises HTTPException 400."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    try:
        value = int(text) if len(text) < 24 else high + 1
    except ValueError:
        value = high + 1
    if not low <= value <= high:
        raise HTTPException(400, f"{name}: must be a whole number from {low} to {high}")
    return value


async def refused(_request: Request, problem: Exception) -> Response:
    """A request that is wrong, or for what is not there."""
    assert isinstance(problem, HTTPException)
    return error(problem.detail, problem.status_code)


async def failed(_request: Request, problem: Exception) -> Response:
    """Something that a person must mend, or that goes by."""
    if isinstance(problem, OperatorError):
        return error(str(problem), 404)
    return error(str(problem), 503)


async def broken(_request: Request, _problem: Exception) -> Response:
    """A defect of this program; the log has more."""
    return error("the station's page could not answer this; its log says more", 500)


HANDLERS: dict[Any, Any] = {
    HTTPException: refused,
    InspectorError: failed,
    Busy: failed,
    Exception: broken,
}
