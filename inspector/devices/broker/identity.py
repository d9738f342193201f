"""Is our place at the broker taken? Two stations with the same names throw each other out.

Promises: a state of the station that another process has published while this one ran is noticed,
once each, after a connection of ours has ended: another station that connects throws us out. What
was there before this process first came up is a predecessor's.
Never: takes a state for another's because our own is not there; brokers forget. Never hangs up for
a state alone, which anybody may write whom the broker lets.

A broker that follows the standard tells the one that it throws out (0x8E); mosquitto does not.
So the station listens to its own state, where the broker lets it.
"""

import msgspec

from inspector.devices.broker.happenings import Heard
from inspector.domain.egress.letter import Letter
from inspector.domain.egress.state import State

MOST = 100  # predecessors; so many have not run before us


class Identity:
    """By the will, which is our own state. topic: where to listen, None: nowhere."""

    def __init__(self) -> None:
        self.topic: str | None = None
        self.ended = False  # a connection of ours, so that it may have been somebody's doing
        self._run = self._since = ""
        self._seen: set[tuple[str, str]] = set()
        self._before: set[str] = set()

    def introduce(self, will: Letter) -> None:
        """What the broker is to tell of us from now on."""
        state = _read(will.payload)
        if will.retain and state:
            self.topic, self._run, self._since = will.topic, state.run, state.at

    def taken(self, heard: Heard, first: bool) -> bool:
        """Whether this says that somebody else is there as us. first: no connection before."""
        state = _read(heard.payload)
        if state is None or state.run == self._run:
            return False
        if first and len(self._before) < MOST:
            self._before.add(state.run)
        told = (state.run, state.at)
        if not self.ended:
            return False
        if state.run in self._before or told in self._seen or state.at <= self._since:
            return False
        self._seen.add(told)
        return True


def _read(payload: bytes) -> State | None:
    try:
        return msgspec.json.decode(payload, type=State)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
