"""A notice: something that happened and that the plant is to hear of, as committed.

Promises: alarms that begin, end or are acknowledged, and changes of recipe, lot, model or mode are
each one notice; a change of what is made is seen in the outcomes as they are committed.
Never: holds a text: a notice may leave the station.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from inspector.core.terms import Severity


class What(StrEnum):
    """What happened."""

    ALARM_RAISED = "alarm_raised"
    ALARM_ENDED = "alarm_ended"
    ALARM_ACKNOWLEDGED = "alarm_acknowledged"
    MAKING_CHANGED = "making_changed"  # recipe, lot or model, from one part to the next
    MODE_CHANGED = "mode_changed"  # paused, resumed, challenge


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice of one ledger. `id` counts them, from 1, without gaps."""

    ledger: str
    id: int
    wall_ns: int
    what: What
    code: str = ""
    service: str = ""
    severity: Severity = Severity.INFO
    recipe: str = ""
    lot: str = ""
    model: str = ""
    mode: Literal["", "inspect", "paused", "challenge"] = ""
