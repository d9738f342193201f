"""The disk that evidence is kept on, which may be another than the ledger's, and may go.

Promises: what once was a disk of its own is not mistaken for the empty folder that is left when it
is not mounted: images that filled the ledger's disk would stop more than evidence.
Never: mounts or repairs anything.
"""

import errno
import os
import shutil
from pathlib import Path

# A write that ends so says that the disk is gone, not that it is full.
GONE = frozenset(
    {
        errno.EIO,
        errno.ENODEV,
        errno.ENXIO,
        errno.EROFS,
        errno.ESTALE,
        errno.ENOTCONN,
        errno.ENOENT,
        errno.EACCES,
        errno.EPERM,
    }
)
PROBE = ".probe"


class EvidenceDisk:
    """Looks whether it is there."""

    def __init__(self, folder: Path, note: Path | None = None) -> None:
        """`note`: a file outside of it, which stands for: this is a disk of its own."""
        self._folder, self._note = folder, note

    def problem(self) -> str:
        """Why nothing can be kept there now; nothing when all is well."""
        try:
            self._make_if_it_is_ours()
            own = self._is_of_its_own()
            noted = self._note is not None and self._note.exists()
        except OSError as error:
            return f"{self._folder}: is gone ({error.strerror}); mend its disk or mount"
        if noted and not own:
            return (
                f"{self._folder}: its disk is not mounted; mount it, or remove {self._note} if "
                "images are to be kept without it"
            )
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            return f"{self._folder}: cannot be written; mend its owner or mount"
        if own and not noted:
            self._remember()
        return ""

    def probe(self) -> str:
        """As `problem`, after a small file went to the disk: for a disk that failed before."""
        if problem := self.problem():
            return problem
        path = self._folder / PROBE
        try:
            with path.open("wb") as file:
                file.write(b"\0")
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        except OSError as error:
            return f"{self._folder}: cannot be written ({error.strerror}); mend its disk or mount"
        return ""

    def free(self) -> int | None:
        """Bytes; None where the disk does not say."""
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return None

    def _is_of_its_own(self) -> bool:
        if self._note is None:
            return False
        return self._folder.stat().st_dev != self._note.parent.stat().st_dev

    def _make_if_it_is_ours(self) -> None:
        if not (self._note and self._note.exists()):
            self._folder.mkdir(parents=True, exist_ok=True)

    def _remember(self) -> None:
        if self._note is None:
            return
        try:
            self._note.write_text(f"{self._folder} is a disk of its own\n")
        except OSError:
            return  # the next look tries again
