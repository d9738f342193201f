"""The console key: whoever may read the station's own files may order as a maintainer.

Promises: the key is random and new with each start of record; only the owner of the runtime folder
can read it. A session that begins with it, as `KEY:USER`, is that of USER: whoever can read the
key is trusted to say who they are. `KEY` alone is that of record's own user.
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
    key = secrets.token_urlsafe(KEY_BYTES)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(key + "\n")
        fresh.replace(path)
    except OSError as error:
        raise MaintainerError(f"{path}: cannot be written ({error.strerror})") from None
    return Console(key, user_name(os.getuid()))


def console_session(path: Path, user: str) -> str:
    """The session of this user at the console. Raises MaintainerError when it is not theirs."""
    try:
        key = path.read_text(encoding="utf-8").strip()
    except PermissionError:
        raise MaintainerError(
            f"{path}: may not be read; be the station's user or root, or order at the screen"
        ) from None
    except OSError as error:
        raise MaintainerError(
            f"{path}: cannot be read ({error.strerror}); is the line running?"
        ) from None
    return f"{key}:{user}"[:LONGEST]


def user_name(uid: int) -> str:
    """The name of an operating system's user, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
