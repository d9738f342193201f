"""Room kept in reserve: a file that is given up when the disk is full.

Promises: the room is truly taken, not promised by the file system; it is taken back once there
is clearly enough again.
Never: stands in the way of the ledger: a failure to take room is no error.
"""

import os
import shutil
from pathlib import Path

# Free room, in ballasts, that there must be besides before a ballast is taken back.
SPARE = 2


class Ballast:
    """One file of `size` bytes; 0 bytes: none at all."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._size = size

    @property
    def held(self) -> bool:
        """True when the room is taken, whole."""
        try:
            return 0 < self._size <= self.path.stat().st_size
        except OSError:
            return False

    def take(self) -> bool:
        """Take the room if it is free. True when it is held afterwards, or none is wanted."""
        if not self._size or self.held:
            return True
        try:
            free = shutil.disk_usage(self.path.parent).free
        except OSError:  # the disk is gone
            return False
        return free >= (1 + SPARE) * self._size and self._allocate()

    def release(self) -> bool:
        """Give the room up. True when that freed anything."""
        try:
            self.path.unlink()
        except OSError:  # there is none, or the disk refuses
            return False
        return self._size > 0

    def _allocate(self) -> bool:
        try:
            with self.path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self.release()
            return False
        return True
