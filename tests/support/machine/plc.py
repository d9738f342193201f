"""pymodbus' own server inside a machine's network, in the place of the PLC.

Promises: every write that it took is kept with the host's monotonic time at which it was taken.
Never: shares a process with the test, whose work would delay it.

Run as a program it is that server: `PORT`; a line `MONOTONIC_NS REGISTER VALUE...` for each write.
"""

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspector.devices.modbus import HEARTBEAT, LANE, REJECT, STATE, STOPPED
from support.machine.inside import Machine

PORT = 1502
FIRST = 10  # where the block begins
OUTPUT = {"kind": "modbus", "host": "127.0.0.1", "port": PORT, "register": FIRST}
TESTS = Path(__file__).parents[2]


@dataclass(frozen=True)
class Write:
    """One request to write."""

    at_ns: int
    register: int  # within the block
    values: tuple[int, ...]

    @property
    def count(self) -> int | None:
        """How many parts the gate has told, where this tells it."""
        if self.register > LANE or self.register + len(self.values) < LANE + 3:
            return None
        low, high = self.values[LANE + 1 - self.register :][:2]
        return low + (high << 16)

    def sets(self, register: int, value: int) -> bool:
        at = register - self.register
        return 0 <= at < len(self.values) and self.values[at] == value


class MachinePlc:
    """The server and what it was told."""

    def __init__(self, machine: Machine) -> None:
        self.writes: list[Write] = []
        # A PLC has a processor of its own: how busy this box is must not delay what it sees.
        first = ["nice", "-n", "-10", sys.executable]
        self._process = machine.netns(
            [*first, "-m", "support.machine.plc", str(PORT)], stdout=subprocess.PIPE, cwd=TESTS
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._reader.join(10)
        if self._process.stdout:
            self._process.stdout.close()

    def after(self, ns: int) -> list[Write]:
        return [write for write in list(self.writes) if write.at_ns >= ns]

    def wait(self, wanted: Callable[[Write], bool], after_ns: int, timeout: float = 20) -> Write:
        """The first write since then that is wanted."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            for write in self.after(after_ns):
                if wanted(write):
                    return write
            time.sleep(0.005)
        raise TimeoutError(f"the PLC was not told within {timeout:g} s")

    def safe_at(self, after_ns: int) -> int:
        """When state `stopped` and lane `reject` had both been told, in monotonic ns."""
        stopped = self.wait(lambda write: write.sets(STATE, STOPPED), after_ns)
        reject = self.wait(lambda write: write.sets(LANE, REJECT), stopped.at_ns)
        return max(stopped.at_ns, reject.at_ns)

    def beats_after(self, ns: int) -> list[Write]:
        return [write for write in self.after(ns) if write.register == HEARTBEAT]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            at, register, *values = map(int, line.split())
            self.writes.append(Write(at, register - FIRST, tuple(values)))


@contextmanager
def plc(machine: Machine) -> Iterator[MachinePlc]:
    """The PLC of a machine whose output is `OUTPUT`; yields once the gate runs its lane."""
    one = MachinePlc(machine)
    try:
        one.wait(lambda write: write.sets(STATE, 1), 0, timeout=60)
        yield one
    finally:
        one.close()


async def _serve(port: int) -> None:
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    def trace(sending: bool, pdu: Any) -> Any:
        if not sending:
            print(time.monotonic_ns(), pdu.address, *pdu.registers, flush=True)
        return pdu

    registers = SimData(0, count=100, values=0, datatype=DataType.REGISTERS)
    server = ModbusTcpServer(
        SimDevice(1, simdata=[registers]), address=("127.0.0.1", port), trace_pdu=trace
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
