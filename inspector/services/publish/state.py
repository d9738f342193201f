"""The station's state, retained at the broker: birth on every connection, will, and in between.

Promises: a change is told soon, but at most one per CALM_NS, or per URGENT_NS where alarms or the
line's own state change; without a change the state is repeated every `state_s`. Will and farewell
are on record before they can leave.
Never: a text; what leaves are codes.
"""

import platform
from collections.abc import Hashable
from contextlib import suppress
from typing import Any

from msgspec import structs

from inspector import __version__
from inspector.core.clock import SECOND
from inspector.core.errors import EngineerError
from inspector.core.live import LineStatus
from inspector.devices.broker import Result
from inspector.domain.egress.letter import Letter, letter
from inspector.domain.egress.state import Box, Outgoing, State, state_of
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.words import Online
from inspector.services.publish.lane import Context
from inspector.services.publish.link import Link

LANE = "state"
URGENT_NS = SECOND
CALM_NS = 5 * SECOND
DENIED_NS = 60 * SECOND  # the longest pause of a state that the broker does not take


class StateLane:
    """What the station says of itself. `run` tells the runs of this process apart."""

    name = LANE

    def __init__(self, context: Context, link: Link, run: str) -> None:
        self._context = context
        self._link = link
        self._run = run
        self._topic = Topics(context.device).state
        self._repeat_ns = context.settings.state_s * SECOND
        self._began_wall = context.clock.wall_ns()
        self._status: LineStatus | None = None
        self._outgoing = Outgoing(waiting=0, set_aside=0, events=0)
        self._stream = ""
        self._box: Box | None = None
        self._number = 0
        self._sent_ns = 0
        self._said: State | None = None
        self._wanted = False  # asked for, or answered with anything but an acknowledgement
        self._brief = False  # the broker takes no long one
        self._pause_ns = CALM_NS

    @property
    def will(self) -> Letter:
        """What the broker says when we are gone without a word; the same for the whole run."""
        return self._letter(self._state(Online.LOST, self._began_wall))

    @property
    def farewell(self) -> Letter:
        """What is said at an orderly end."""
        return self._fitting(self._state(Online.STOPPED, self._context.clock.wall_ns()))

    def hear(self, status: LineStatus) -> None:
        """The line as record sees it."""
        self._status = status

    def know(self, outgoing: Outgoing, stream: str, box: Box | None = None) -> None:
        """What waits to be delivered, and of which ledger; and how the box is, which goes along
        with what is sent and is no reason to send."""
        self._outgoing, self._stream, self._box = outgoing, stream, box

    def request(self) -> None:
        """Somebody asks for the state, changed or not."""
        self._wanted = True

    def up(self, now: int) -> None:
        """The birth of this connection."""
        self._context.door.forget(LANE)
        self._said, self._sent_ns, self._pause_ns = None, now - CALM_NS, CALM_NS

    def down(self) -> None:
        """The next connection has its own birth."""
        self._context.door.forget(LANE)

    def turn(self, now: int) -> bool:
        if not self._link.connected:
            return False
        for key, found in self._context.door.collect(LANE):
            self._link.send(self, key, found, now)
        state = self._state(Online.ONLINE, self._context.clock.wall_ns())
        if now - self._sent_ns < self._wait_ns(state):
            return False
        self._number += 1
        if self._context.door.offer(LANE, self._number, self._fitting(state)):
            self._said, self._sent_ns, self._wanted = state, now, False
        return False

    def answered(self, key: Hashable, result: Result, now: int) -> None:
        """Anything but a yes: the newest state is said again, in its time, and in brief where it
        may be its length: a birth that breaks each connection would hold up the totals."""
        self._brief |= result.status in ("oversize", "broke")
        if result.status == "acked":
            self._pause_ns = CALM_NS
        elif key == self._number:
            self._said, self._sent_ns = None, now
            self._pause_ns = min(2 * self._pause_ns, DENIED_NS)

    def _wait_ns(self, state: State) -> int:
        """How long after the last one this state may go."""
        if self._said is None:
            return self._pause_ns
        if self._wanted or _urgent(state) != _urgent(self._said):
            return URGENT_NS
        return CALM_NS if _calm(state) != _calm(self._said) else self._repeat_ns

    def _state(self, online: Online, wall_ns: int) -> State:
        return state_of(
            self._context.device,
            self._run,
            online,
            wall_ns,
            self._status if online is not Online.LOST else None,
            self._outgoing if online is not Online.LOST else NOTHING,
            VERSIONS,
            self._stream if online is not Online.LOST else "",
            self._context.captures,
            self._box if online is Online.ONLINE else None,
        )

    def _fitting(self, state: State) -> Letter:
        """The state, or as much of it as one message holds."""
        brief = structs.replace(state, box=None, services={}, alarms=state.alarms[:1])
        for fitting in [] if self._brief else [state, structs.replace(state, box=None)]:
            with suppress(EngineerError):
                return self._letter(fitting)
        return self._letter(brief)

    def _letter(self, state: State) -> Letter:
        return letter(state, self._topic, retain=True)


NOTHING = Outgoing(waiting=0, set_aside=0, events=0)
VERSIONS = {"inspector": __version__, "python": platform.python_version()}


def _urgent(state: State) -> Any:
    return state.line, state.why, state.mode, state.alarms


def _calm(state: State) -> Any:
    return state.recipe, state.lot, state.model, state.services, state.stream
