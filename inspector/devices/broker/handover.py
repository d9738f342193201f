"""From the caller's thread to the one that talks to the broker.

Promises: a letter is meant for the connection that its caller knows of: when that one is over,
the letter is not sent on the next, but refused here or given back by `shut`.
Never: waits, or holds the other thread up.
"""

import socket
import threading
from collections import deque

from inspector.domain.egress.letter import Letter

NONE = 0  # the number of no connection; the first one is 1


class Handover:
    """A queue with a bell. `offer`, `ring` and `close` are the caller's, the rest the thread's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._letters: deque[tuple[int, Letter]] = deque()
        self._open = NONE
        self._rung = False
        self._bell, self._button = socket.socketpair()
        self._bell.setblocking(False)

    def offer(self, token: int, letter: Letter, connection: int) -> bool:
        """False where that connection is not there any more."""
        with self._lock:
            if connection == NONE or connection != self._open:
                return False
            self._letters.append((token, letter))
        self.ring()
        return True

    def ring(self) -> None:
        """Wake the thread."""
        if not self._rung:
            self._rung = True
            self._button.send(b"!")

    def fileno(self) -> int:
        """What becomes readable when somebody rings."""
        return self._bell.fileno()

    def heard(self) -> None:
        """Be ready for the next ring. Look for letters after this, not before."""
        self._bell.recv(16)
        self._rung = False

    def take(self) -> tuple[int, Letter] | None:
        """The oldest letter with its token."""
        return self._letters.popleft() if self._letters else None

    def open(self, connection: int) -> None:
        """From now on letters for this connection are taken."""
        with self._lock:
            self._open = connection

    def shut(self) -> list[int]:
        """Take no more. Returns the tokens of the letters that nobody has taken."""
        with self._lock:
            self._open = NONE
            left = [token for token, _ in self._letters]
            self._letters.clear()
        return left

    def close(self) -> None:
        self._bell.close()
        self._button.close()
