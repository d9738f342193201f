"""Sessions: who has logged in, until they log out, are away too long, or are no longer listed.

Promises: a session ends by itself when nobody has used it for a while; there is a bounded number,
and the one that nobody has used longest makes room.
Never: keeps a token itself (what it keeps opens nothing), reads a clock, or makes up randomness.
"""

import hashlib
from dataclasses import dataclass

from inspector.core.orders import Person

MOST = 16  # screens at once
TOKEN_BYTES = 32


@dataclass(frozen=True)
class Session:
    """Who, and when they were last there (monotonic nanoseconds)."""

    person: Person
    seen_ns: int


class Sessions:
    """All that are open."""

    def __init__(self, idle_ns: int, most: int = MOST) -> None:
        self._idle_ns = idle_ns
        self._most = most
        self._open: dict[str, Session] = {}

    def begin(self, token: str, person: Person, now: int) -> None:
        """A person has logged in; `token` is random and theirs alone."""
        self._end_idle(now)
        while len(self._open) >= self._most:
            del self._open[min(self._open, key=lambda key: self._open[key].seen_ns)]
        self._open[_key(token)] = Session(person, now)

    def renew(self, token: str, now: int) -> Person | None:
        """Whose session this is; they are there now. None: nobody's, or no longer."""
        self._end_idle(now)
        session = self._open.get(_key(token))
        if session is None:
            return None
        self._open[_key(token)] = Session(session.person, max(now, session.seen_ns))
        return session.person

    def end(self, token: str) -> Person | None:
        """The person logs out. Returns who it was."""
        session = self._open.pop(_key(token), None)
        return session.person if session else None

    def end_all_of(self, name: str) -> int:
        """This person may no longer what they might. Returns how many sessions ended."""
        theirs = [key for key, session in self._open.items() if session.person.name == name]
        for key in theirs:
            del self._open[key]
        return len(theirs)

    def _end_idle(self, now: int) -> None:
        idle = [k for k, session in self._open.items() if now - session.seen_ns >= self._idle_ns]
        for key in idle:
            del self._open[key]


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
