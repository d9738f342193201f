"""paho's client, more thrifty and less easily upset.

Promises: reads as much as is there at once; a packet longer than LARGEST_IN ends the connection;
a message that paho cannot read is acknowledged and passed over, so that it does not come again;
the reason why a connection broke is kept.
Never: more than that; what is sent and heard is in `session`.

The methods with an underscore that are replaced are paho's own inner ones: another version of
paho is to be tried against the tests first.
"""

import socket
import ssl
import struct

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

LARGEST_IN = 16 * 1024  # bytes of a packet from the broker; it is told so when we connect
READ = 64 * 1024
RECEIVE = 20  # messages of QoS 1 that the broker may have on their way to us
CONNECT_S = 10.0  # for each of TCP and TLS


class ThriftyClient(Client):
    """MQTT v5, without paho's own reconnecting."""

    def __init__(self, client_id: str, clean_start: bool = True, session_s: int = 0) -> None:
        """session_s: so long the broker keeps our session, and with it our will, when the
        connection has broken."""
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self.connect_timeout = CONNECT_S
        self.broke: OSError | None = None
        self.hung_up = False  # by the broker
        self._clean = clean_start
        self._session_s = session_s
        self._unread = memoryview(b"")

    def reach(self, host: str, port: int, keepalive_s: int) -> None:
        """Connect and introduce ourselves. Raises OSError when there is nobody, or not the one
        named in the certificate."""
        wanted = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
        wanted.ReceiveMaximum = RECEIVE
        wanted.MaximumPacketSize = LARGEST_IN
        if self._session_s:
            wanted.SessionExpiryInterval = self._session_s
        self.connect(host, port, keepalive_s, clean_start=self._clean, properties=wanted)
        if isinstance(found := self.socket(), socket.socket):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, turns: int) -> MQTTErrorCode:
        """Take all that is there, unless there is no end to it."""
        rc = self.loop_read()
        while rc == MQTTErrorCode.MQTT_ERR_SUCCESS and self._more and turns:
            rc, turns = self.loop_read(), turns - 1
        return rc

    def say_goodbye(self) -> None:
        """End in order: no will, and nothing is kept for us."""
        nothing = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]  # paho's
        nothing.SessionExpiryInterval = 0
        self.disconnect(properties=nothing)

    def hang_up(self) -> None:
        """End out of order; the broker tells our will, once we have been away for long enough."""
        if self.socket() is not None:
            self.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
        self._sock_close()

    @property
    def _more(self) -> bool:
        """Something has been received and is not yet looked at."""
        found = self.socket()
        deciphered = found.pending() if isinstance(found, ssl.SSLSocket) else 0
        return bool(self._unread) or deciphered > 0

    def _mid_generate(self) -> int:
        mid = super()._mid_generate()
        while mid in self._out_messages:  # 65,535 messages later; paho would mistake the two
            mid = super()._mid_generate()
        return mid

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > LARGEST_IN:
            self.broke = ConnectionError(f"a packet of {bufsize} bytes")
            raise self.broke
        if not self._unread:
            try:
                self._unread = memoryview(super()._sock_recv(READ))
                self.hung_up = not self._unread
            except BlockingIOError:
                raise
            except OSError as error:
                self.broke = error
                raise
        taken, self._unread = self._unread[:bufsize], self._unread[bufsize:]
        return bytes(taken)

    def _sock_send(self, buf: bytes | bytearray) -> int:
        """A broker that throws us out says why before it closes: read on, until that end."""
        try:
            return super()._sock_send(buf)
        except BlockingIOError:
            raise
        except OSError as error:
            self.broke = error
            raise BlockingIOError from None

    def _handle_publish(self) -> MQTTErrorCode:
        try:
            return super()._handle_publish()
        except MalformedPacket:
            return self._pass_over()

    def _pass_over(self) -> MQTTErrorCode:
        """The broker found nothing wrong with this message, paho does; others can still talk."""
        packet, command = self._in_packet["packet"], self._in_packet["command"]
        qos = (command & 0x06) >> 1
        try:
            (topic_bytes,) = struct.unpack_from("!H", packet)
            (mid,) = struct.unpack_from("!H", packet, 2 + topic_bytes) if qos else (0,)
        except struct.error as error:
            raise MalformedPacket(str(error)) from None
        return self._send_puback(mid) if qos == 1 else MQTTErrorCode.MQTT_ERR_SUCCESS
