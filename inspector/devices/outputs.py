"""Where a part's lane goes, and the output of a station that has no PLC.

Promises: `drive` and `tick` never wait and never raise; what goes wrong is told by `problem`, once
each time it begins. The log of the virtual output has one line per part, in order:
`WALL MONOTONIC_NS LANE KIND STREAM SEQ`, and two files of bounded size (`output.log`, and
`output.log.1` with what came before).
Never: decides anything about a part.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from inspector.core.clock import SECOND, Clock
from inspector.core.messages import Kind, Lane


class Output(Protocol):
    """What the gate needs of any output."""

    def drive(self, lane: Lane, kind: Kind, stream: str, seq: int) -> None:
        """Send one part on its way. Returns at once, whatever state the device is in."""
        ...

    def tick(self) -> None:
        """The gate's loop has come round: the heartbeat may go on."""
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

    def __init__(self, path: Path, clock: Clock, most_bytes: int = 16 << 20) -> None:
        """`most_bytes`: size at which the log becomes `.1` and a new one begins."""
        self._path = path
        self._clock = clock
        self._most_bytes = most_bytes
        self._handle = -1
        self._size = 0
        self._second, self._stamp = -1, ""
        self._problem = ""
        self._told = False

    @property
    def healthy(self) -> bool:
        return not self._problem

    def drive(self, lane: Lane, kind: Kind, stream: str, seq: int) -> None:
        mono = self._clock.monotonic_ns()
        text = f"{self._wall()} {mono} {lane.value} {kind.value} {stream} {seq}\n"
        self._write(text.encode())

    def tick(self) -> None:
        return  # a log needs no heartbeat

    def problem(self) -> str:
        if not self._problem or self._told:
            return ""
        self._told = True
        return self._problem

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _wall(self) -> str:
        seconds, rest = divmod(self._clock.wall_ns(), SECOND)
        if seconds != self._second:  # the costly part changes once a second
            self._second = seconds
            self._stamp = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
        return f"{self._stamp}.{rest // 1000:06d}Z"

    def _write(self, line: bytes) -> None:
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
            return
        self._problem, self._told = "", False

    def _open(self) -> None:
        if self._handle >= 0:
            self.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self._size = os.fstat(self._handle).st_size

    def _fails(self, why: str) -> None:
        self._problem = f"{self._path}: a lane could not be logged ({why})"
