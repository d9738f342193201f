"""A process's dealings with its host: signals, the service manager, its lock and its log.

Promises: SIGTERM and SIGINT ask for an orderly end; a second instance is refused by name; the
watchdog is pinged only when the caller reports finished work.
Never: runs a thread of its own, so a hung service looks hung.
"""

import argparse
import ctypes
import fcntl
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Protocol

from inspector.core.config import StationConfig, load_station
from inspector.core.errors import InspectorError, MaintainerError, WhileRunning
from inspector.core.journal import ABOUT, about, datagram
from inspector.core.paths import Paths, of_root

# Set by the bench supervisor in the environment of its processes.
SUPERVISED = "INSPECTOR_SUPERVISED"
PR_SET_PDEATHSIG = 1
PING_S = 0.5  # well below every watchdog of the topology
JOURNAL = Path("/run/systemd/journal/socket")
_PRIORITIES = {50: 2, 40: 3, 30: 4, 20: 6, 0: 7}  # syslog's, by the least level of logging's


class Lifecycle:
    """From start to stop of one process."""

    def __init__(self, name: str, lock: Path) -> None:
        """Take the lock `lock`. Raises MaintainerError when another process holds it."""
        self.name = name
        self.running = True
        self._pinged = 0.0
        self._lock = _take(lock, name)
        die_with_parent()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # HUP: terminal closed
            signal.signal(number, self._stop)

    def ready(self) -> None:
        notify("READY=1")

    def finished_work(self) -> None:
        """Tell the service manager's watchdog that the loop came round; not for every part."""
        now = time.monotonic()
        if now - self._pinged >= PING_S:
            self._pinged = now
            notify("WATCHDOG=1")

    def close(self) -> None:
        notify("STOPPING=1")
        self._lock.close()

    def __enter__(self) -> "Lifecycle":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.running = False


class Turning(Protocol):
    """The loop of one process."""

    def turn(self) -> bool:
        """One short round. True when it finished work that the watchdog may count on."""
        ...

    def stop(self) -> None:
        """Leave everything in order."""
        ...


Build = Callable[[StationConfig, Paths, ExitStack], Turning]


def serve(name: str, root: Path | None, build: Build) -> int:
    """Run a process until a signal: its configuration, lock and log, then its loop.

    What `build` opens it enters into the stack.
    Returns the exit code: that of an error before it was ready (78: the configuration is refused),
    75 for one later, when starting again may help.
    """
    return guarded(name, lambda: _serve(name, of_root(root), build))


def _serve(name: str, paths: Paths, build: Build) -> None:
    config = load_station(paths.station_file)
    paths.create(name)
    log = log_to_stderr(name)
    with ExitStack() as stack:
        life = stack.enter_context(Lifecycle(name, paths.lock(name)))
        process = build(config, paths, stack)
        log.info("ready")
        life.ready()
        try:
            while life.running:
                if process.turn():
                    life.finished_work()
            process.stop()
        except InspectorError as error:
            raise WhileRunning(str(error)) from error


def options(name: str, purpose: str | None) -> argparse.ArgumentParser:
    """The command line that every process has."""
    parser = argparse.ArgumentParser(f"inspector {name}", description=purpose)
    parser.add_argument("--root", type=Path, help="the station's folder")
    return parser


def guarded(name: str, body: Callable[[], None]) -> int:
    """Run a process's body; an expected error becomes one line on stderr and its exit code."""
    try:
        body()
    except InspectorError as error:
        if in_journal(sys.stderr):
            fields = about({"EVENT": "ended", "SERVICE": name})
            log_to_stderr(name).error(str(error), extra=fields)
        else:
            print(f"inspector {name}: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


@contextmanager
def while_stopped(lock: Path) -> Iterator[bool]:
    """True when the process of this lock does not run; it is then kept from starting meanwhile,
    by a lock that needs no right to write."""
    try:
        handle = lock.open()
    except FileNotFoundError:
        yield True
        return
    except OSError as error:
        raise MaintainerError(f"{lock}: cannot be read ({error.strerror})") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def die_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the bench supervisor dies, however it dies."""
    if os.environ.get(SUPERVISED):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def notify(state: str) -> None:
    """Send a state to the service manager as sd_notify(3) does; nothing where there is none."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(state.encode(), address)


class JournalHandler(logging.Handler):
    """Lines with their fields to journald; never waits for it."""

    def __init__(self, name: str, address: Path = JOURNAL) -> None:
        super().__init__()
        self._identifier = f"inspector-{name}"
        self._address = str(address)
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def emit(self, record: logging.LogRecord) -> None:
        """One entry. A journal that does not take it costs the line of the log, not the loop."""
        level = next(one for one in _PRIORITIES if record.levelno >= one)
        fields = getattr(record, ABOUT, {})
        text = self.format(record)  # with the traceback where there is one
        entry = datagram(self._identifier, _PRIORITIES[level], text, fields)
        try:
            self._channel.sendto(entry, self._address)
        except BlockingIOError:
            return
        except OSError:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        self._channel.close()
        super().close()


def in_journal(stream: IO[str], environ: Mapping[str, str] = os.environ) -> bool:
    """True when journald reads this stream, as it told when it made it (systemd.exec(5))."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def log_to_stderr(name: str) -> logging.Logger:
    """A logger of one line per event: on stderr, or with its fields in the journal where stderr
    leads there."""
    if in_journal(sys.stderr):
        handler = JournalHandler(name)
        logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(message)s")
    else:
        logging.basicConfig(
            stream=sys.stderr,
            level=logging.INFO,
            format=f"%(asctime)s {name} %(levelname)s %(message)s",
        )
    return logging.getLogger(name)


def _take(path: Path, name: str) -> IO[str]:
    try:
        handle = path.open("a+")  # held open for the life of the process
    except OSError as error:
        raise MaintainerError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise MaintainerError(
            f"{path}: {name} is already running here (process {holder}); stop it first"
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle
