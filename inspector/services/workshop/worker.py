"""The process in which an errand is done, seen from the workshop.

Promises: it goes when the workshop goes, and when it is told to; its memory goes with it; it
works on one thread at the lowest priority; what it says is read without waiting.
Never: is started twice, or trusted to end by itself.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from inspector.core.errors import MaintainerError
from inspector.core.live import WorkshopState
from inspector.core.orders import ErrandDone, ErrandOrder
from inspector.devices.host import SUPERVISED

WORK = "workshop-job"  # the lock of whoever does an errand
PATIENCE_S = 3.0  # from the request to the kill
READ = 1 << 16
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

Word = WorkshopState | ErrandDone

_words: msgspec.json.Decoder[Word] = msgspec.json.Decoder(Word)


class Worker:
    """One errand on its way."""

    def __init__(self, order: ErrandOrder, state: WorkshopState, root: Path | None) -> None:
        self.order = order
        self.stopped_by = ""
        self._kill_s = 0.0
        self._heard = b""
        where = ["--root", str(root)] if root else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "inspector.services.workshop.job_process", *where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD, SUPERVISED: "1"},  # it dies with its parent
        )
        assert self._process.stdin
        assert self._process.stdout
        self._said = self._process.stdout.fileno()
        os.set_blocking(self._said, False)
        # Far less than a pipe holds. One that is dead already is told of by its exit code.
        with suppress(BrokenPipeError), self._process.stdin as told:
            told.write(msgspec.json.encode(order) + b"\n" + msgspec.json.encode(state) + b"\n")

    @property
    def pid(self) -> int:
        return self._process.pid

    def words(self) -> list[Word]:
        """What it has said since the last call."""
        try:
            while heard := os.read(self._said, READ):
                self._heard += heard
        except BlockingIOError:
            pass
        *lines, self._heard = self._heard.split(b"\n")
        return [_words.decode(line) for line in lines]

    def ended(self) -> int | None:
        """The exit code, negative for a signal; None while it works."""
        if self._kill_s and time.monotonic() > self._kill_s:
            self._process.kill()
        return self._process.poll()

    def stop(self, who: str) -> None:
        """Ask it to end; it is killed when it does not."""
        if not self._kill_s:
            self.stopped_by = who
            self._kill_s = time.monotonic() + PATIENCE_S
            self._process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Wait until it is gone."""
        self.stop("")
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Nobody else works meanwhile. Raises OSError."""
    with lock.open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def outlast(lock: Path) -> None:
    """Wait until the worker of a workshop that was killed has ended; kill it where it does not.
    Raises MaintainerError where that cannot be seen."""
    until = time.monotonic() + PATIENCE_S
    try:
        handle = lock.open("a+")
    except OSError as error:
        raise MaintainerError(f"{lock}: cannot be opened ({error.strerror})") from None
    with handle:
        while not _free(handle.fileno()):
            handle.seek(0)
            holder = handle.read()
            if time.monotonic() > until and holder.isdigit():
                with suppress(ProcessLookupError):
                    os.kill(int(holder), signal.SIGKILL)
            time.sleep(0.05)


def _free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
