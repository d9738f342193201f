"""Releases on disk: which runs, and the units that systemd reads."""

import json
import os
import stat
from pathlib import Path

import pytest

from inspector.core.errors import MaintainerError
from inspector.devices.releases import Releases
from inspector.domain.upgrade import Notes, Refused, Step, Upgrade


def release(releases: Releases, name: str, **units: str) -> None:
    folder = releases.folder(name)
    (folder / "units" / "inspector-.service.d").mkdir(parents=True)
    (folder / "release.json").write_text(json.dumps({"version": name, "build": "x"}))
    for unit, text in {"inspector-upgrade.service": f"upgrade of {name}", **units}.items():
        (folder / "units" / unit).write_text(text)


@pytest.fixture
def releases(root: Path) -> Releases:
    (root / "system").mkdir()
    made = Releases(root / "opt", root / "system")
    release(made, "1.0", **{"inspector-gate.service": "old", "inspector-.service.d/a.conf": "a"})
    release(made, "2.0", **{"inspector-gate.service": "new", "inspector-hot.timer": "timer"})
    for link in ("current", "proven"):
        made.point(link, "1.0")
    return made


def there(root: Path) -> dict[str, str]:
    system = root / "system"
    files = (path for path in system.rglob("*") if path.is_file())
    return {str(path.relative_to(system)): path.read_text() for path in files}


def test_units_are_those_of_the_release_that_runs(releases: Releases, root: Path) -> None:
    (root / "system" / "ssh.service").write_text("another's")
    releases.place_units()
    expected = {
        "inspector-gate.service": "old",
        "inspector-.service.d/a.conf": "a",
        "inspector-upgrade.service": "upgrade of 1.0",
        "ssh.service": "another's",
    }
    assert there(root) == expected
    releases.point("current", "2.0")
    releases.place_units()
    releases.point("current", "1.0")
    releases.place_units()
    assert there(root) == expected


def test_release_on_trial_does_not_bring_the_units_that_judge_it(
    releases: Releases, root: Path
) -> None:
    releases.point("current", "2.0")
    releases.place_units()
    assert there(root) == {
        "inspector-gate.service": "new",
        "inspector-hot.timer": "timer",
        "inspector-upgrade.service": "upgrade of 1.0",
    }


def test_link_names_whole_releases_only(releases: Releases) -> None:
    with pytest.raises(MaintainerError, match="is no release"):
        releases.point("current", "3.0")
    assert releases.named("current") == "1.0"
    assert releases.named("previous") is None


def test_releases_that_no_link_names_go(releases: Releases) -> None:
    release(releases, "0.9")
    releases.point("previous", "2.0")
    releases.remove_others()
    assert sorted(path.name for path in (releases.base / "releases").iterdir()) == ["1.0", "2.0"]


def test_how_far_an_upgrade_is_outlasts_the_process_and_may_be_read_by_all(
    releases: Releases,
) -> None:
    upgrade = Upgrade(step=Step.TRIAL, old="1.0", new="2.0", since_ns=5, ready=("a",))
    notes = Notes(refused=(Refused(release="2.0", why="it fell", wall_ns=7),))
    before = os.umask(0o077)
    try:
        releases.write(upgrade)
        releases.note(notes)
    finally:
        os.umask(before)
    again = Releases(releases.base)
    assert (again.upgrade(), again.notes()) == (upgrade, notes)
    assert again.notes().refusal("2.0") == notes.refused[0]
    files = [releases.base / name for name in ("upgrade.json", "notes.json")]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}
    releases.end()
    assert again.upgrade() is None


def test_note_that_is_damaged_is_named(releases: Releases) -> None:
    (releases.base / "notes.json").write_text("{")
    with pytest.raises(MaintainerError, match=r"notes\.json: cannot be read"):
        releases.notes()


def test_everybody_may_read_the_units_whatever_the_umask(releases: Releases, root: Path) -> None:
    before = os.umask(0o027)
    try:
        releases.place_units()
    finally:
        os.umask(before)
    folder = root / "system" / "inspector-.service.d"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "a.conf").stat().st_mode) == 0o644
