"""The table of folders: who writes what, and who may see pixels."""

from pathlib import Path

import pytest

from inspector.core.config import load_station
from inspector.core.folders import FOLDERS, MEMBERS, Group, role, written_by
from inspector.core.topology import processes

CONFIGS = Path(__file__).parents[2] / "configs"
ROLES = {role(one.name) for one in processes(load_station(CONFIGS / "station.toml"))}


def test_every_process_is_in_the_stations_group_and_none_is_unknown() -> None:
    assert MEMBERS[Group.STATION] == ROLES
    for group in Group:
        assert MEMBERS[group] <= ROLES
    assert {one.owner for one in FOLDERS} == ROLES


def test_neither_publish_nor_gate_may_see_pixels() -> None:
    assert not MEMBERS[Group.FRAMES] & {"publish", "gate"}
    for folder in FOLDERS:
        if folder.name in ("evidence", "frames", "models"):
            assert folder.group is Group.FRAMES


@pytest.mark.parametrize("service", sorted(ROLES))
def test_every_process_writes_a_folder_of_its_own(service: str) -> None:
    assert any(one.base == "run" and one.owner == service for one in written_by(service))


def test_publish_and_screen_write_nothing_that_lasts() -> None:
    for service in ("publish", "ui"):
        assert {one.base for one in written_by(service)} == {"run"}
