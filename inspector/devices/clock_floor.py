"""A time that has been, on the disk: what a clock that starts in 1970 is held against.

Promises: the file is there whole or not at all, over a power cut too; one that cannot be read is
none. Whoever knows that the clock is right as it is may remove the file before a start.
Never: raises for a disk that refuses: the next time is soon.
"""

import os
from pathlib import Path

FAR_FUTURE_NS = 2**62


def read_floor(path: Path) -> int:
    """Nanoseconds since 1970-01-01 UTC; 0 where none is known."""
    try:
        found = int(path.read_text())
    except (OSError, ValueError):
        return 0
    return found if 0 < found < FAR_FUTURE_NS else 0


def write_floor(path: Path, wall_ns: int) -> bool:
    """True when it is on the disk."""
    fresh = path.with_name(f"{path.name}.part")
    try:
        with fresh.open("w") as file:
            file.write(f"{wall_ns}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        return False
    return True
