"""The log of what leaves the station: every message word for word, written before it goes.

Promises: a message that is told twice is logged once, by the time it bears; reading follows the
order in which messages were logged; what is asked of the log is found through its index.
Never: shortens a payload, or holds one that has not been about to leave.
"""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from inspector.core.messages import Departed
from inspector.devices.ledger import rows
from inspector.devices.ledger.sums import Sums

ADD = """INSERT INTO departure (wall_ns, topic, payload, bytes)
SELECT :wall, :topic, :payload, :bytes
WHERE NOT EXISTS (SELECT 1 FROM departure INDEXED BY departure_by_time
    WHERE wall_ns = :wall AND topic = :topic AND payload = :payload)"""
LOGGED = """SELECT DISTINCT wall_ns FROM departure INDEXED BY departure_by_time
WHERE wall_ns IN (SELECT value FROM json_each(?))"""
# Of messages of an earlier program the bytes are those of the text.
PAGE = """SELECT id, wall_ns, topic, payload, coalesce(bytes, length(CAST(payload AS BLOB)))
FROM departure WHERE id < ? ORDER BY id DESC LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Departure:
    """One message that was about to leave. `id` counts them, from 1; `bytes` as it left."""

    id: int
    wall_ns: int
    topic: str
    payload: str
    bytes: int


def add_departures(db: sqlite3.Connection, departed: Sequence[Departed]) -> Sums:
    """Log what was not logged before; how many that were, and of how many bytes."""
    count = size = 0
    for message in departed:
        values = {
            "wall": message.wall_ns,
            "topic": message.topic,
            "payload": message.payload,
            "bytes": message.bytes,
        }
        if db.execute(ADD, values).rowcount:
            count, size = count + 1, size + message.bytes
    return Sums(departed=count, departed_bytes=size)


def logged_values(walls: Collection[int]) -> str:
    """The one value that LOGGED takes."""
    return rows.to_json(sorted(walls))
