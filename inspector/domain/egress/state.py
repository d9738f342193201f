"""The station's state as it leaves, retained at the broker: birth, will and what is in between.

Promises: codes and services that are not on this program's own lists leave as `other`; at most
MOST_ALARMS alarms.
Never: the text of an alarm, which may name files, people or parts.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal, get_args

from msgspec import Meta

from inspector.core.clock import SECOND
from inspector.core.live import LineState, LineStatus
from inspector.core.terms import Mode, Severity
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
    Name,
    Online,
    RecipeName,
    Version,
    rfc3339,
    safe_lot,
    safe_model,
    safe_recipe,
    safe_service,
)
from inspector.domain.linestate import WHY

MOST_ALARMS = 10
MOST_SERVICES = 32
Health = Literal["starting", "running", "degraded", "silent", "off", "stopping", "ended", "other"]


class StandingAlarm(Closed, frozen=True, kw_only=True):
    """An alarm that somebody should care for."""

    code: Name
    service: Name
    severity: Severity
    since: Instant
    acknowledged: bool


class Outgoing(Closed, frozen=True, kw_only=True):
    """What waits to be delivered."""

    waiting: Count  # totals rows
    set_aside: Count  # rows that could not leave, since publish started
    events: Count  # that wait


class State(Closed, frozen=True, kw_only=True):
    """What the station is doing. With `online` other than `online`, only the first fields say
    something; the others are as they were."""

    schema: Literal[1]
    device: DeviceId
    run: Hex32  # of the process that sends; a will belongs to the birth of the same run
    online: Online
    at: Instant  # by the station's clock; of a will, when its run began
    stream: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")]  # of the totals
    line: LineState | None
    why: Name
    mode: Mode | None
    recipe: RecipeName
    lot: Lot
    model: ModelId
    services: dict[Name, Health]
    alarms: Annotated[tuple[StandingAlarm, ...], Meta(max_length=MOST_ALARMS)]
    outgoing: Outgoing
    versions: dict[Name, Version]


def state_of(
    device: str,
    run: str,
    online: Online,
    wall_ns: int,
    status: LineStatus | None,
    outgoing: Outgoing,
    versions: Mapping[str, str],
    stream: str = "",
    captures: Collection[str] = (),
) -> State:
    """The state that leaves; `status` None: record has said nothing yet. `captures`: as for
    `safe_service`."""
    return State(
        schema=1,
        device=device,
        run=run,
        online=online,
        at=rfc3339(max(0, wall_ns) // SECOND),
        stream=stream,
        line=status.state if status else None,
        why=_listed(status.why, WHY) if status else "starting",
        mode=status.mode if status else None,
        recipe=safe_recipe(status.recipe) if status else "",
        lot=safe_lot(status.lot) if status else "",
        model=safe_model(status.model) if status else "",
        services=dict(list(_services(status, captures).items())[:MOST_SERVICES]) if status else {},
        alarms=_alarms(status, captures) if status else (),
        outgoing=outgoing,
        versions=dict(versions),
    )


def _services(status: LineStatus, captures: Collection[str]) -> dict[str, Health]:
    known = get_args(Health)
    return {
        safe_service(one.service, captures): one.state if one.state in known else "other"  # type: ignore[misc]
        for one in status.services
    }


def _alarms(status: LineStatus, captures: Collection[str]) -> tuple[StandingAlarm, ...]:
    return tuple(
        StandingAlarm(
            code=_listed(one.code, CODES),
            service=safe_service(one.service, captures),
            severity=one.severity,
            since=rfc3339(max(0, one.raised_wall_ns) // SECOND),
            acknowledged=one.acknowledged,
        )
        for one in status.alarms[:MOST_ALARMS]
    )


def _listed(code: str, codes: tuple[str, ...]) -> str:
    return code if code in codes else OTHER
