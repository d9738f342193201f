"""Orders to the service manager: start, stop, enable.

Promises: what it refuses is told in its own words.
Never: decides what is to run, or looks at how a unit is (`manager` does).
"""

import subprocess

from inspector.core.errors import MaintainerError

LONGEST_S = 180.0


def systemctl(*arguments: str, timeout_s: float = LONGEST_S) -> str:
    """What it answers. Raises MaintainerError with its words when it refuses."""
    command = ("systemctl", "--quiet", *arguments)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except FileNotFoundError:
        raise MaintainerError("systemctl: not found; this is done on a station only") from None
    except subprocess.TimeoutExpired:
        text = f"{' '.join(command)}: no answer for {timeout_s:g} s; see `systemctl list-jobs`"
        raise MaintainerError(text) from None
    if done.returncode:
        words = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise MaintainerError(f"{' '.join(command)}: {words}")
    return done.stdout
