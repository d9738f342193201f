"""Lanes and a heartbeat as holding registers of a PLC, over Modbus TCP.

Promises: `drive` and `tick` return at once, whatever the PLC does; lanes arrive in order; the
heartbeat moves only while the gate's loop comes round; a lane that could not be delivered in time,
or before the deadline of its part, is never delivered as an accept.
Never: answers for the PLC: without a moving heartbeat it must stop the line, and a part whose
count it does not see is not to be accepted.

The block, from `output.register` on:

    0     heartbeat: a counter that wraps at 65536
    1     lane of the last part: 1 accept, 2 reject
    2, 3  count of parts, low word first
    4     camera of the last part: its index in station.toml, from 0; 65535 none
    5     number of the last part in its camera's run (`seq`), low word
    6     state: 1 running, 2 hold (the inspection is paused: send no part), 0 stopped (written last
          at an orderly stop)

1 to 5 are written in one request, so that the PLC reads all of them or none. The PLC acts when the
count changes. Of one camera, lanes come in the order of its triggers, so 5 goes up by one from
part to part and begins at 0 when the camera's process starts; a PLC that counts its own triggers
per camera can compare. The gate answers no part twice: what a killed gate had decided and not yet
written never comes, 5 then skips it, and the part is not to be accepted.

A gate that dies leaves `safe_state` behind for whoever survives it: the lane is set to reject, the
state to stopped, and the count is left alone.

With each connection the lane is first set to reject, at the count reached. A count that moves by
more than one tells of lanes that were lost: those parts, and the one it stops at, are rejects.
"""

import logging
import socket
import struct
import threading
from collections import deque
from typing import Any

from inspector.core.clock import MS, Clock
from inspector.core.config import ModbusOutput as ModbusConfig
from inspector.core.errors import MaintainerError
from inspector.core.terms import Lane
from inspector.domain.release import NO_CAMERA, LaneCommand

HEARTBEAT, LANE, STATE = 0, 1, 6
ACCEPT, REJECT = 1, 2
STOPPED, RUNNING, HOLD = 0, 1, 2

QUEUE = 1024  # lanes waiting for the PLC; one more drops the oldest, and its count is skipped
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0
LOOK_S = 0.005  # how often a heartbeat that is due looks for the gate's tick


class ModbusOutput:
    """The connection and the thread that owns it."""

    def __init__(self, config: ModbusConfig, clock: Clock) -> None:
        """Starts connecting at once, and waits for nothing. Raises MaintainerError when the
        extra `inspector[modbus]` is not installed."""
        self._config = config
        self._clock = clock
        self._client, self._error = _client(config)
        self._wake = threading.Condition()
        # (count, what is to be done, when it was driven in ns)
        self._lanes: deque[tuple[int, LaneCommand, int]] = deque(maxlen=QUEUE)
        self._driven = 0
        self._written = 0  # the count that the PLC has, or may have
        self._part = (NO_CAMERA, 0)  # the last part written: camera, low word of seq
        self._ticks = self._ticks_seen = 0
        self._beats = 0
        self._beat_due = 0
        self._state = STOPPED
        self._wanted = RUNNING
        self._connected = False
        self._stopping = False
        self._problem = ""
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="modbus", daemon=True)
        self._thread.start()

    @property
    def healthy(self) -> bool:
        return self._connected

    def drive(self, command: LaneCommand) -> None:
        with self._wake:
            self._driven += 1
            self._lanes.append((self._driven, command, self._clock.monotonic_ns()))
            self._wake.notify()

    def tick(self) -> None:
        self._ticks += 1

    def hold(self, held: bool, /) -> None:
        self._wanted = HOLD if held else RUNNING

    def problem(self) -> str:
        problem = self._problem
        if problem == self._told:
            return ""
        self._told = problem
        return problem

    def close(self) -> None:
        """Deliver what waits, set the state to stopped and disconnect; after twice the timeout
        without the PLC it is left to the missing heartbeat."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(2 * self._config.timeout_ms / 1000 + LONGEST_PAUSE_S)

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._stopping:
            if self._connect():
                pause = FIRST_PAUSE_S
                self._serve()
            else:
                with self._wake:
                    self._wake.wait_for(lambda: self._stopping, pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        self._client.close()
        self._connected = False

    def _connect(self) -> bool:
        """Connect and put the block into a state that accepts nothing."""
        self._state = STOPPED
        if not self._client.connect():
            return self._fails("does not answer")
        if not self._write(HEARTBEAT, [self._beats, *self._block(REJECT), STOPPED]):
            return False
        self._connected = True
        self._problem = ""
        return True

    def _serve(self) -> None:
        """Until the connection breaks or the gate stops: lanes first, then the heartbeat."""
        sound = True
        while sound and not self._stopping:
            if self._lanes:
                sound = self._write_lane()
            if sound:
                sound = self._beat()
            with self._wake:
                if not self._lanes and not self._stopping:
                    self._wake.wait(self._until_beat())
        while sound and self._lanes:
            sound = self._write_lane()
        if sound:
            self._write(STATE, [STOPPED])

    def _write_lane(self) -> bool:
        with self._wake:
            now = self._clock.monotonic_ns()
            while len(self._lanes) > 1 and self._stale(self._lanes[0][2], now):
                self._lanes.popleft()
            count, command, driven = self._lanes.popleft()
        in_time = not self._stale(driven, now) and count == self._written + 1
        lane = command.lane_at(now) if in_time else Lane.REJECT
        # Written or not, it counts as such: should the answer be lost, the next connection sets
        # this count with reject, which the PLC takes only if it has not seen the count before.
        self._written = count
        self._part = (command.camera, command.seq & 0xFFFF)
        return self._write(LANE, self._block(ACCEPT if lane is Lane.ACCEPT else REJECT))

    def _block(self, lane: int) -> list[int]:
        """The registers from LANE to STATE."""
        return [lane, self._written & 0xFFFF, self._written >> 16 & 0xFFFF, *self._part]

    def _stale(self, driven: int, now: int) -> bool:
        return now - driven > self._config.timeout_ms * MS

    def _beat(self) -> bool:
        now = self._clock.monotonic_ns()
        if now < self._beat_due or self._ticks == self._ticks_seen:
            return True
        self._ticks_seen = self._ticks
        self._beat_due = now + int(self._config.heartbeat_ms * MS)
        self._beats = (self._beats + 1) & 0xFFFF
        if not self._write(HEARTBEAT, [self._beats]):
            return False
        if self._state == self._wanted:
            return True
        self._state = self._wanted
        return self._write(STATE, [self._state])

    def _until_beat(self) -> float:
        left = (self._beat_due - self._clock.monotonic_ns()) / 1e9
        return left if left > 0 else LOOK_S

    def _write(self, register: int, values: list[int]) -> bool:
        try:
            answer = self._client.write_registers(
                self._config.register + register, values, device_id=self._config.unit
            )
        except (self._error, OSError) as error:
            return self._fails(f"broke off ({str(error)[:120]})")
        if answer.isError():
            return self._fails(f"refuses registers ({answer})")
        return True

    def _fails(self, why: str) -> bool:
        self._abort()
        self._connected = False
        self._problem = (
            f"PLC {self._config.host}:{self._config.port} {why}; no part is accepted until it is "
            "back, see to its power, cable and output.register"
        )
        return False

    def _abort(self) -> None:
        """Drop the connection and what the kernel still holds for it: an accept that waits there
        for the cable would otherwise arrive long after its part."""
        if self._client.socket is not None:
            linger = struct.pack("ii", 1, 0)
            self._client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._client.close()


def safe_state(config: ModbusConfig) -> str:
    """What stops the line without pymodbus and without knowing anything: a line `HOST PORT
    TIMEOUT_S`, then a line for each request, in hexadecimal, whole as it goes over TCP."""
    first, timeout = config.register, config.timeout_ms / 1000
    requests = [_request(config.unit, first + STATE, STOPPED)]
    requests += [_request(config.unit, first + LANE, REJECT)]
    return "\n".join([f"{config.host} {config.port} {timeout:g}", *requests, ""])


def _request(unit: int, register: int, value: int) -> str:
    """Function 16, write multiple registers, of one."""
    body = struct.pack(">BBHHBH", unit, 16, register, 1, 2, value)
    return (struct.pack(">HHH", 1, 0, len(body)) + body).hex()


def _client(config: ModbusConfig) -> tuple[Any, type[Exception]]:
    """pymodbus' client, unconnected, and the base of its errors; Any since it is optional."""
    try:
        from pymodbus.client import ModbusTcpClient
        from pymodbus.exceptions import ModbusException
    except ModuleNotFoundError:
        raise MaintainerError(
            'output.kind = "modbus" needs pymodbus; install the extra inspector[modbus]'
        ) from None
    # Its own complaints would come at every attempt; ours come once.
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    timeout = config.timeout_ms / 1000
    client = ModbusTcpClient(config.host, port=config.port, timeout=timeout, retries=0)
    return client, ModbusException
