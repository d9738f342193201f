"""The state of a line that runs well and has made nothing yet, for tests to change.

Promises: whole, as record tells it.
Never: follows a real line.
"""

from typing import Any

from inspector.core.live import LATENCY_MS, LineState, Live, Tally
from inspector.core.terms import Kind, Mode

from .outcomes import WALL

NOTHING = Tally(since_wall_ns=0, counts={}, first_pass=0, rejected=0, paused=0)


def line_state(**changes: Any) -> Live:
    """The state of a line that runs well and has made nothing yet."""
    fields: dict[str, Any] = {
        "sent_ns": 0,
        "wall_ns": WALL,
        "state": LineState.RUNNING,
        "why": "",
        "mode": Mode.INSPECT,
        "recipe": "plain",
        "lot": "L1",
        "coming": "",
        "counts": dict.fromkeys(Kind, 0),
        "causes": {},
        "latency": (0,) * (len(LATENCY_MS) + 1),
        "latency_sum_us": 0,
        "committed": 0,
        "services": (),
        "last": None,
        "recent": (),
        "alarms": (),
        "shift": NOTHING,
        "lot_tally": NOTHING,
        "per_minute": 0.0,
        "to_review": 0,
        "drift": None,
        "challenge": None,
        "workshop": None,
        "pixel_bytes": 0,
        "departed": 0,
        "departed_bytes": 0,
    }
    return Live(**(fields | changes))
