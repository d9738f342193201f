"""The keys that record writes for those who may read the station's own files: the console's, whose
holder may order as a maintainer, and the plant's, with which publish hands on what the MES orders.

Promises: a key is random and new with each start of record. Only the owner of the runtime folder
can read the console's; the plant's, which may order less, the station's group too: publish is
another user. There is no key of the plant while it may order nothing. A console's session that
begins with its key, as `KEY:USER`, is that of USER: whoever can read the key is trusted to say who
they are. `KEY` alone is that of record's own user.
Never: leaves the station, or is written into the ledger.
"""

import hmac
import os
import pwd
import secrets
from dataclasses import dataclass
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.core.orders import Person, Role

KEY_BYTES = 24  # 32 characters: with the name it has to fit into `Order.session`
LONGEST = 64
OWNER, GROUP = 0o600, 0o640


@dataclass(frozen=True)
class Console:
    """What record knows of it."""

    key: str
    owner: str

    def whose(self, session: str) -> Person | None:
        """The maintainer who speaks, or None when it is no session of the console."""
        key, _, user = session.partition(":")
        if not hmac.compare_digest(key.encode(), self.key.encode()):
            return None
        return Person(name=user.strip() or self.owner, role=Role.MAINTAINER)


def open_console(path: Path) -> Console:
    """Write a new key, for this run of record. Raises MaintainerError."""
    return Console(_new_key(path, OWNER), user_name(os.getuid()))


def open_plant_key(path: Path, may_order: bool) -> str:
    """Write a new key for the plant, for this run of record, or remove an earlier one: empty
    then. Raises MaintainerError."""
    if may_order:
        return _new_key(path, GROUP)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise MaintainerError(f"{path}: cannot be removed ({error.strerror})") from None
    return ""


def _new_key(path: Path, mode: int) -> str:
    key = secrets.token_urlsafe(KEY_BYTES)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(handle, "w") as file:
            os.fchmod(handle, mode)  # whatever the umask
            file.write(key + "\n")
        fresh.replace(path)
    except OSError as error:
        raise MaintainerError(f"{path}: cannot be written ({error.strerror})") from None
    return key


def console_session(path: Path, user: str) -> str:
    """The session of this user at the console. Raises MaintainerError when it is not theirs."""
    return f"{_key(path)}:{user}"[:LONGEST]


def plant_session(path: Path) -> str:
    """The session of the plant's MES. Raises MaintainerError when it may order nothing."""
    return _key(path)


def _key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except PermissionError:
        raise MaintainerError(
            f"{path}: may not be read; be the station's user or root, or order at the screen"
        ) from None
    except OSError as error:
        raise MaintainerError(
            f"{path}: cannot be read ({error.strerror}); is the line running?"
        ) from None


def user_name(uid: int) -> str:
    """The name of an operating system's user, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
