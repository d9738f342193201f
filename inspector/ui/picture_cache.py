"""Pictures of the last parts, bounded in bytes; what was not asked for longest goes first.

Promises: never holds more than its bytes; safe from any thread.
Never: gives one part's picture for another's: a part is its stream and its number.
"""

import threading
from collections import OrderedDict
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inspector.core.terms import Heatmap

Frame = NDArray[np.uint8]  # (height, width, channels)
Key = tuple[str, int, str]  # stream, seq, what of it
Thing: TypeAlias = bytes | Frame | Heatmap


class PictureCache:
    """By part and what of it: encoded (bytes), still to be encoded (a frame), a heatmap."""

    def __init__(self, most: int) -> None:
        """`most`: bytes of all that is held."""
        self.used = 0
        self._most = most
        self._things: OrderedDict[Key, Thing] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Thing | None:
        with self._lock:
            thing = self._things.get(key)
            if thing is not None:
                self._things.move_to_end(key)
            return thing

    def put(self, key: Key, thing: Thing) -> None:
        """Keep it; what is larger than the whole cache is not kept."""
        size = _size(thing)
        with self._lock:
            self._drop(key)
            if size > self._most:
                return
            self._things[key] = thing
            self.used += size
            while self.used > self._most:
                self._drop(next(iter(self._things)))

    def __contains__(self, key: Key) -> bool:
        with self._lock:
            return key in self._things

    def _drop(self, key: Key) -> None:
        thing = self._things.pop(key, None)
        if thing is not None:
            self.used -= _size(thing)


def _size(thing: Thing) -> int:
    if isinstance(thing, Heatmap):
        return len(thing.data)
    return len(thing) if isinstance(thing, bytes) else thing.nbytes
