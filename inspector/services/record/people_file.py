"""people.toml as record sees it: read again whenever it has changed.

Promises: somebody who is added may log in at once, and somebody who is removed, or has another
role or PIN, is reported so that their sessions end.
Never: lets anybody log in by a file that is not in order.
"""

from collections.abc import Mapping
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.core.people import Listed, load_people

Stamp = tuple[int, int, int]


class PeopleFile:
    """Who may log in."""

    def __init__(self, path: Path) -> None:
        self.people: Mapping[str, Listed] = {}
        self.problem = ""  # why the file cannot be used
        self._path = path
        self._stamp: Stamp | None = (-1, -1, -1)
        self.look()

    def look(self) -> set[str]:
        """Read the file if it is another than before. Returns the names of whoever is no longer
        listed as they were. While the file is not in order, all stays as it was."""
        stamp = self._stamp_of_file()
        if stamp == self._stamp:
            return set()
        self._stamp = stamp
        before = self.people
        try:
            self.people, self.problem = {one.name: one for one in load_people(self._path)}, ""
        except MaintainerError as error:
            self.problem = str(error)
        return {name for name, one in before.items() if self.people.get(name) != one}

    def _stamp_of_file(self) -> Stamp | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
