"""Something that happened at the station, as it leaves: alarms, and changes of what is made.

Promises: `(device, stream, seq)` is unique; codes and services that are not on this program's own
lists leave as `other`.
Never: a text, a person, or a picture.
"""

from collections.abc import Collection
from typing import Literal

from inspector.core.clock import SECOND
from inspector.core.terms import Severity
from inspector.domain.alarms import CODES
from inspector.domain.egress.words import (
    OTHER,
    Closed,
    Count,
    DeviceId,
    Hex32,
    Instant,
    Lot,
    ModelId,
    NameOrNone,
    RecipeName,
    rfc3339,
    safe_lot,
    safe_model,
    safe_recipe,
    safe_service,
)
from inspector.domain.notice import Notice, What


class Event(Closed, frozen=True, kw_only=True):
    """One happening. For an alarm `code`, `service` and `severity` say which; for a change,
    `recipe`, `lot`, `model` and `mode` say what holds from then on."""

    schema: Literal[1]
    device: DeviceId
    stream: Hex32
    seq: Count  # from 1, without gaps within the stream; counts events only
    at: Instant
    event: What
    code: NameOrNone
    service: NameOrNone
    severity: Severity
    recipe: RecipeName
    lot: Lot
    model: ModelId
    mode: Literal["", "inspect", "paused", "challenge"]


def event_of(device: str, notice: Notice, captures: Collection[str] = ()) -> Event:
    """The event that leaves for one committed notice. `captures`: as for `safe_service`."""
    return Event(
        schema=1,
        device=device,
        stream=notice.ledger,
        seq=notice.id,
        at=rfc3339(max(0, notice.wall_ns) // SECOND),
        event=notice.what,
        code=notice.code if notice.code in ("", *CODES) else OTHER,
        service=safe_service(notice.service, captures) if notice.service else "",
        severity=notice.severity,
        recipe=safe_recipe(notice.recipe),
        lot=safe_lot(notice.lot),
        model=safe_model(notice.model),
        mode=notice.mode,
    )
