"""The endpoint of the gate that other hosts reach.

Promises: from there come triggers and beats of the cameras that `station.toml` calls remote, and
nothing else; the rest is counted.
Never: lets another host decide on a part, acknowledge an outcome or switch a recipe.
"""

from collections.abc import Collection, Iterator

from inspector.core.messages import StreamBeat, Trigger
from inspector.devices.bus import Inbox


class Far:
    """An inbox that anyone on the network may write to."""

    def __init__(self, inbox: Inbox, cameras: Collection[str]) -> None:
        """`cameras`: the names that are believed."""
        self._inbox = inbox
        self._cameras = frozenset(cameras)
        self._strange = 0

    @property
    def refused(self) -> int:
        """Messages that were no such trigger or beat, or could not be read."""
        return self._strange + self._inbox.refused

    def drain(self, most: int) -> Iterator[Trigger | StreamBeat]:
        """What is there now, of at most `most` messages."""
        for message, _ in self._inbox.drain(most):
            if isinstance(message, Trigger | StreamBeat) and message.camera in self._cameras:
                yield message
            else:
                self._strange += 1
