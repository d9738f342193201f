"""Which images are kept, under which name, and which go first when room is short.

Promises: the image of every part that did not pass is kept if there is one, and every Nth pass;
the same part always gets the same answer and the same name; passes make room before all else.
Never: touches a disk, or lets a name lead out of the evidence folder.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from inspector.core.clock import SECOND
from inspector.core.messages import Outcome
from inspector.core.terms import Kind

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def keeps(kind: Kind, seq: int, has_frame: bool, pass_one_in: int) -> bool:
    """True when the part's image is to be kept. `pass_one_in`: 1 every pass, 0 no pass."""
    if not has_frame:
        return False
    if kind is not Kind.PASS:
        return True
    return pass_one_in > 0 and seq % pass_one_in == 0


def keeps_outcome(outcome: Outcome, pass_one_in: int) -> bool:
    """`keeps`, for an outcome whose frame lies in a ring."""
    in_ring = outcome.frame is not None and outcome.frame.slot >= 0
    return keeps(outcome.kind, outcome.seq, in_ring, pass_one_in)


def keeps_detail(outcome: Outcome, pass_one_in: int) -> bool:
    """True when the part's heatmap and boxes are recorded with it."""
    if outcome.heatmap is None and not outcome.boxes:
        return False
    return outcome.kind is not Kind.PASS or keeps_outcome(outcome, pass_one_in)


def evidence_name(trigger_wall_ns: int, stream: str, seq: int, kind: Kind, extension: str) -> str:
    """The image's path below the evidence folder: `2025-01-31/STREAM-000000042-fail.jpg`."""
    day = datetime.fromtimestamp(trigger_wall_ns // SECOND, UTC).strftime("%Y-%m-%d")
    return f"{day}/{_UNSAFE.sub('_', stream)}-{seq:09d}-{kind.value}.{extension}"


def picture_name(stream: str, seq: int) -> str:
    """A collected picture's file name: `STREAM-000000042.png`."""
    return f"{_UNSAFE.sub('_', stream)}-{seq:09d}.png"


def is_pass(name: str) -> bool:
    """True when the file name is that of a passed part's image."""
    return name.rpartition(".")[0].endswith(f"-{Kind.PASS.value}")


def excess(used: int, free: int, quota: int, keep_free: int) -> int:
    """Bytes to delete before more may be written; 0 when there is room.

    A fiftieth of the quota more than strictly needed, so that folders are read rarely.
    """
    over = max(used - quota, keep_free - free)
    return over + quota // 50 if over > 0 else 0


def next_to_go(days: Iterable[tuple[str, int, int]]) -> tuple[str, bool] | None:
    """The day to thin out next and whether its passes go (True) or all else (False).

    `days`: (day, bytes of passes, bytes of all else), in any order. None when nothing is left.
    """
    held = sorted(days)
    for day, passes, _ in held:
        if passes:
            return day, True
    for day, _, others in held:
        if others:
            return day, False
    return None
