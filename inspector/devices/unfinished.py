"""Runs of a camera that ended and whose parts the gate may not have settled yet.

Promises: a run that was added is in the file before `add` returns, and stays there over kills until
it is removed; the file changes atomically and is bounded: of more than `most` runs the oldest go.
Never: waits for a disk (it lies beside the ring, in memory, and is not synced).
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from inspector.core.errors import MaintainerError
from inspector.core.terms import Count, Identifier, WallTime


class EndedRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run, and how far it had counted when that was found out."""

    stream: Identifier
    last_seq: Count
    wall_ns: WallTime


_decoder = msgspec.json.Decoder(tuple[EndedRun, ...])


class Unfinished:
    """The list on disk. One process at a time writes it."""

    def __init__(self, path: Path, most: int) -> None:
        """Reads what an earlier process has left; a file that cannot be read counts as empty."""
        self._path = path
        self._most = most
        try:
            self._runs = _decoder.decode(path.read_bytes())
        except (OSError, msgspec.MsgspecError):
            self._runs = ()

    def __iter__(self) -> Iterator[EndedRun]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, run: EndedRun) -> None:
        """Note a run, once. Raises MaintainerError when there is no room for it."""
        if all(known.stream != run.stream for known in self._runs):
            self._runs = (*self._runs, run)[-self._most :]
            try:
                self._write()
            except OSError as error:
                raise MaintainerError(
                    f"{self._path}: cannot be written ({error.strerror}); make room there"
                ) from None

    def remove(self, stream: str) -> None:
        """Forget a run. Should the file not change, the run is asked after once more later."""
        left = tuple(run for run in self._runs if run.stream != stream)
        if len(left) < len(self._runs):
            self._runs = left
            try:
                self._write()
            except OSError:
                return

    def _write(self) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_bytes(msgspec.json.encode(self._runs))
        fresh.replace(self._path)
