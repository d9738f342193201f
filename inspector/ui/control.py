"""Logins and orders on their way to `record`'s control socket, and who is logged in where.

Promises: every order goes to `record` with the session it was given under, which checks it there;
a session is known to the browser as an HttpOnly cookie only.
Never: decides what somebody may do, keeps a PIN, or shows a session to a script.
"""

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from msgspec import structs
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector.core.config import Ui
from inspector.core.errors import MaintainerError
from inspector.core.orders import (
    AnyOrder,
    Login,
    Logout,
    Order,
    Person,
    Reason,
    Renew,
    Reply,
)
from inspector.core.paths import Paths
from inspector.core.people import load_people
from inspector.core.terms import Identifier
from inspector.core.topology import CONTROL
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Bus
from inspector.ui.pool import Busy, Pool
from inspector.ui.responses import body, json

ANSWER_S = 5.0
AGAIN_S = 1.0  # after record was not there to be asked
KNOWN = 256  # sessions whose person is remembered here
STRANGE = "who may log in cannot be read; look into the log of ui on the station"


class LoginForm(msgspec.Struct, forbid_unknown_fields=True):
    name: Identifier
    pin: Identifier


class OrderForm(msgspec.Struct, forbid_unknown_fields=True):
    order: AnyOrder
    reason: Reason = ""


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """{}"""


@dataclass
class Known:
    """What record last said of a session."""

    person: Person | None
    at: float


class Control:
    """Between the pages and `record`."""

    def __init__(self, paths: Paths, ui: Ui, cookie: str) -> None:
        """`cookie`: its name, another for every station on one host."""
        self._file = paths.people
        self._endpoint = paths.socket(CONTROL)
        self._ui = ui
        self._cookie = cookie
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._again = 0.0
        self._pool: Pool[str] = Pool("control", 2, lambda: self._endpoint)

    def routes(self) -> list[Route]:
        return [
            Route("/login", self._login, methods=["POST"]),
            Route("/logout", self._logout, methods=["POST"]),
            Route("/renew", self._renew, methods=["POST"]),
            Route("/order", self._order, methods=["POST"]),
            Route("/api/people", self._people),
        ]

    def session(self, request: Request) -> str:
        """The session that the browser holds, or nothing."""
        found = request.cookies.get(self._cookie, "")
        return found if len(found) <= 64 else ""

    def person(self, session: str) -> Person | None:
        """Who holds the session, by what record said last; one that is not known here is asked
        about, and nobody until then."""
        known = self._known.get(session)
        if known is None:
            if session and time.monotonic() >= self._again:
                self._meet(session)
            return None
        return known.person if time.monotonic() - known.at <= self._ui.logout_s else None

    async def meet(self, request: Request, patience_s: float) -> Person | None:
        """`person` of a request, after waiting for record's answer where that is needed."""
        session = self.session(request)
        if session and session not in self._known:
            await asyncio.wait({self._meet(session)}, timeout=patience_s)
        return self.person(session)

    def forget(self) -> None:
        """Record has begun anew: it alone knows which sessions there still are."""
        self._known.clear()
        self._again = 0.0

    def _meet(self, session: str) -> "asyncio.Task[None]":
        """Ask record whose session it is, once at a time."""
        if session not in self._asking:
            self._asking[session] = asyncio.ensure_future(self._ask_whose(session))
        return self._asking[session]

    async def _ask_whose(self, session: str) -> None:
        try:
            self._learn(session, await self._ask(Renew(session=session)))
        except MaintainerError:
            self._again = time.monotonic() + AGAIN_S  # record is away
        finally:
            self._asking.pop(session, None)

    async def logged_in(self, request: Request) -> bool:
        return await self.meet(request, ANSWER_S) is not None

    async def _login(self, request: Request) -> Response:
        form = await body(request, LoginForm)
        reply = await self._ask(Login(name=form.name, pin=form.pin))
        answer = _answer(reply)
        if reply.ok and reply.session:
            await self._end(self.session(request))
            self._learn(reply.session, reply)
            answer.set_cookie(
                self._cookie,
                reply.session,
                path="/",
                httponly=True,
                samesite="strict",
                secure=self._ui.tls_cert is not None,
            )
        return answer

    async def _end(self, session: str) -> None:
        """Whoever was logged in here before is so no more."""
        if session:
            self._known.pop(session, None)
            with suppress(MaintainerError):  # then it ends by itself
                await self._ask(Logout(session=session))

    async def _logout(self, request: Request) -> Response:
        await body(request, Nothing)
        session = self.session(request)
        self._known.pop(session, None)
        answer = _answer(await self._ask(Logout(session=session)))
        answer.delete_cookie(self._cookie, path="/", httponly=True, samesite="strict")
        return answer

    async def _renew(self, request: Request) -> Response:
        await body(request, Nothing)
        session = self.session(request)
        reply = await self._ask(Renew(session=session))
        if session:
            self._learn(session, reply)
        return _answer(reply)

    async def _order(self, request: Request) -> Response:
        form = await body(request, OrderForm)
        session = self.session(request)
        reply = await self._ask(Order(session=session, order=form.order, reason=form.reason))
        if session and reply.code == "no_session":
            self._learn(session, reply)
        return _answer(reply)

    async def _people(self, _request: Request) -> Response:
        """Who may log in: a touch on the name, then the PIN."""
        try:
            found = await self._pool.run(lambda _: load_people(self._file))
        except Busy:
            raise
        except MaintainerError as problem:
            # Strangers ask this, too: where the file lies is none of their business.
            raise HTTPException(503, STRANGE if self._ui.login_to_view else str(problem)) from None
        return json({"people": [{"name": one.name, "role": one.role} for one in found]})

    def _learn(self, session: str, reply: Reply) -> None:
        self._known[session] = Known(reply.person if reply.ok else None, time.monotonic())
        self._known.move_to_end(session)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)

    async def _ask(self, message: AnyMessage) -> Reply:
        """What record responses. Raises MaintainerError when it does not."""
        return await self._pool.run(lambda endpoint: _asked(endpoint, message))


def _asked(endpoint: str, message: AnyMessage) -> Reply:
    # Its own context: one that hangs here is of no concern to the rest.
    with Bus() as bus:
        try:
            reply = bus.ask(endpoint, message, ANSWER_S)
        except MaintainerError:
            raise MaintainerError(
                f"record did not answer within {ANSWER_S:g} s; nothing was ordered as far as is "
                "known, look at the line and try again"
            ) from None
    if not isinstance(reply, Reply):
        raise MaintainerError("record gave an answer that is none; restart the station")
    return reply


def _answer(reply: Reply) -> Response:
    return json(structs.replace(reply, session=""))
