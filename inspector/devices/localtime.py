"""The box's own time zone, with its summer time.

Promises: `TZ` where it is set, else what /etc/localtime says, else UTC.
Never: guesses from the network.
"""

import os
from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOCALTIME = Path("/etc/localtime")


def local_zone(environ: Mapping[str, str] = os.environ, file: Path = LOCALTIME) -> tzinfo:
    """The zone by which people at the line read the clock."""
    if name := environ.get("TZ", "").removeprefix(":"):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            return UTC
    try:
        with file.open("rb") as data:
            return ZoneInfo.from_file(data)
    except (OSError, ValueError):
        return UTC
