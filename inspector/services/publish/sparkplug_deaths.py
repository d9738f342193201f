"""The node's deaths: one NDEATH for each connection, on record before the connection can begin.

Promises: each connection that the broker has taken has a number of its own, one more than that of
the last, 255 before 0
(tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq,
tck-id-topics-nbirth-bdseq-increment). The number goes on after a restart, a kill and a loss of
power: how many connections there have been stands in the ledger as a lane of its own, told to
record before the birth, which is on record before it leaves. A number whose connection does not
come about is used for the next try, so that a broker that is away uses none up.
Never: lets a connection begin whose death is not on record.
"""

import threading
from typing import Literal

from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.core.messages import LaneAt
from inspector.core.terms import Severity
from inspector.devices.sparkplug import encode
from inspector.domain.egress.letter import Letter
from inspector.domain.egress.sparkplug import Verb, death, sparkplug_letter
from inspector.domain.sparkplug.names import Names
from inspector.services.publish.lane import Context

LANE = "sparkplug deaths"  # at the door
SESSIONS: Literal["sparkplug_session"] = "sparkplug_session"  # in the ledger
AGAIN_NS = SECOND


class Deaths:
    """`will` is for the broker's own thread, all else for the lane's."""

    def __init__(self, context: Context, names: Names) -> None:
        self._context = context
        self._topic = names.topic(Verb.NDEATH)
        self._wanted: int | None = None  # number of the next connection, from 1; None: unread yet
        self._ready: tuple[int, Letter] | None = None
        self._given: tuple[int, Letter] | None = None
        self._there = threading.Event()
        self._born: int | None = None  # a number that record has yet to be told of
        self._look_ns = 0

    def turn(self, now: int) -> None:
        """See that the next connection has its death."""
        for key, letter in self._context.door.collect(LANE):
            if key == self._wanted and isinstance(key, int):
                self._ready = key, letter
                self._there.set()
        if now >= self._look_ns:
            self._tell(now)
            if not self._there.is_set():
                self._prepare(now)

    def will(self) -> Letter:
        """The death of the connection that is about to begin; waits until it is on record."""
        self._there.wait()
        self._given = self._ready
        assert self._given is not None  # the event says so
        return self._given[1]

    def used(self) -> int:
        """The connection has come about: its bdSeq. The next one gets another."""
        assert self._given is not None  # there is no connection without a will
        number, _ = self._given
        if self._wanted == number:
            self._there.clear()
            self._wanted = number + 1
        self._born, self._look_ns = number, 0
        return bd_seq(number)

    @property
    def told(self) -> bool:
        """Record knows of this connection: it may be born."""
        return self._born is None

    @property
    def farewell(self) -> Letter | None:
        """The death of this connection, to be said in order."""
        return self._given[1] if self._given else None

    def _tell(self, now: int) -> None:
        """Tell record how many connections there have been."""
        self._look_ns = now + AGAIN_NS
        if self._born is None or (ledger := self._ledger()) is None:
            return
        if self._context.record.send(LaneAt(ledger=ledger, lane=SESSIONS, through=self._born)):
            self._born = None

    def _prepare(self, now: int) -> None:
        self._look_ns = now + AGAIN_NS
        if self._wanted is None:
            self._wanted = self._next()
        if self._wanted is not None:
            letter = sparkplug_letter(death(bd_seq(self._wanted)), self._topic, encode)
            self._context.door.offer(LANE, self._wanted, letter)

    def _next(self) -> int | None:
        """The number after the last that was ever born."""
        try:
            return self._context.reader.lane(SESSIONS) + 1
        except MaintainerError as error:
            self._context.teller.tell(Severity.INFO, "ledger_unread", str(error))
            return None

    def _ledger(self) -> str | None:
        try:
            return self._context.reader.ledger_id()
        except MaintainerError as error:
            self._context.teller.tell(Severity.INFO, "ledger_unread", str(error))
            return None


def bd_seq(number: int) -> int:
    """Of the connection with this number, from 1: the first is 0."""
    return (number - 1) % 256
