"""Running `inspector` as a user does."""

import subprocess
import sys
from pathlib import Path

INSPECTOR = [sys.executable, "-m", "inspector.cli"]


def inspector(*arguments: str | Path, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [*INSPECTOR, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def refusals(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of standard error in which a command or a process says why it ends."""
    return [line for line in done.stderr.splitlines() if line.startswith("inspector")]
