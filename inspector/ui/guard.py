"""What every request must pass, before anything else looks at it.

Promises: only this station's own page is served: a foreign Host (DNS rebinding) or Origin is
refused, another site can neither order nor embed nor open a stream, a POST needs JSON and the
page's own Origin, a body is small, a client asks at a bounded rate; every answer forbids scripts
and frames from anywhere else.
Never: says who may do what; that is `record`'s.
"""

import ipaddress
import re
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inspector.core.config import Ui
from inspector.ui.responses import error

LARGEST_BODY = 16 * 1024  # bytes
RATES = {"/login": (1.0, 10.0), "/order": (10.0, 40.0)}  # per second, and at once
ANY_RATE = (400.0, 800.0)
CLIENTS = 256
HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
FOREIGN_SITES = ("cross-site", "same-site")  # the same site is any other port of this box
OPEN = ("/", "/login", "/logout", "/renew", "/api/people", "/healthz")  # with login_to_view, too

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

LoggedIn = Callable[[Request], Awaitable[bool]]


class Guard:
    """Stands before the application."""

    def __init__(self, app: ASGIApp, ui: Ui, logged_in: LoggedIn) -> None:
        """`logged_in`: whether the request comes from somebody with a session."""
        self._app = app
        self._scheme = "https" if ui.tls_cert else "http"
        self._names = {ui.host, "localhost", socket.gethostname()}
        # In whatever domain: a foreign name of the kind has no certificate that a browser trusts.
        self._short = f"{socket.gethostname().partition('.')[0]}." if ui.tls_cert else None
        self._login = ui.login_to_view
        self._logged_in = logged_in
        self._rates = Rates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope) or await self._stranger(scope)
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        if not self._is_own(headers.get("host", ""), scope):
            return error("this station is not known under that name; use its own address", 421)
        if (origin := headers.get("origin")) is not None:
            if origin != f"{self._scheme}://{headers['host']}":
                return error("only this station's own page may ask this", 403)
        elif headers.get("sec-fetch-site") in FOREIGN_SITES and path != "/":
            # Without a word of its origin: a picture of a foreign page, say.
            return error("only this station's own page may ask this", 403)
        elif method == "POST":
            return error("only this station's own page may ask this (no Origin)", 403)
        if not self._rates.may(scope, path):
            return error("too many requests; wait a moment", 429)
        if method == "POST":
            return _body_refusal(headers)
        return None if method in ("GET", "HEAD") else error(f"{method}: not allowed here", 405)

    def _is_own(self, host: str, scope: Scope) -> bool:
        """True for the machine's own names, and for the very address that was connected to."""
        if (named := HOST.fullmatch(host)) is None:
            return False
        name = named["name"].strip("[]")
        if name in self._names or (self._short and name.startswith(self._short)):
            return True
        try:
            return ipaddress.ip_address(name) == ipaddress.ip_address(scope["server"][0])
        except ValueError:
            return False

    async def _stranger(self, scope: Scope) -> Response | None:
        path: str = scope["path"]
        if not self._login or path in OPEN or path.startswith("/static/"):
            return None
        if await self._logged_in(Request(scope)):
            return None
        return error("somebody has to log in first", 401)


@dataclass
class Bucket:
    """What one client may still ask."""

    tokens: float
    at: float


class Rates:
    """How often each client asks; the clients longest silent are forgotten."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def may(self, scope: Scope, path: str) -> bool:
        client = scope["client"][0] if scope.get("client") else ""
        rated = path if path in RATES else ""
        rate, most = RATES.get(path, ANY_RATE)
        now = time.monotonic()
        bucket = self._buckets.pop((client, rated), None) or Bucket(most, now)
        bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        self._buckets[client, rated] = bucket
        while len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def _body_refusal(headers: Headers) -> Response | None:
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return error("send application/json", 415)
    length = headers.get("content-length", "")
    if not length.isdecimal():  # chunked: no end in sight
        return error("send a Content-Length", 411)
    if len(length) > 9 or int(length) > LARGEST_BODY:
        return error(f"more than {LARGEST_BODY} bytes; send less", 413)
    return None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
