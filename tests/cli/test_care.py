"""How a station is looked after, as `status` and `doctor` tell it."""

import json
import time
from contextlib import closing
from pathlib import Path

import pytest
from support.commands import inspector
from support.outcomes import outcome

from inspector.cli.care import care_of, told
from inspector.cli.care_checks import care_checks, of_folders
from inspector.core.clock import SECOND
from inspector.core.folders import FOLDERS
from inspector.core.messages import Event
from inspector.core.paths import Paths, under
from inspector.core.terms import Severity
from inspector.devices.ledger import Ledger

HOUR = 3600 * SECOND


@pytest.fixture
def paths(root: Path) -> Paths:
    found = under(root)
    found.create()
    return found


def write(paths: Paths, wall_ns: int, code: str = "recipe_switched") -> None:
    said = Event(service="record", severity=Severity.INFO, code=code, text="to b7", wall_ns=wall_ns)
    with closing(Ledger(paths.ledger, 10, 0, wall_ns)) as ledger:
        ledger.commit([(outcome(1, trigger_wall_ns=wall_ns), False)], [said], (), wall_ns)


def states(paths: Paths) -> dict[str, str]:
    return {check.what: check.state for check in care_checks(paths)}


def test_clock_that_is_behind_what_is_recorded_is_told_of(paths: Paths) -> None:
    write(paths, time.time_ns() + HOUR)
    (check,) = [one for one in care_checks(paths) if one.what == "time"]
    assert check.state == "bad"
    assert check.remedy
    lines = dict(told(care_of(paths)))
    assert [good for line, good in lines.items() if "behind what is recorded" in line] == [False]


def test_clock_that_is_right_is_fine(paths: Paths) -> None:
    write(paths, time.time_ns() - HOUR)
    assert states(paths)["time"] == "ok"
    assert care_of(paths).clock_behind_s == 0


def test_age_of_the_last_backup_comes_from_the_ledger(paths: Paths) -> None:
    write(paths, time.time_ns() - 5 * HOUR, "backup_made")
    care = care_of(paths)
    assert care.backup_age_s is not None
    assert 5 * 3600 <= care.backup_age_s < 6 * 3600
    assert care.backup == "to b7"
    assert ("last backup: 5 h ago", True) in list(told(care))


def test_backup_that_is_old_or_was_never_made_stands_out(paths: Paths) -> None:
    assert ("last backup: none was made yet", False) in list(told(care_of(paths)))
    write(paths, time.time_ns() - 80 * HOUR, "backup_made")
    assert ("last backup: 3 days ago", False) in list(told(care_of(paths)))


def test_station_without_a_ledger_has_no_time_to_be_behind(paths: Paths) -> None:
    assert states(paths) == {}


def test_folders_of_somebody_else_are_named_with_their_remedy(paths: Paths) -> None:
    """On a bench all belong to whoever made them."""
    (check,) = of_folders(paths)
    assert check.state == "bad"
    assert f"{paths.evidence}: belongs to " in check.text
    assert check.text.count("belongs to") == len(FOLDERS)
    assert "systemd-tmpfiles" in check.remedy


def test_status_tells_of_the_station_while_no_line_runs(paths: Paths) -> None:
    write(paths, time.time_ns() - 5 * HOUR, "backup_made")
    done = inspector("status", "--root", paths.config.parent, "--json")
    assert done.returncode == 78
    station = json.loads(done.stdout)["station"]
    assert station["version"]
    assert station["state_free_mb"] > 0
    assert station["backup_age_s"] >= 5 * 3600
    assert done.stderr.count("no line is running here") == 1
