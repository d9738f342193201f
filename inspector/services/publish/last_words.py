"""Will and farewell: on record before they can leave.

Promises: the broker's own thread waits here for the will, so nothing is connected before record
has committed what the broker would tell of us.
Never: sends anything.
"""

import threading

from inspector.domain.egress.letter import Letter
from inspector.services.publish.door import Door

LANE = "last words"
WILL, FAREWELL = "will", "farewell"


class LastWords:
    """What the broker says when we are gone without a word, and what we say at an orderly end."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._cleared: dict[str, Letter] = {}
        self._will = threading.Event()

    def offer(self, what: str, letter: Letter) -> None:
        """Have it logged. `what`: WILL or FAREWELL."""
        self._door.offer(LANE, what, letter)

    def turn(self) -> None:
        """See what is on record by now."""
        for key, letter in self._door.collect(LANE):
            self._cleared[str(key)] = letter
            if key == WILL:
                self._will.set()

    def will(self) -> Letter:
        """Waits until it is on record; for another thread."""
        self._will.wait()
        return self._cleared[WILL]

    @property
    def farewell(self) -> Letter | None:
        """None as long as it is not on record."""
        return self._cleared.get(FAREWELL)
