"""The state of the line for every open page, as server-sent events.

Promises: only the newest state is ever kept or sent; a page gets at most one per 150 ms on
average and at least one per 0.5 s; a state that record has not renewed for 1.5 s is called stale.
Never: lets a slow page pile anything up, serves more than STREAMS of them, or goes on for somebody
who is logged out where one has to be logged in.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import structs
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from inspector.core.clock import MS, SECOND
from inspector.core.live import Live
from inspector.core.orders import Person

STREAMS = 16
EVERY_S = 0.15
SILENT_S = 0.5
STALE_NS = 3 * SECOND // 2
STUCK_S = 10.0  # a page that takes nothing for so long is let go
BURST = 2.0  # a part's outcome need not wait for what was sent just before it

WhoIs = Callable[[], Person | None]

_encode = msgspec.json.Encoder().encode


class Feed:
    """The newest state; lives on the event loop, but for `offer`."""

    def __init__(self, language: str, version: str, logout_s: int) -> None:
        self.live: Live | None = None
        self.streams = 0
        self.closed = False
        self.version = 0  # of the state: what a stream has sent may be older
        self._tail = _encode({"language": language, "version": version, "logout_s": logout_s})[1:]
        self._body = b"null"
        self._changed = asyncio.Event()

    def take(self, live: Live) -> None:
        """The newest state."""
        self.live = live
        self._body = _encode(without_heat(live))
        self.wake()

    def wake(self) -> None:
        """Tell every stream that there is something to say."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        self.closed = True
        self.wake()

    async def change(self, seen: int, timeout_s: float) -> None:
        """Wait for something newer than version `seen`, for at most `timeout_s`."""
        if self.version != seen:
            return
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return

    def age_ns(self) -> int:
        """How long ago record said what `live` says."""
        return max(0, time.monotonic_ns() - self.live.sent_ns) if self.live else 0

    def stale(self) -> bool:
        return self.live is None or self.age_ns() >= STALE_NS

    def event(self, person: Person | None) -> bytes:
        """The state of now as one server-sent event."""
        head = b'data: {"live":%b,"stale":%b,"age_ms":%d,"person":%b,' % (
            self._body,
            b"true" if self.stale() else b"false",
            self.age_ns() // MS,
            _encode(person),
        )
        return head + self._tail + b"\n\n"

    def until_stale_s(self) -> float:
        """Seconds until the state turns stale if nothing comes; SILENT_S where it is already."""
        left = (STALE_NS - self.age_ns()) / SECOND
        return left if left > 0 else SILENT_S


class EventStream(Response):
    """One page's stream."""

    def __init__(self, feed: Feed, who: WhoIs, login: bool) -> None:
        """`login`: only somebody may see it; it ends when they are logged out."""
        super().__init__(headers={"cache-control": "no-store"}, media_type="text/event-stream")
        del self.headers["content-length"]
        self._feed = feed
        self._who = who
        self._login = login

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self._feed.streams += 1
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await _within(send, self._start())
            await self._speak(send, gone)
        except TimeoutError:
            return  # stuck: the server closes the connection
        finally:
            gone.cancel()
            self._feed.streams -= 1

    def _start(self) -> Message:
        return {"type": "http.response.start", "status": 200, "headers": self.raw_headers}

    async def _speak(self, send: Send, gone: "asyncio.Future[None]") -> None:
        pace = Pace()
        while not gone.done() and not self._feed.closed:
            pace.spend()
            seen = self._feed.version
            person = self._who()
            if self._login and person is None:
                break  # the page asks anew, and is told to have somebody log in
            data = self._feed.event(person)
            await _within(send, {"type": "http.response.body", "body": data, "more_body": True})
            await self._feed.change(seen, min(SILENT_S, self._feed.until_stale_s()))
            if not self._feed.closed and (wait := pace.wait_s()):
                await asyncio.sleep(wait)
        await _within(send, {"type": "http.response.body", "body": b"", "more_body": False})


class Pace:
    """One event per EVERY_S on average, BURST of them at once."""

    def __init__(self) -> None:
        self._tokens = BURST
        self._at = time.monotonic()

    def spend(self) -> None:
        self._fill()
        self._tokens -= 1

    def wait_s(self) -> float:
        """Seconds until the next may be sent; 0: now."""
        self._fill()
        return max(0.0, (1 - self._tokens) * EVERY_S)

    def _fill(self) -> None:
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._at) / EVERY_S)
        self._at = now


def without_heat(live: Live) -> Live:
    """The state without the heatmap's values: a page asks for them as a picture."""
    if live.last is None or live.last.heatmap is None:
        return live
    heatmap = structs.replace(live.last.heatmap, data=b"")
    return structs.replace(live, last=structs.replace(live.last, heatmap=heatmap))


async def _within(send: Send, message: Message) -> None:
    sending: Awaitable[None] = send(message)
    await asyncio.wait_for(sending, STUCK_S)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
