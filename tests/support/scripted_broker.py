"""Brokers that say what a test wants: one of MQTT v5, and one that speaks only MQTT 3.1.1.

Promises: what arrives is kept, read by paho's own decoder.
Never: keeps or forwards a message.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE_S = 20.0
CONNECT, PUBLISH, SUBSCRIBE, DISCONNECT = 1, 3, 8, 14


@dataclass(frozen=True)
class Packet:
    """kind: of the packet, as MQTT numbers them; size: bytes on the wire."""

    kind: int
    flags: int
    body: bytes
    size: int

    @property
    def topic(self) -> str:
        """Of a PUBLISH."""
        (length,) = struct.unpack_from("!H", self.body)
        return self.body[2 : 2 + length].decode()

    @property
    def mid(self) -> bytes:
        """Of a PUBLISH of QoS 1, or a SUBSCRIBE."""
        place = 2 + len(self.topic.encode()) if self.kind == PUBLISH else 0
        return self.body[place : place + 2]

    @property
    def qos(self) -> int:
        return self.flags >> 1 & 3

    @property
    def properties(self) -> Properties:
        """Of a PUBLISH."""
        place = 2 + len(self.topic.encode()) + (2 if self.qos else 0)
        found = Properties(PacketTypes.PUBLISH)
        found.unpack(self.body[place:])
        return found


@dataclass
class Script:
    """What the broker answers. `connack`: reason code; `limits`: properties of the CONNACK."""

    connack: int = 0
    limits: dict[str, int | str] = field(default_factory=dict)
    puback: Callable[[int], int | None] = lambda number: 0  # by the number of the publish, from 1
    suback: int = 1
    # At this publish of a connection, this reason in a DISCONNECT; None: without a word.
    leave: tuple[int, int | None] | None = None
    leave_words: dict[str, str] = field(default_factory=dict)
    then: bytes = b""  # sent after the CONNACK


class ScriptedBroker:
    """Listens on `port`; each packet that arrives is kept."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._packets: list[Packet] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def taken(self, kind: int) -> list[Packet]:
        """All packets of this kind so far."""
        return [packet for packet in list(self._packets) if packet.kind == kind]

    def until(self, kind: int, count: int) -> None:
        """Wait until so many of this kind have come."""
        until = time.monotonic() + PATIENCE_S
        while len(self.taken(kind)) < count:
            assert time.monotonic() < until, f"{len(self.taken(kind))} packets of kind {kind}"
            time.sleep(0.01)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._open:
            _shut(connection)
        for thread in self._threads:
            thread.join()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._talk, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _talk(self, connection: socket.socket) -> None:
        published = 0
        try:
            while packet := read_packet(connection):
                self._packets.append(packet)
                published += packet.kind == PUBLISH
                self._answer(connection, packet, published)
        except OSError:
            return

    def _answer(self, connection: socket.socket, packet: Packet, published: int) -> None:
        script = self.script
        if packet.kind == CONNECT:
            limits = properties(PacketTypes.CONNACK, script.limits)
            connection.sendall(whole(0x20, bytes((0, script.connack)) + limits) + script.then)
            if script.connack:
                _shut(connection)
        elif packet.kind == SUBSCRIBE:
            reasons = bytes([script.suback]) * _filters(packet.body)
            connection.sendall(whole(0x90, packet.mid + b"\0" + reasons))
        elif packet.kind == PUBLISH:
            self._published(connection, packet, published)

    def _published(self, connection: socket.socket, packet: Packet, number: int) -> None:
        script = self.script
        if script.leave and number == script.leave[0]:
            if (reason := script.leave[1]) is not None:
                words = properties(PacketTypes.DISCONNECT, script.leave_words)
                connection.sendall(whole(0xE0, bytes((reason,)) + words))
            _shut(connection)
            return
        answer = script.puback(number)
        if packet.qos and answer is not None:
            connection.sendall(whole(0x40, packet.mid + bytes((answer,))))


@contextmanager
def scripted(script: Script) -> Iterator[ScriptedBroker]:
    """A broker of MQTT v5 that follows a script."""
    broker = ScriptedBroker(script)
    try:
        yield broker
    finally:
        broker.close()


@contextmanager
def broker_of_3_1_1(says_why: bool = True) -> Iterator[int]:
    """A broker that knows MQTT 3.1.1 and nothing else: any other CONNECT it refuses as that
    standard says, with return code 1, or (as some do) without a word. Yields its port."""
    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve_3_1_1, args=(server, says_why))
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def _serve_3_1_1(server: socket.socket, says_why: bool) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(10)
            try:
                _talk_3_1_1(connection, says_why)
            except OSError:
                continue


def _talk_3_1_1(connection: socket.socket, says_why: bool) -> None:
    packet = read_packet(connection)
    if packet is None or packet.kind != CONNECT or packet.body[:6] != b"\0\4MQTT":
        return
    if packet.body[6] != MQTTProtocolVersion.MQTTv311:
        if says_why:
            connection.sendall(b"\x20\x02\x00\x01")
        return
    connection.sendall(b"\x20\x02\x00\x00")
    while packet := read_packet(connection):
        if packet.kind == PUBLISH and packet.qos == 1:
            connection.sendall(b"\x40\x02" + packet.mid)
        elif packet.kind == DISCONNECT:
            return


def read_packet(connection: socket.socket) -> Packet | None:
    """The next packet, None at the end."""
    first = connection.recv(1)
    if not first:
        return None
    length, shift, head = 0, 0, 1
    while True:
        (byte,) = connection.recv(1)
        length |= (byte & 127) << shift
        shift, head = shift + 7, head + 1
        if byte < 128:
            break
    body = b""
    while len(body) < length and (more := connection.recv(length - len(body))):
        body += more
    return Packet(first[0] >> 4, first[0] & 15, body, head + length)


def whole(first: int, body: bytes) -> bytes:
    """A packet; `first` is its first byte."""
    length, number = b"", len(body)
    while True:
        number, digit = divmod(number, 128)
        length += bytes([digit | (128 if number else 0)])
        if not number:
            return bytes([first]) + length + body


def properties(kind: int, values: dict[str, int | str] | dict[str, str]) -> bytes:
    made = Properties(kind)
    for name, value in values.items():
        setattr(made, name, value)
    return bytes(made.pack())


def _filters(body: bytes) -> int:
    """How many topics a SUBSCRIBE asks for; its properties are shorter than 128 bytes."""
    place, count = 3 + body[2], 0
    while place < len(body):
        (length,) = struct.unpack_from("!H", body, place)
        place, count = place + 3 + length, count + 1
    return count


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
