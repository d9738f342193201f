"""What the line is making now: recipe and lot, kept over restarts.

Promises: the file changes atomically, and only `record` writes it.
Never: is the record of what was made; that stands in every outcome.
"""

import os
from pathlib import Path

import msgspec

from inspector.core.config import Line
from inspector.core.messages import Identifier


class Current(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Recipe and lot in force."""

    recipe: Identifier
    lot: Identifier


def read_current(path: Path, line: Line) -> Current:
    """What the file says; what the configuration says where there is no readable file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Current)
    except (OSError, msgspec.MsgspecError):
        return Current(recipe=line.recipe, lot=line.lot)


def write_current(path: Path, current: Current) -> None:
    """Replace the file in one step. Raises OSError."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(current) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
