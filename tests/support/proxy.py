"""A middleman on the way to a broker, with bad manners of every kind.

Promises: bytes pass in order and are counted, each way; a change of manners ends every connection,
as a restart of the broker does. `acks=False` lets every packet of the broker's through but the
acknowledgement of a publish: it takes all and never answers.
Never: looks into what is encrypted: `acks=False` is for connections without TLS.
"""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

PUBACK = 4
CHUNK = 1024
AHEAD = 32  # chunks on their way in one direction; more wait at the sender


@dataclass(frozen=True)
class Manners:
    """How the way to the broker is."""

    delay_s: float = 0.0  # each way
    bits_per_s: float = 0.0  # each way, of one connection; 0: as fast as it goes
    away: bool = False  # every connection ends at once
    silent: bool = False  # accepts, and nothing ever comes through
    acks: bool = True


GOOD = Manners()
SLOW = Manners(delay_s=1.0, bits_per_s=256_000)
AWAY = Manners(away=True)
SILENT = Manners(silent=True)
FORGETFUL = Manners(acks=False)


class Proxy:
    """One middleman on a free port of the loopback, in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.up = self.down = 0  # bytes towards the broker, and back
        self.connections = 0  # so far
        self._target = (host, port)
        self._manners = GOOD
        self._open: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        self.port = int(self._server.sockets[0].getsockname()[1])

    def be(self, manners: Manners) -> None:
        """From now on so, for new connections; those there are end."""
        asyncio.run_coroutine_threadsafe(self._change(manners), self._loop).result()

    def yield_to_all(self) -> None:
        """Run behind everything else on this machine."""
        assert self._thread.native_id
        os.setpriority(os.PRIO_PROCESS, self._thread.native_id, 19)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _change(self, manners: Manners) -> None:
        self._manners = manners
        await self._hang_up()

    async def _end(self) -> None:
        self._server.close()
        await self._hang_up()

    async def _hang_up(self) -> None:
        mine = list(self._open)
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        self.connections += 1
        try:
            # Cancelled by a change of manners; the server would log that as an error.
            with suppress(OSError, asyncio.CancelledError):
                await self._talk(near, back, self._manners)
        finally:
            self._open.discard(task)
            back.close()

    async def _talk(
        self, near: asyncio.StreamReader, back: asyncio.StreamWriter, manners: Manners
    ) -> None:
        if manners.away:
            return
        if manners.silent:
            while await near.read(CHUNK):
                pass
            return
        far, forth = await asyncio.open_connection(*self._target)
        ways = [
            asyncio.ensure_future(self._carry(near, forth, manners, towards=True)),
            asyncio.ensure_future(self._carry(far, back, manners, towards=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            forth.close()  # first: what follows may be cancelled in its turn
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _carry(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        manners: Manners,
        towards: bool,
    ) -> None:
        """One direction, until either end closes."""
        way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(AHEAD)
        giving = asyncio.ensure_future(self._give(way, sink, manners))
        packets = Packets() if not (towards or manners.acks) else None
        try:
            while (data := await source.read(CHUNK)) and not giving.done():
                self._count(len(data), towards)
                kept = packets.without(PUBACK, data) if packets else data
                await way.put((self._loop.time() + manners.delay_s, kept))
        finally:
            giving.cancel()

    async def _give(
        self, way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter, manners: Manners
    ) -> None:
        while True:
            due, data = await way.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            sink.write(data)
            await sink.drain()
            if manners.bits_per_s:
                await asyncio.sleep(8 * len(data) / manners.bits_per_s)

    def _count(self, size: int, towards: bool) -> None:
        if towards:
            self.up += size
        else:
            self.down += size


class Packets:
    """A stream of MQTT, cut into its packets."""

    def __init__(self) -> None:
        self._rest = b""

    def without(self, kind: int, data: bytes) -> bytes:
        """The packets that are whole by now, but for those of this kind."""
        self._rest += data
        kept = b""
        while size := _length(self._rest):
            packet, self._rest = self._rest[:size], self._rest[size:]
            if packet[0] >> 4 != kind:
                kept += packet
        return kept


def _length(data: bytes) -> int:
    """Bytes of the first packet, 0 while it is not whole."""
    remaining = 0
    for place, byte in enumerate(data[1:5]):
        remaining |= (byte & 127) << 7 * place
        if not byte & 128:
            whole = 2 + place + remaining
            return whole if len(data) >= whole else 0
    return 0


@contextmanager
def proxy(port: int, host: str = "127.0.0.1") -> Iterator[Proxy]:
    """A middleman before this broker, with good manners at first."""
    one = Proxy(host, port)
    try:
        yield one
    finally:
        one.close()
