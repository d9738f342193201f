"""The audit chain: each entry carries the hash of the one before it.

Promises: an entry that is changed, removed from the middle or put in later breaks the chain at a
place that `broken_at` names.
Never: holds a secret; the chain shows tampering to whoever kept an earlier hash, it cannot stop it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

START = "0" * 64


@dataclass(frozen=True)
class Entry:
    """What a person changed. `detail` is JSON."""

    id: int  # from 1, without gaps
    wall_ns: int
    who: str
    action: str
    detail: str
    previous: str  # the hash of the entry before, START for the first
    hash: str


def link(previous: str, id: int, wall_ns: int, who: str, action: str, detail: str) -> Entry:
    """The next entry of the chain."""
    content = msgspec.json.encode([previous, id, wall_ns, who, action, detail])
    digest = hashlib.sha256(content).hexdigest()
    return Entry(id, wall_ns, who, action, detail, previous, digest)


def broken_at(entries: Iterable[Entry]) -> int | None:
    """The id of the first entry, in order, that does not follow from the one before; None when
    the chain is whole."""
    previous = START
    for number, entry in enumerate(entries, 1):
        expected = link(previous, number, entry.wall_ns, entry.who, entry.action, entry.detail)
        if entry != expected:
            return entry.id
        previous = entry.hash
    return None
