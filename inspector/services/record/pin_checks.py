"""PINs are checked beside record's loop: a check takes longer than a commit may wait.

Promises: one check at a time, with a pause after each and at the lowest priority, so that a flood
of logins leaves the line its processors; a name that nobody bears costs the same check.
Never: waits, or keeps more than a handful of logins waiting.
"""

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from inspector.core.clock import MS
from inspector.domain.pins import fits, nobodys

WAITING = 16
PAUSE_NS = 200 * MS
NICE = 15


@dataclass(frozen=True)
class PinCheck:
    """One login under way. `kept`: the hashed PIN, or None for a name that nobody bears."""

    address: bytes
    name: str
    pin: str
    kept: str | None

    def right(self) -> bool:
        fitted = fits(self.pin, self.kept or nobodys())
        return fitted and self.kept is not None


class PinChecks:
    """Those that wait, and the one that is made now."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "pins", initializer=_behind_the_line)
        self._waiting: deque[PinCheck] = deque()
        self._now: tuple[PinCheck, Future[bool]] | None = None
        self._next_at = 0

    @property
    def full(self) -> bool:
        return len(self._waiting) >= WAITING

    def add(self, check: PinCheck) -> None:
        self._waiting.append(check)

    def turn(self, now: int) -> tuple[PinCheck, bool] | None:
        """Begin the next check when it is time. Returns one that is done, with: was it right?"""
        done = None
        if self._now and self._now[1].done():
            check, future = self._now
            done = check, future.result()
            self._now, self._next_at = None, now + PAUSE_NS
        if self._now is None and self._waiting and now >= self._next_at:
            check = self._waiting.popleft()
            self._now = check, self._thread.submit(check.right)
        return done

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)


def _behind_the_line() -> None:
    """On Linux a thread has a priority of its own."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
