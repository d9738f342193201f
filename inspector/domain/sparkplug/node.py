"""The life of an edge node: births, sequence numbers, rebirths on request, the end.

Promises: nothing is said before the birth, and the birth not before the connection stands, the
primary host, where there is one, is there, and the line has something to say
(tck-id-message-flow-edge-node-birth-publish-connect,
tck-id-message-flow-edge-node-birth-publish-phid-wait). NBIRTH begins at 0, and every message after
it counts on by one, to 255 and on from 0 (tck-id-payloads-sequence-num-incrementing). A rebirth has
the bdSeq of the connection (tck-id-operational-behavior-data-commands-rebirth-action-3); from the
request on no data leaves until it is done
(tck-id-operational-behavior-data-commands-rebirth-action-1). Rebirths are at least REBIRTH_NS
apart: one that is asked for too early is done when its time has come.
The device cannot be lost without its node: whatever silences the line silences the log without
which nothing may leave, so that there is a NDEATH, which is on record before, and no DDEATH.
Never: reads a clock; times are monotonic nanoseconds.
"""

from dataclasses import dataclass
from enum import StrEnum

from inspector.core.clock import SECOND
from inspector.domain.sparkplug.command import Judged
from inspector.domain.sparkplug.host import HostState, PrimaryHost

REBIRTH_NS = 10 * SECOND


class Phase(StrEnum):
    """What the node is at."""

    AWAY = "away"  # no connection
    WAITING = "waiting"  # for the primary host, or for the line
    BIRTH = "birth"  # is due now
    ONLINE = "online"  # data may go
    HELD = "held"  # a rebirth was asked for too soon after the last: quiet until it is due
    LEAVING = "leaving"  # the host or the line has gone: NDEATH, and begin again


@dataclass
class Node:
    """One edge node. `host` None: nobody is waited for."""

    host: PrimaryHost | None = None
    bd_seq: int = 0  # of this connection
    refused: int = 0  # commands, since the start
    rebirths: int = 0
    _line: bool = False  # is being heard
    _connected: bool = False
    _born: bool = False
    _leaving: bool = False
    _rebirth: bool = False
    _born_ns: int = 0
    _seq: int = 0

    @property
    def born(self) -> bool:
        return self._born

    def connected(self, bd_seq: int) -> None:
        """A connection stands whose will is the NDEATH with this number."""
        self.bd_seq = bd_seq
        self._connected, self._born, self._leaving, self._rebirth = True, False, False, False

    def disconnected(self) -> None:
        self._connected, self._born, self._leaving, self._rebirth = False, False, False, False
        if self.host:
            self.host.unknown()

    def host_says(self, state: HostState) -> None:
        """The primary host has spoken; a node that was born dies with it
        (tck-id-operational-behavior-edge-node-termination-host-offline)."""
        if self.host and self.host.says(state) and not self.host.online and self._born:
            self._leaving = True

    def line(self, heard: bool) -> None:
        """Whether the line speaks; a node that was born dies with it."""
        self._line = heard
        self._leaving |= self._born and not heard

    def told(self, judged: Judged) -> None:
        """A host has sent a command."""
        self.refused += judged.refused
        self._rebirth |= judged.rebirth and self._born

    def renew(self) -> None:
        """What the birth said holds no longer: another ledger counts."""
        self._rebirth |= self._born

    def phase(self, now: int) -> Phase:
        if not self._connected:
            return Phase.AWAY
        if self._leaving:
            return Phase.LEAVING
        if not self._born:
            absent = self.host is not None and not self.host.online
            return Phase.BIRTH if self._line and not absent else Phase.WAITING
        if self._rebirth:
            return Phase.BIRTH if now - self._born_ns >= REBIRTH_NS else Phase.HELD
        return Phase.ONLINE

    def birth(self, now: int) -> None:
        """The NBIRTH is made now; `seq` begins at 0."""
        self.rebirths += self._born
        self._born, self._rebirth = True, False
        self._born_ns = now
        self._seq = 0

    @property
    def seq(self) -> int:
        """The number of the next message."""
        return self._seq

    def spoken(self) -> None:
        """A message with that number is made."""
        self._seq = (self._seq + 1) % 256
