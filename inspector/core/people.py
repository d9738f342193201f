"""people.toml: who may log in at the screen, strict.

Promises: an unknown key, a name that stands there twice, a role that there is not and a PIN that
is not hashed are refused with one line that names file, line, key and remedy; the file changes in
one step, and only its owner's group may read it. Without the file nobody can log in.
Never: repeats a PIN or its hash in a message.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from inspector.core.errors import MaintainerError
from inspector.core.section import Section
from inspector.core.toml import find_line, read_toml

NAME = r"^[^\x00-\x20\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\x9f])?\Z"
LONGEST_NAME = 64
PersonName = Annotated[str, Meta(max_length=LONGEST_NAME, pattern=NAME)]
HASHED = re.compile(r"scrypt\$16384\$8\$1\$[0-9a-f]{32}\$[0-9a-f]{64}")
MODE = 0o640
HEAD = "# Who may log in at the screen. Written by `inspector user`; the PINs are hashed.\n\n"


class Listed(Section, frozen=True, kw_only=True):
    """One person."""

    name: PersonName
    role: Literal["operator", "technician", "engineer"]  # each may do all that the one before may
    pin: str  # hashed; set with `inspector user pin NAME`


class People(Section, frozen=True, kw_only=True):
    """`people.toml`, whole. Written by `inspector user add|pin|remove`; record takes up a change at
    once. Without the file nobody can log in; the screen may be looked at."""

    person: tuple[Listed, ...] = ()


def load_people(path: Path) -> tuple[Listed, ...]:
    """All who may log in; nobody where there is no file. Raises MaintainerError."""
    with suppress(PermissionError):  # reading says so
        if not path.exists():
            return ()
    people = read_toml(path, People).person
    names = [one.name for one in people]
    for number, one in enumerate(people):
        if names.index(one.name) != number:
            raise MaintainerError(
                f"{_at(path, number, 'name')}: {one.name!r} stands there twice; remove one"
            )
        if not HASHED.fullmatch(one.pin):
            raise MaintainerError(
                f"{_at(path, number, 'pin')}: is no hashed PIN; set one with "
                f"`inspector user pin {one.name}`"
            )
    return people


def change_people(
    path: Path,
    change: Callable[[tuple[Listed, ...]], tuple[Listed, ...]],
    group: int | None = None,
) -> None:
    """Replace the file in one step by what `change` makes of it; changes come one after another.

    `group`: who may read it besides its owner, where there is no file yet. Raises MaintainerError.
    """
    try:
        with _alone(path.parent):
            _write(path, change(load_people(path)), group)
    except OSError as error:
        raise MaintainerError(
            f"{path}: cannot be written ({error.strerror}); mend its folder, or be its owner"
        ) from None


def _write(path: Path, people: tuple[Listed, ...], group: int | None) -> None:
    with suppress(FileNotFoundError):
        group = path.stat().st_gid
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(HEAD.encode() + msgspec.toml.encode(People(person=people)))
        file.flush()
        if group is not None and group != os.fstat(handle).st_gid:
            with suppress(PermissionError):  # not a member of it: its own group has to do
                os.fchown(handle, -1, group)
        os.fchmod(handle, MODE)
        os.fsync(handle)
    fresh.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _at(path: Path, number: int, key: str) -> str:
    keys = ["person", str(number), key]
    line = find_line(path.read_text(encoding="utf-8"), keys)
    return f"{path}:{line}: {'.'.join(keys)}" if line else f"{path}: {'.'.join(keys)}"
