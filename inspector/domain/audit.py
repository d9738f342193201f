"""The audit chain: each entry carries the hash of the one before it.

Promises: an entry that is changed, removed from the middle or put in later breaks the chain at a
place that `first_break` names.
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


@dataclass(frozen=True)
class Break:
    """The first entry that does not follow from the one before, and how that shows."""

    entry: Entry
    what: str


def first_break(entries: Iterable[Entry]) -> Break | None:
    """Where the chain, from its first entry on, is broken; None when it is whole."""
    previous = START
    for number, entry in enumerate(entries, 1):
        if what := _broken(entry, number, previous):
            return Break(entry, what)
        previous = entry.hash
    return None


def broken_at(entries: Iterable[Entry]) -> int | None:
    """The id of the first entry, in order, that does not follow from the one before; None when
    the chain is whole."""
    found = first_break(entries)
    return found.entry.id if found else None


def _broken(entry: Entry, number: int, previous: str) -> str:
    """What is wrong with the entry that should be this number; empty where nothing is."""
    if entry.id > number:
        last = entry.id - 1
        gone = f"entry {number} was" if last == number else f"entries {number} to {last} were"
        return f"{gone} removed before it"
    if entry.id < number:
        return f"its number should be {number}: it was put in or moved"
    if entry.previous != previous:
        return "it follows another entry than the one before it: that one was put in or rewritten"
    content = (entry.wall_ns, entry.who, entry.action, entry.detail)
    if link(previous, number, *content).hash != entry.hash:
        return "its time, name, action or detail was changed: they do not give its hash"
    return ""
