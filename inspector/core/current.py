"""What the line is making now: recipe and lot, kept over restarts.

Promises: the file changes atomically, and only `record` writes it; `recipe` is what detect is
known to decide with, and what it has yet to load stands beside it as `asked`. With a file that
cannot be read the station begins paused: nobody knows then what is made, or who has paused it.
Never: is the record of what was made; that stands in every outcome.
"""

import os
from pathlib import Path

import msgspec

from inspector.core.bundle_folder import flush
from inspector.core.config import Line
from inspector.core.errors import MaintainerError
from inspector.core.terms import Identifier, Mode


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change that somebody asked for and detect has not answered yet."""

    recipe: Identifier
    lot: Identifier
    who: Identifier


class Current(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Recipe, lot and mode in force, and the change under way if there is one."""

    recipe: Identifier
    lot: Identifier
    asked: Asked | None = None
    mode: Mode = Mode.INSPECT

    @property
    def newest(self) -> tuple[str, str]:
        """Recipe and lot as they will be when the change under way has been made."""
        latest = self.asked or self
        return latest.recipe, latest.lot


def load_current(path: Path) -> Current | None:
    """What the file says; None where there is none yet. Raises MaintainerError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Current)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = error.strerror
    except msgspec.MsgspecError as error:
        why = str(error)
    raise MaintainerError(f"{path}: cannot be read ({why}); choose recipe and lot again, resume")


def read_current(path: Path, line: Line) -> Current:
    """What the file says; what the configuration says where there is none yet, and the same,
    paused, where it cannot be read."""
    try:
        return load_current(path) or Current(recipe=line.recipe, lot=line.lot)
    except MaintainerError:
        return Current(recipe=line.recipe, lot=line.lot, mode=Mode.PAUSED)


def recipes_to_try(current: Current, line: Line) -> list[str]:
    """The recipes to begin with, best first: the one in force, the one asked for instead, and the
    configuration's own."""
    asked = [current.asked.recipe] if current.asked else []
    return list(dict.fromkeys([current.recipe, *asked, line.recipe]))


def write_current(path: Path, current: Current) -> None:
    """Replace the file in one step. Raises OSError."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(current) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    flush(path.parent)  # or a power cut could bring back the file before, and inspect again
