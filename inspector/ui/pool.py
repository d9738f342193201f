"""Threads for what would hold up the event loop: the ledger, the disk, pictures, asking record.

Promises: a bounded number of jobs waits, one more is refused; each thread has its own tools.
Never: keeps the process from ending: a thread that hangs dies with it.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from inspector.core.errors import MaintainerError

WAITING = 64  # jobs

T = TypeVar("T")
Tools = TypeVar("Tools")
Job = tuple[Callable[[Any], Any], "Future[Any]"]


class Busy(MaintainerError):
    """Too much was asked at once; asking again later helps."""


class Pool(Generic[Tools]):
    """A few threads, each with its own `tools()`: a reader of the ledger, readers of the rings."""

    def __init__(self, name: str, threads: int, tools: Callable[[], Tools]) -> None:
        self._jobs: queue.Queue[Job] = queue.Queue(WAITING)
        self._tools = tools
        for number in range(threads):
            # Daemons: one that waits for a locked ledger must not hold up the end.
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    async def run(self, call: Callable[[Tools], T]) -> T:
        """What `call` gives in one of the threads. Raises what it raises, and Busy."""
        result: Future[T] = Future()
        try:
            self._jobs.put_nowait((call, result))
        except queue.Full:
            raise Busy("too much is asked at once; try again in a moment") from None
        return await asyncio.wrap_future(result)

    def _work(self) -> None:
        tools = self._tools()
        while True:
            call, result = self._jobs.get()
            if not result.set_running_or_notify_cancel():
                continue  # whoever asked is gone
            try:
                result.set_result(call(tools))
            except BaseException as error:  # noqa: BLE001 - whoever asked gets it, whatever it is
                result.set_exception(error)
            del call, result  # a picture is not kept until the next one
