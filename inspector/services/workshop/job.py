"""What an errand has to work with, and what it says while it is done.

Promises: a state at most five times a second, or at once when another step begins.
Never: knows which errands there are; `job_process` does.
"""

import signal
import time
from collections.abc import Callable
from typing import IO, Any

import msgspec
from msgspec import structs

from inspector.core.config import StationConfig
from inspector.core.live import WorkshopState
from inspector.core.orders import ErrandDone, ErrandOrder
from inspector.core.paths import Paths
from inspector.services.workshop.errands import product_of
from inspector.services.workshop.place import Place

EVERY_S = 0.2  # between two states


class Job:
    """What an errand needs to be done."""

    def __init__(
        self, paths: Paths, config: StationConfig, order: ErrandOrder, state: WorkshopState
    ) -> None:
        self.paths, self.config, self.who = paths, config, order.who
        self.place = Place(paths, product_of(order.errand))
        self.state = state
        self._out: IO[bytes] | None = None
        self._said_s = 0.0

    def speak_to(self, out: IO[bytes]) -> None:
        self._out = out

    def tell(self, **changes: Any) -> None:
        """Another state; said at once when another step begins, else in time."""
        fresh = structs.replace(self.state, **changes)
        new_step = fresh.step != self.state.step
        self.state = fresh
        if new_step or time.monotonic() - self._said_s >= EVERY_S:
            self.say(fresh)

    def say(self, word: WorkshopState | ErrandDone) -> None:
        self._said_s = time.monotonic()
        if self._out:
            self._out.write(msgspec.json.encode(word) + b"\n")
            self._out.flush()


Done = tuple[str, str]  # what was done, in one line; the recipe that the line is to take up
Errand = Callable[[Job, Any], Done]


def to_the_end() -> None:
    """From here on the errand is done to its end, also when the process is told to stop."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
