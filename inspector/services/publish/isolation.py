"""That the process with the network cannot open frames or images: tried, at the start and at each
connection.

Promises: every ring, the evidence, the pictures of models and workshop and the gate's spool are
tried; in production anything that opens ends the process with one line that names it and the
remedy.
Never: reads a byte of what opens, or minds what goes away meanwhile.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.core.paths import Paths
from inspector.core.terms import Severity
from inspector.services.publish.teller import Teller

DEPTH = 6  # of folders, on the way to one file


def exposed(paths: Paths) -> str:
    """What this process could open of frames or images, or ''."""
    if os.geteuid() == 0:
        return "it runs as root, who may open everything"
    for path in _forbidden(paths):
        if _opens(path):
            return f"{path} can be opened"
    return ""


class Isolation:
    """Whether this process is kept from frames and images."""

    def __init__(self, paths: Paths, production: bool, teller: Teller) -> None:
        self._paths = paths
        self._production = production
        self._teller = teller

    def require(self) -> None:
        """On a bench, remark once on what is exposed. Raises MaintainerError in production."""
        found = exposed(self._paths)
        if found and self._production:
            text = (
                f"{found}, but production = true, where publish must have no way to frames and "
                "images; run it as its own user, without the group of the frames (see "
                "inspector-publish.service), or set production = false on a bench"
            )
            self._teller.tell_last(Severity.ALARM, "publish_exposed", text)
            raise MaintainerError(text)
        if found:
            text = f"{found}; allowed on a bench, refused with production = true"
            self._teller.tell(Severity.INFO, "publish_on_bench", text)


def _forbidden(paths: Paths) -> Iterator[Path]:
    for folder in (paths.evidence, paths.models, paths.workshop, paths.spool, paths.frames):
        yield folder
        yield from _one_file(folder, DEPTH)


def _one_file(folder: Path, depth: int) -> Iterator[Path]:
    """Any one file below a folder, as far as it can be seen."""
    for path in _listed(folder):
        if path.is_dir():
            if depth:
                yield from _one_file(path, depth - 1)
        else:
            yield path
        return


def _listed(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries]
    except OSError:
        return []


def _opens(path: Path) -> bool:
    with suppress(OSError):
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
        return True
    return False
