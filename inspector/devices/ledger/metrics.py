"""The last ten minutes of the station in figures, a row a second.

Promises: never more than RING_S rows, whatever the clock does.
Never: holds up what it is committed with: it is one small row.
"""

import sqlite3
from collections.abc import Iterable

import msgspec

from inspector.core.metrics import RING_S, Sample

ADD = """INSERT INTO metric (number, wall_ns, data)
VALUES ((SELECT coalesce(max(number), 0) + 1 FROM metric), ?, ?)"""
TRIM = f"DELETE FROM metric WHERE number <= (SELECT max(number) FROM metric) - {RING_S}"
SINCE = "SELECT data FROM metric WHERE wall_ns >= ? ORDER BY number"

_decode = msgspec.json.Decoder(Sample).decode
_encode = msgspec.json.Encoder().encode


def add_samples(db: sqlite3.Connection, samples: Iterable[Sample]) -> None:
    """Within a transaction: the newest, oldest first; the oldest of all go."""
    values = [(one.wall_ns, _encode(one).decode()) for one in samples]
    if values:
        db.executemany(ADD, values)
        db.execute(TRIM)


def sample_of(data: str) -> Sample | None:
    """The sample in a row of SINCE; None for one of another version of this program."""
    try:
        return _decode(data)
    except msgspec.MsgspecError:
        return None
