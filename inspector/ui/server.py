"""uvicorn on a thread of its own, on an address that was had before anything else began.

Promises: an address or certificate that cannot be had is an error of one line; an end is over
within a second, whatever is still open.
Never: handles a signal (those are the main thread's), or keeps a connection that asks nothing.
"""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from inspector.core.config import Ui
from inspector.core.errors import MaintainerError
from inspector.devices.tls import certificate_file, check_certificate

CONNECTIONS = 128
OF_ONE_CLIENT = 64  # connections: no other one is locked out by it
ASK_S = 5.0  # from the first byte, or from the connection, to a whole head of a request
BACKLOG = 64
SEND_BUFFER = 64 * 1024  # bytes in the kernel for each: a page that is slow shall not see the past
QUIET_S = 0.3  # at the end, for answers under way
END_S = 0.5


class Connection(H11Protocol):
    """One that must ask something within ASK_S; a client has at most OF_ONE_CLIENT of them."""

    _giving_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        mine = self.client and self.client[0]
        others = [one.client[0] for one in self.connections if one.client]  # type: ignore[union-attr]
        if others.count(mine) > OF_ONE_CLIENT:
            transport.abort()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self._at_work():
            self._stop_watching()
        elif self._giving_up is None:
            self._giving_up = self.loop.call_later(ASK_S, self._give_up)

    def _stop_watching(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def _give_up(self) -> None:
        self._giving_up = None
        if not self._at_work():
            self.transport.abort()

    def _at_work(self) -> bool:
        """True from the whole head of a request to the end of its answer."""
        return self.cycle is not None and not self.cycle.response_complete


class Server:
    """The web server."""

    def __init__(self, app: ASGIApp, ui: Ui, listening: socket.socket) -> None:
        self._log = logging.getLogger("uvicorn.error")
        self._log.setLevel(logging.WARNING)
        self._socket = listening
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=16 * 1024,
                ssl_certfile=certificate_file(ui.tls_cert),
                ssl_keyfile=certificate_file(ui.tls_key),
            )
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._asked: float | None = None  # when the loop was asked for what it has not done yet

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def soon(self, call: Callable[[], None]) -> None:
        """Have the loop do it."""
        assert self._loop
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def knock(self, call: Callable[[], None]) -> float:
        """Have the loop do it, if it has done what it was asked here before. Returns for how many
        seconds it has not."""
        now, asked = time.monotonic(), self._asked
        if asked is None:
            self._asked = now
            self.soon(lambda: self._open(call))
            return 0.0
        return now - asked

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """End; what is still open after a moment is cut."""
        self._server.should_exit = True
        self._thread.join(QUIET_S)
        if self._thread.is_alive():
            self._log.setLevel(logging.CRITICAL)  # what is cut is cut on purpose
        self._server.force_exit = True
        self._thread.join(END_S)

    def _open(self, call: Callable[[], None]) -> None:
        self._asked = None  # first: what comes from now on knocks again
        call()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._server.serve(sockets=[self._socket])


def listen(ui: Ui) -> socket.socket:
    """The socket to be served. Raises MaintainerError naming the address and the remedy."""
    if ui.tls_cert and ui.tls_key:
        check_certificate(ui.tls_cert, ui.tls_key)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            ui.host, ui.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise MaintainerError(
            f"ui.host = {ui.host!r}: is no address of this box ({error.strerror}); mend it"
        ) from None
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    try:
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise MaintainerError(
            f"ui.port = {ui.port}: {ui.host} cannot be listened on there ({error.strerror}); stop "
            "the program that uses it, or choose another ui.port in station.toml (0: any)"
        ) from None
    return made


def url_of(ui: Ui, listening: socket.socket) -> str:
    """The page's address."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    scheme = "https" if ui.tls_cert else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
