"""run: the bench's stand-in for systemd. Starts the processes of the topology and keeps them up.

Promises: a process that ends is started again, after a pause that grows while it keeps failing;
one request stops all in the order of the table, capture first and record last; a process that
refuses its configuration at the start stops the whole.
Never: touches a message, a frame or the database.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import IO

from inspector.core.config import StationConfig
from inspector.core.errors import MaintainerError
from inspector.core.topology import Process, processes
from inspector.devices.host import SUPERVISED

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0  # with the start itself, inspection is back within 3 s of any kill
STEADY_S = 20.0  # after so long without an end, the pause starts small again
STOP_S = 8.0


@dataclass
class Child:
    """One process of the table and how often it had to be started."""

    process: Process
    popen: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    restarts: int = 0
    pause: float = FIRST_PAUSE_S
    due: float = field(default=0.0)

    @property
    def pid(self) -> int | None:
        return self.popen.pid if self.popen and self.popen.poll() is None else None


class Supervisor:
    """All processes of one station on a bench."""

    def __init__(
        self,
        config: StationConfig,
        root: Path,
        say: Callable[[str], None],
        log: IO[bytes] | None = None,
    ) -> None:
        """`say` takes one line for the person at the bench; what the processes say goes to `log`,
        or to standard error."""
        self._root = root
        self._say = say
        self._log = log or sys.stderr
        self.children = [Child(process) for process in processes(config)]

    def start(self) -> None:
        for child in self.children:
            self._launch(child)

    def watch(self) -> None:
        """Start again what has ended and whose pause is over. Raises MaintainerError when a
        process refuses its configuration at its first start."""
        now = time.monotonic()
        for child in self.children:
            if child.popen is not None and child.popen.poll() is not None:
                self._ended(child, child.popen.returncode, now)
            if child.popen is None and now >= child.due:
                child.restarts += 1
                self._launch(child)

    def stop(self) -> None:
        """Stop all, a rank at a time; what does not end in time is killed."""
        ranked = sorted(self.children, key=lambda child: child.process.stop_rank)
        for _, rank in groupby(ranked, key=lambda child: child.process.stop_rank):
            self._stop_rank(list(rank))

    def _stop_rank(self, rank: list[Child]) -> None:
        popens = [child.popen for child in rank if child.popen is not None]
        for popen in popens:
            popen.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_S
        for popen in popens:
            try:
                popen.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"process {popen.pid} did not stop in {STOP_S:g} s and is killed")
                popen.kill()
                popen.wait()

    def _launch(self, child: Child) -> None:
        process = child.process
        command = [sys.executable, "-m", process.module, "--root", str(self._root)]
        child.popen = subprocess.Popen(
            command + process.arguments,
            stdin=subprocess.DEVNULL,
            stdout=self._log,  # standard output is for results alone
            stderr=self._log,
            env={**os.environ, SUPERVISED: "1"},
            start_new_session=True,  # Ctrl-C is for the supervisor, which stops in order
        )
        child.started = time.monotonic()

    def _ended(self, child: Child, code: int, now: float) -> None:
        child.popen = None
        lived = now - child.started
        if code == MaintainerError.exit_code and child.restarts == 0:
            raise MaintainerError(f"{child.process.name} refuses to run; its reason stands above")
        child.pause = FIRST_PAUSE_S if lived > STEADY_S else min(LONGEST_PAUSE_S, 2 * child.pause)
        child.due = now + child.pause
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._say(f"{child.process.name} ended with {how}; started again in {child.pause:.1f} s")
