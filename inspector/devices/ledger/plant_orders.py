"""Identifiers of the plant's orders, so that none is carried out twice, over restarts too.

Promises: an identifier is taken once; it is kept for longer than any order may be old.
Never: says whether an order may be carried out.
"""

import sqlite3

from inspector.core.clock import SECOND

KEPT_NS = 24 * 3600 * SECOND  # an order expires within an hour

TAKE = "INSERT INTO plant_order (id, wall_ns) VALUES (?, ?) ON CONFLICT (id) DO NOTHING"
PRUNE = "DELETE FROM plant_order WHERE wall_ns < ?"


def take_id(db: sqlite3.Connection, id: str, wall_ns: int) -> bool:
    """Within a transaction. False when it has been used."""
    db.execute(PRUNE, (wall_ns - KEPT_NS,))
    return db.execute(TAKE, (id, wall_ns)).rowcount == 1
