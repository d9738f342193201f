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
from inspector.core.metrics import Sample
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
OLD_NS = 30 * SECOND  # a sample that is older says nothing of now
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


class Box(Closed, frozen=True, kw_only=True):
    """How the box is; null is what cannot be learned."""

    disk_free_mb: Count | None  # on the disk of the records
    images_free_mb: Count | None  # on the disk of the images
    memory_mb: Count | None  # that the station's processes hold
    load: Annotated[float, Meta(ge=0, le=65_536)] | None  # of the last minute
    temperature_c: Annotated[float, Meta(ge=-273, le=999)] | None  # of the hottest sensor
    restarts: Count  # of the station's processes, unasked for, since its start
    backup_age_h: Count | None
    clock_ahead_s: Annotated[
        float, Meta(ge=0, le=10**12)
    ]  # of its time, before the box's own clock


class State(Closed, frozen=True, kw_only=True, omit_defaults=True):
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
    box: Box | None = None  # left out where nothing is known of it now
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
    box: Box | None = None,
) -> State:
    """The state that leaves; `status` None: record has said nothing yet. `captures`: as for
    `safe_service`. `box`: None where nothing is known of it now."""
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
        box=box,
        versions=dict(versions),
    )


def box_of(sample: Sample, backup_ns: int | None, wall_ns: int) -> Box | None:
    """The box as record saw it; None where that is no longer how it is. `backup_ns`: when the
    last backup was made, None where there is none; all times by the wall clock that counts."""
    if abs(wall_ns - sample.wall_ns) > OLD_NS:
        return None
    held = [one.rss_mb for one in sample.services if one.rss_mb is not None]
    age_h = None if backup_ns is None else max(0, wall_ns - backup_ns) // (3600 * SECOND)
    return Box(
        disk_free_mb=_whole(sample.state_free_mb),
        images_free_mb=_whole(sample.evidence_free_mb),
        memory_mb=_whole(sum(held) if held else None),
        load=_within(sample.load, 0, 65_536),
        temperature_c=_within(sample.temperature_c, -273, 999),
        restarts=_whole(sum(one.restarts for one in sample.services)) or 0,
        backup_age_h=_whole(age_h),
        clock_ahead_s=_within(sample.clock_ahead_s, 0, 10**12) or 0.0,
    )


def _whole(number: float | None) -> int | None:
    """The number as it may leave; one that no box has is none."""
    known = _within(number, 0, 2**53 - 1)
    return None if known is None else int(known)


def _within(number: float | None, least: float, most: float) -> float | None:
    return round(number, 3) if number is not None and least <= number <= most else None


def _services(status: LineStatus, captures: Collection[str]) -> dict[str, Health]:
    known = get_args(Health)
    return {
        # The check of membership is what makes it a Health, which mypy cannot follow.
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
