"""What survives the gate's death, and puts its output into the safe state within milliseconds.

Promises: the requests that do it lie ready, whole and of the output that this gate drives, before
the output is driven for the first time; a small process of its own holds the other end of a pipe,
sends them as soon as the gate is gone without a farewell, and is started anew should it fall.
Never: drives an output while the gate lives; keeps the gate waiting.

The service manager does the same a little later (`ExecStopPost=`), should both have been killed.
"""

import os
import subprocess
import sys
from pathlib import Path

from inspector.core.config import ModbusOutput as ModbusConfig
from inspector.core.config import Output as OutputConfig
from inspector.devices.modbus import safe_state

PROGRAM = Path(__file__).parents[1] / "safe.py"
FAREWELL = b"."
LEAVE_S = 1.0  # for the guard to end after a farewell


class Guard:
    """The process; none where the output is no device that outlives the gate."""

    def __init__(self, path: Path, output: OutputConfig) -> None:
        """`path`: where the requests are left for it."""
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        if isinstance(output, ModbusConfig):
            _leave(path, safe_state(output))
            self._process = self._start()
        else:
            path.unlink(missing_ok=True)

    def look(self) -> None:
        """Now and then: it has to be there."""
        if self._process and self._process.poll() is not None:
            self._close_pipe(self._process)
            self._process = self._start()

    def close(self) -> None:
        """The output is safe already: let it go."""
        if self._process is None:
            return
        pipe = self._process.stdin
        try:
            if pipe:
                pipe.write(FAREWELL)
                pipe.flush()
        except BrokenPipeError:
            pass  # it has gone before
        self._close_pipe(self._process)
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        own = str(os.getpid())
        command = [sys.executable, "-IS", str(PROGRAM), "--guard", str(self._path), own]
        return subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0, env={})

    @staticmethod
    def _close_pipe(process: "subprocess.Popen[bytes]") -> None:
        if process.stdin:
            process.stdin.close()


def _leave(path: Path, text: str) -> None:
    aside = path.with_name(path.name + ".new")
    aside.write_text(text, encoding="ascii")
    aside.replace(path)
