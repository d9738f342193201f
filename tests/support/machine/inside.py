"""A machine that runs: commands in it, its units, its journal, its power.

Promises: numbers of processes are the host's, so that a test may kill them.
Never: waits longer than it is told.
"""

import codecs
import ctypes
import json
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from inspector.core.errors import InspectorError

T = TypeVar("T")
codecs.lookup("ascii")  # `Machine.inside` finds no library of the host's any more
Done = subprocess.CompletedProcess[str]


class Machine:
    """What `boot` gives."""

    def __init__(self, process: "subprocess.Popen[bytes]", leader: int, folder: Path) -> None:
        """`folder`: where it was booted from, on the host."""
        self.process, self.leader, self._folder = process, leader, folder
        self.started = time.monotonic()

    def run(
        self,
        *argv: str,
        input: str | None = None,
        check: bool = True,
        timeout: float = 60,
        user: str | None = None,
    ) -> Done:
        """A command inside, as root or the user named; `check`: it has to succeed."""
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        done = subprocess.run(
            [*self._enter("-a"), *as_user, *argv],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=_environment(),
        )
        if check:
            assert not done.returncode, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def systemctl(self, *arguments: str, check: bool = True, timeout: float = 120) -> Done:
        return self.run("systemctl", *arguments, check=check, timeout=timeout)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties of a unit by name."""
        said = self.systemctl("show", f"--property={','.join(properties)}", unit).stdout
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)

    def pid(self, unit: str) -> int:
        """The main process of a unit, by the host's number; 0 while it has none."""
        inside = int(self.show(unit, "MainPID")["MainPID"])
        return self.outside(inside) if inside else 0

    def outside(self, inside: int) -> int:
        """The host's number of one of the machine's processes; 0 when it is gone."""
        for number in self.processes():
            if _number_inside(number) == inside:
                return number
        return 0

    def processes(self) -> Iterator[int]:
        """All of the machine's processes, by the host's numbers."""
        own = _namespace(self.leader)
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and _namespace(int(entry.name)) == own:
                yield int(entry.name)

    def journal(self, *arguments: str) -> list[dict[str, Any]]:
        """Entries of the journal, oldest first, with all their fields."""
        command = ["journalctl", "-o", "json", "--no-pager", "-q", "--all", *arguments]
        said = self.run(*command, check=False)
        assert not said.stderr, said.stderr  # its exit code tells whether --grep found something
        return [json.loads(line) for line in said.stdout.splitlines()]

    def netns(self, argv: list[str], **more: Any) -> "subprocess.Popen[str]":
        """A process of the host's in the machine's network; the caller ends it."""
        return subprocess.Popen([*self._enter("-n"), *argv], text=True, **more)

    def path(self, inside: str | Path) -> Path:
        """A file of the machine, as the host reaches it while the machine runs. Symbolic links
        with absolute targets lead to the host's files: name the file itself."""
        return Path(f"/proc/{self.leader}/root") / str(inside).lstrip("/")

    @property
    def disk(self) -> Path:
        """The mounted file system that it writes to, where it was booted from one in a file. It
        lies in the machine's own view of the host's mounts: others would keep it alive."""
        first = next(descendants(self.process.pid))
        return Path(f"/proc/{first}/root{self._folder}/disk")

    def inside(self, work: Callable[[], T]) -> T:
        """What a function returns that sees the machine's files in place of the host's; it runs
        in a process of its own, with what is imported already, and has to return a picture of
        plain values. Raises the usual errors that it raises."""
        receiver, sender = multiprocessing.Pipe(duplex=False)
        child = os.fork()
        if not child:
            self._answer(work, sender)
        sender.close()
        try:
            sound, value = receiver.recv()
        except EOFError:
            raise RuntimeError("it died inside the machine") from None
        finally:
            receiver.close()
            os.waitpid(child, 0)
        if not sound:
            raise value
        return value

    def _answer(self, work: Callable[[], T], sender: Any) -> None:
        try:
            _enter_files_of(self.leader)
            sender.send((True, work()))
        except (InspectorError, OSError, ValueError, LookupError, TypeError) as error:
            sender.send((False, error))
        finally:
            os._exit(0)

    def live(self) -> dict[str, Any]:
        """The state of the line, as `inspector status --json` has it."""
        state: dict[str, Any] = json.loads(self.run("inspector", "status", "--json").stdout)
        return state

    def cut_power(self) -> None:
        """End everything in it at once. What was not on a disk is lost only where the test sees
        to that."""
        end(self.process)

    def power_off(self, timeout: float = 60) -> None:
        """Shut it down in good order."""
        self.systemctl("poweroff", "--no-block", check=False)
        self.process.wait(timeout)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def wait_for_manager(self, timeout: float) -> None:
        """Until the service manager answers."""
        until = time.monotonic() + timeout
        while not self.path("run/systemd/private").exists():
            if time.monotonic() > until or not self.running:
                raise TimeoutError(f"no service manager after {timeout:g} s")
            time.sleep(0.01)

    def last_words(self) -> str:
        """The end of the journal, for whoever has to find out what went wrong."""
        if not self.running:
            return "(the machine is off)"
        failed = self.systemctl("list-units", "--failed", "--no-legend", check=False).stdout
        told = self.run("journalctl", "-q", "--no-pager", "-n", "60", check=False).stdout
        return f"--- failed units\n{failed}--- journal\n{told}"

    def _enter(self, *spaces: str) -> list[str]:
        return ["nsenter", "-t", str(self.leader), *spaces, "--"]


def _enter_files_of(number: int) -> None:
    with Path(f"/proc/{number}/ns/mnt").open() as space:
        if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a machine and wait until nothing is left of it."""
    for number in [*descendants(process.pid)][:1]:  # the first process of its namespace
        os.kill(number, signal.SIGKILL)
    process.wait(30)


def descendants(number: int) -> Iterator[int]:
    """The children of a process, and theirs."""
    for child in text_of(Path(f"/proc/{number}/task/{number}/children")).split():
        yield int(child)
        yield from descendants(int(child))


def text_of(path: Path) -> str:
    """What a file says; nothing where it has gone."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _environment() -> dict[str, str]:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "HOME": "/root"}


def _namespace(number: int) -> str:
    try:
        return str(Path(f"/proc/{number}/ns/pid").readlink())
    except OSError:
        return ""


def _number_inside(number: int) -> int:
    lines = text_of(Path(f"/proc/{number}/status")).splitlines()
    return next((int(line.split()[-1]) for line in lines if line.startswith("NSpid:")), 0)
