"""Where a part's lane goes, and the output of a station that has no PLC.

Promises: `drive` and `tick` never wait and never raise, also when the disk hangs: a thread of its
own writes, and what finds no room in its queue is dropped and told; what goes wrong is told by
`problem`, once each time it begins. The log of the virtual output has one line per part, in order:
`WALL MONOTONIC_NS LANE KIND STREAM SEQ`, with the times at which it was driven, and two files of
bounded size (`output.log`, and `output.log.1` with what came before).
Never: decides anything about a part, but that an accept after its deadline is a reject.
"""

import os
import queue
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from inspector.core.clock import SECOND, Clock
from inspector.domain.release import LaneCommand

QUEUE = 10_000  # lines waiting for the disk
CLOSE_S = 2.0  # how long `close` waits for a disk that hangs


class Output(Protocol):
    """What the gate needs of any output."""

    def drive(self, command: LaneCommand) -> None:
        """Send one part on its way. Returns at once, whatever state the device is in."""
        ...

    def tick(self) -> None:
        """The gate's loop has come round: the heartbeat may go on."""
        ...

    def hold(self, held: bool, /) -> None:
        """The line is to be held, or to go on."""
        ...

    def problem(self) -> str:
        """What is wrong since the last call, in one line; nothing where nothing is new."""
        ...

    @property
    def healthy(self) -> bool:
        """False while lanes do not reach the device."""
        ...

    def close(self) -> None:
        """Leave the device in its safe state: no part is accepted any more."""
        ...


class VirtualOutput:
    """Lanes as lines of a log."""

    def __init__(
        self, path: Path, clock: Clock, most_bytes: int = 16 << 20, depth: int = QUEUE
    ) -> None:
        """`most_bytes`: size at which the log becomes `.1` and a new one begins. `depth`: lines
        that may wait for the disk."""
        self._clock = clock
        self._log = _Log(path, most_bytes)
        self._lines: queue.Queue[bytes | None] = queue.Queue(depth)
        self._second, self._stamp = -1, ""
        self._dropped = ""
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    @property
    def healthy(self) -> bool:
        return not self._trouble

    def drive(self, command: LaneCommand) -> None:
        mono = self._clock.monotonic_ns()
        lane, kind = command.lane_at(mono).value, command.kind.value
        text = f"{self._wall()} {mono} {lane} {kind} {command.stream} {command.seq}\n"
        try:
            self._lines.put_nowait(text.encode())
            self._dropped = ""
        except queue.Full:
            self._dropped = f"{self._log.path}: the disk does not keep up, lanes go unlogged"

    def tick(self) -> None:
        return  # a log needs no heartbeat

    def hold(self, _held: bool, /) -> None:
        return  # and holds nobody

    def problem(self) -> str:
        trouble = self._trouble
        if trouble == self._told:
            return ""
        self._told = trouble
        return trouble

    def close(self) -> None:
        """Write what waits; a disk that hangs is left after two seconds."""
        try:
            self._lines.put(None, timeout=CLOSE_S)
        except queue.Full:
            return
        self._thread.join(CLOSE_S)

    @property
    def _trouble(self) -> str:
        return self._dropped or self._log.problem

    def _wall(self) -> str:
        seconds, rest = divmod(self._clock.wall_ns(), SECOND)
        if seconds != self._second:  # the costly part changes once a second
            self._second = seconds
            self._stamp = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
        return f"{self._stamp}.{rest // 1000:06d}Z"

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            self._log.write(line)
        self._log.close()


class _Log:
    """The two files, as the thread sees them."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.path = path
        self.problem = ""  # of the last line
        self._most_bytes = most_bytes
        self._handle = -1
        self._size = 0

    def write(self, line: bytes) -> None:
        try:
            if self._handle < 0 or self._size >= self._most_bytes:
                self._open()
            written = os.write(self._handle, line)
        except OSError as error:
            self._fails(error.strerror or str(error))
            return
        self._size += written
        if written < len(line):
            self._fails("no space left")
        else:
            self.problem = ""

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _open(self) -> None:
        if self._handle >= 0:
            self.close()
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self._size = os.fstat(self._handle).st_size

    def _fails(self, why: str) -> None:
        self.problem = f"{self.path}: a lane could not be logged ({why})"
