"""Messages between processes, over ZeroMQ.

Promises: sending never waits (a full queue or an absent peer is answered with False); receiving
never raises on rubbish (it is counted in `Inbox.refused`); a payload of pixels follows its
message as a second frame, uncopied.
Never: knows what a message means.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import zmq

from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.live import Live
from inspector.core.wire import AnyMessage, decode, encode

RUBBISH_AT_ONCE = 100
IPC = "ipc://"

Received = tuple[AnyMessage, memoryview | None]


class Bus:
    """One process's ZeroMQ context and its sockets; closing it closes them."""

    def __init__(self) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._sockets: list[zmq.Socket[bytes]] = []

    def inbox(self, *endpoints: str, depth: int) -> "Inbox":
        """Bind a PULL socket. Raises MaintainerError when an address is in use."""
        return Inbox(self._bound(zmq.PULL, endpoints, depth))

    def outlet(self, endpoint: str, depth: int) -> "Outlet":
        """Connect a PUSH socket; the peer need not be there yet."""
        socket = self._socket(zmq.PUSH, depth)
        # Queue only towards a living peer, so that nothing piles up for a dead one.
        socket.setsockopt(zmq.IMMEDIATE, 1)
        socket.setsockopt(zmq.RECONNECT_IVL, 20)
        socket.connect(endpoint)
        return Outlet(socket)

    def broadcast(self, endpoint: str) -> "Outlet":
        """Bind a PUB socket."""
        return Outlet(self._bound(zmq.PUB, (endpoint,), 4))

    def listen(self, endpoint: str) -> "Inbox":
        """Connect a SUB socket that keeps only the newest message."""
        socket = self._socket(zmq.SUB, 1)
        socket.setsockopt(zmq.CONFLATE, 1)
        socket.setsockopt(zmq.SUBSCRIBE, b"")
        socket.setsockopt(zmq.RECONNECT_IVL, 50)
        socket.connect(endpoint)
        return Inbox(socket)

    def answer(self, endpoint: str) -> "Desk":
        """Bind a ROUTER socket that takes commands and answers each."""
        return Desk(self._bound(zmq.ROUTER, (endpoint,), 1000))

    def ask(self, endpoint: str, message: AnyMessage, timeout_s: float) -> AnyMessage:
        """Send one command and wait for its answer. Raises MaintainerError when none comes."""
        socket = self._socket(zmq.REQ, 10)
        try:
            socket.connect(endpoint)
            socket.send(encode(message))
            if not socket.poll(int(timeout_s * 1000)):
                raise MaintainerError(
                    f"{endpoint}: no answer within {timeout_s:g} s; is the line running?"
                )
            return decode(socket.recv())
        finally:
            self._sockets.remove(socket)
            socket.close()

    def asker(self, endpoint: str) -> "Asker":
        """For commands whose answers are not waited for."""
        return Asker(self, endpoint)

    def question(self, endpoint: str) -> "zmq.Socket[bytes]":
        """Connect a REQ socket for one command; what was not sent is dropped with it."""
        socket = self._socket(zmq.REQ, 10)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(endpoint)
        return socket

    def drop(self, socket: "zmq.Socket[bytes]") -> None:
        """Close one socket before the others."""
        self._sockets.remove(socket)
        socket.close()

    def close(self) -> None:
        for socket in self._sockets:
            socket.close()
        self._context.term()

    def __enter__(self) -> "Bus":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _socket(self, kind: int, depth: int) -> "zmq.Socket[bytes]":
        socket = self._context.socket(kind)
        self._sockets.append(socket)
        socket.setsockopt(zmq.LINGER, 200)
        socket.setsockopt(zmq.SNDHWM, depth)
        socket.setsockopt(zmq.RCVHWM, depth)
        return socket

    def _bound(self, kind: int, endpoints: tuple[str, ...], depth: int) -> "zmq.Socket[bytes]":
        socket = self._socket(kind, depth)
        for endpoint in endpoints:
            _bind(socket, endpoint)
        return socket


class Inbox:
    """Where a process receives."""

    def __init__(self, socket: "zmq.Socket[bytes]") -> None:
        self._socket = socket
        self.refused = 0

    def wait(self, timeout_ms: float) -> bool:
        """True as soon as a message is there; False after `timeout_ms`."""
        return bool(self._socket.poll(max(0, int(timeout_ms))))

    def register(self, poller: zmq.Poller) -> None:
        """To be waited for together with others."""
        poller.register(self._socket, zmq.POLLIN)

    def receive(self) -> Received | None:
        """The next message and its payload, or None when there is none now. Rubbish is passed
        over, a bounded number at a time: a flood of it must not hold up the caller."""
        for _ in range(RUBBISH_AT_ONCE):
            try:
                parts = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return None
            try:
                return decode(parts[0].bytes), parts[1].buffer if len(parts) > 1 else None
            except EngineerError:
                self.refused += 1
        return None

    def drain(self, most: int = 1000) -> Iterator[Received]:
        """Up to `most` messages that are there now."""
        for _ in range(most):
            received = self.receive()
            if received is None:
                return
            yield received

    def close(self) -> None:
        self._socket.close()


class Outlet:
    """Towards one other process, or all who listen."""

    def __init__(self, socket: "zmq.Socket[bytes]") -> None:
        self._socket = socket

    def send(self, message: AnyMessage, payload: Any = None) -> bool:
        """True when the message is on its way, False when it is not and must be accounted for."""
        try:
            if payload is None:
                self._socket.send(encode(message), zmq.NOBLOCK)
            else:
                self._socket.send_multipart([encode(message), payload], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        return True

    def connected(self, timeout_ms: float) -> bool:
        """True when a message would be taken now, waiting at most `timeout_ms`."""
        return bool(self._socket.poll(int(timeout_ms), zmq.POLLOUT))

    def close(self) -> None:
        self._socket.close()


class Desk:
    """Where record takes commands and answers them."""

    def __init__(self, socket: "zmq.Socket[bytes]") -> None:
        self._socket = socket
        self.refused = 0

    def receive(self) -> tuple[bytes, AnyMessage | None] | None:
        """The address to answer to with the next command, None for rubbish; None when there is
        nothing now."""
        try:
            address, *_, body = self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None
        try:
            return address, decode(body)
        except EngineerError:
            self.refused += 1
            return address, None

    def answer(self, address: bytes, reply: AnyMessage) -> None:
        try:
            self._socket.send_multipart([address, b"", encode(reply)], zmq.NOBLOCK)
        except zmq.ZMQError:
            return  # the asker is gone

    def close(self) -> None:
        self._socket.close()


class Asker:
    """One command at a time to a desk, without waiting."""

    def __init__(self, bus: Bus, endpoint: str) -> None:
        self._bus = bus
        self._endpoint = endpoint
        self._socket: zmq.Socket[bytes] | None = None

    def ask(self, message: AnyMessage) -> None:
        """Send a command; the answer to the one before is not awaited any more."""
        self.drop()
        self._socket = self._bus.question(self._endpoint)
        self._socket.send(encode(message), zmq.NOBLOCK)

    def answer(self) -> AnyMessage | None:
        """The answer, once; None as long as none is there."""
        if self._socket is None or not self._socket.poll(0):
            return None
        data = self._socket.recv(zmq.NOBLOCK)
        self.drop()
        try:
            return decode(data)
        except EngineerError:
            return None

    def drop(self) -> None:
        """No answer is awaited any more."""
        if self._socket is not None:
            self._bus.drop(self._socket)
            self._socket = None


def any_waits(inboxes: Iterable[Inbox], timeout_ms: float) -> bool:
    """True as soon as a message is in one of them; False after `timeout_ms`."""
    poller = zmq.Poller()
    for inbox in inboxes:
        inbox.register(poller)
    return bool(poller.poll(max(0, int(timeout_ms))))


def newest_live(inbox: Inbox, timeout_ms: float) -> Live | None:
    """The newest state of the line, or None when none comes within `timeout_ms`."""
    if not inbox.wait(timeout_ms):
        return None
    received = inbox.receive()
    return received[0] if received and isinstance(received[0], Live) else None


def _bind(socket: "zmq.Socket[bytes]", endpoint: str) -> None:
    """Bind, open to this process's own user and, in a folder that hands its group on, to that
    group. ZeroMQ silently takes over the path of an ipc socket; the caller's lock has to be held.
    """
    if endpoint.startswith(IPC):
        path = Path(endpoint.removeprefix(IPC))
        if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
            raise MaintainerError(f"{path}: is in the way of a socket; remove it")
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise MaintainerError(
            f"{endpoint}: cannot be bound ({os.strerror(error.errno or 0)}); "
            "another program uses the address, or its folder is missing"
        ) from None
    if endpoint.startswith(IPC):
        path.chmod(0o660 if path.parent.stat().st_mode & stat.S_ISGID else 0o600)
