"""pymodbus' own server in the place of the PLC."""

import asyncio
import socket
import threading
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

FIRST = 10  # where the block begins


class Plc:
    """A Modbus server in a thread; `writes` holds every (register, values) it was told."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.writes: list[tuple[int, list[int]]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: Any = None

    def start(self) -> "Plc":
        self._await(self._start())
        return self

    def stop(self) -> None:
        self._await(self._server.shutdown())

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def told(self, register: int) -> list[list[int]]:
        return [values for at, values in list(self.writes) if at == FIRST + register]

    async def _start(self) -> None:
        registers = SimData(0, count=100, values=0, datatype=DataType.REGISTERS)
        self._server = ModbusTcpServer(
            SimDevice(1, simdata=[registers]),
            address=("127.0.0.1", self.port),
            trace_pdu=self._trace,
        )
        await self._server.serve_forever(background=True)

    def _trace(self, sending: bool, pdu: Any) -> Any:
        if not sending:
            self.writes.append((pdu.address, list(pdu.registers)))
        return pdu

    def _await(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
