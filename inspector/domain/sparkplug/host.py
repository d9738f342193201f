"""The primary host: whether it is there, by its STATE messages.

Promises: online counts when its time is not before that of the STATE heard last, offline when it is
not before that of the last online
(tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp,
tck-id-message-flow-edge-node-birth-publish-phid-offline,
tck-id-operational-behavior-edge-node-termination-host-offline-timestamp). What is no STATE changes
nothing. Keys beside the two of the specification are left alone.
Never: compares a host's time with the station's own clock.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

MAX_BYTES = 1024


class HostState(Struct, frozen=True):
    """What a host says of itself. `timestamp`: milliseconds since 1970-01-01 UTC by its clock."""

    online: bool
    timestamp: Annotated[int, Meta(ge=0, le=2**63 - 1)]


_state = msgspec.json.Decoder(HostState)


def read_state(data: bytes) -> HostState | None:
    """The STATE in these bytes, or None."""
    if len(data) > MAX_BYTES:
        return None
    try:
        return _state.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


@dataclass
class PrimaryHost:
    """The one host without whose presence nothing is sent."""

    online: bool = False
    _heard: int = -1  # time of the newest STATE that counted
    _online_at: int = -1

    def says(self, state: HostState) -> bool:
        """Take a STATE; True when it counted."""
        if state.timestamp < (self._heard if state.online else self._online_at):
            return False
        self.online = state.online
        self._heard = max(self._heard, state.timestamp)
        if state.online:
            self._online_at = state.timestamp
        return True

    def unknown(self) -> None:
        """Without a connection nobody knows; the next retained STATE says it."""
        self.online = False
