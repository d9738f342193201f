"""people.toml changes whole, one change after another, and is read by whom it is for."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.people import hashed_pin

from inspector.core.errors import MaintainerError
from inspector.core.people import Listed, change_people, load_people


def one(name: str) -> Listed:
    return Listed(name=name, role="operator", pin=hashed_pin("4711"))


def test_nobody_is_listed_without_a_file(tmp_path: Path) -> None:
    assert load_people(tmp_path / "people.toml") == ()


def test_changes_at_once_come_one_after_another(tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    with ThreadPoolExecutor(4) as threads:
        for name in map(str, range(20)):
            threads.submit(change_people, path, lambda people, name=name: (*people, one(name)))
    assert {person.name for person in load_people(path)} == set(map(str, range(20)))


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'a "b" = [c]', "王芳", "a\\b"])
def test_any_name_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    path = tmp_path / "people.toml"
    change_people(path, lambda _: (one(name),))
    assert load_people(path) == (one(name),)


def test_change_that_fails_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    change_people(path, lambda _: (one("anna"),))
    before = path.read_bytes()
    (tmp_path / ".people.toml.new").mkdir()
    with pytest.raises(MaintainerError, match=r"people\.toml: cannot be written"):
        change_people(path, lambda people: (*people, one("otto")))
    assert path.read_bytes() == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a file to any group")
def test_group_of_the_station_may_read_it_and_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    change_people(path, lambda _: (one("anna"),), group=4242)
    assert path.stat().st_gid == 4242
    change_people(path, lambda people: people, group=1)
    assert (path.stat().st_gid, path.stat().st_mode & 0o777) == (4242, 0o640)
