"""By which clock a shift begins."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from inspector.devices.localtime import local_zone

SUMMER = datetime(2025, 7, 1, 12, tzinfo=UTC)


def test_zone_of_the_environment_goes_first() -> None:
    zone = local_zone({"TZ": ":Europe/Berlin"})
    assert SUMMER.astimezone(zone).hour == 14


def test_zone_of_the_box_knows_summer_and_winter() -> None:
    files = [Path(folder) / "Europe/Berlin" for folder in TZPATH]
    file = next((one for one in files if one.exists()), None)
    if file is None:
        pytest.skip("no zone files on this box")
    zone = local_zone({}, file)
    assert SUMMER.astimezone(zone).hour == 14
    assert SUMMER.replace(month=1).astimezone(zone).hour == 13


@pytest.mark.parametrize("name", ["", "No/Where", "../x"])
def test_unknown_zone_is_utc(name: str, tmp_path: Path) -> None:
    assert local_zone({"TZ": name}, tmp_path / "none") is UTC
    assert ZoneInfo("UTC").utcoffset(SUMMER) == UTC.utcoffset(SUMMER)
