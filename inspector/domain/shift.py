"""Which shift a time lies in.

Promises: a shift begins at its time of the day by the plant's own clock, in summer and winter
alike; a time that the clock shows twice begins one shift, at the first; one that it leaves out
begins it as much later as it is put forward.
Never: asks where the plant is; the time zone is an argument.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

from inspector.core.clock import SECOND

DAYS = 2  # looked back: a day may be left out where a country changes sides of the date line


def shift_start(wall_ns: int, shifts: Sequence[str], zone: tzinfo) -> int:
    """When the shift of `wall_ns` began: the last begin at or before it, wall clock in ns.

    `shifts`: times of the day, "06:00".
    """
    second = wall_ns // SECOND
    today = datetime.fromtimestamp(second, UTC).astimezone(zone).date()
    days = [today + timedelta(days=1 - back) for back in range(DAYS + 2)]
    begins = [
        int(datetime.combine(day, time.fromisoformat(shift), zone).timestamp())
        for day in days
        for shift in shifts
    ]
    return max(begin for begin in begins if begin <= second) * SECOND
