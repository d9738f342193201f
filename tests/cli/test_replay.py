"""Replay: kept images give the recorded outcomes again, or the change is named."""

import json
from pathlib import Path

import pytest
from support.commands import inspector, refusals
from support.line import running
from support.stations import make_station, write_recipe

pytestmark = pytest.mark.line

EVERY_PART = {"evidence": {"image": "png", "pass_one_in": 1}}


def test_lossless_replay_is_identical(root: Path) -> None:
    paths = make_station(root, EVERY_PART)
    with running(paths, committed=40) as line:
        assert line.stop() == 0
    done = inspector("replay", "--root", root, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["lossless"] is True
    assert told["replayed"] == told["same"] >= 40 - sum(told["left_out"].values())
    assert told["largest_score_difference"] == 0.0


def test_other_limits_show_as_changes(root: Path) -> None:
    paths = make_station(root, EVERY_PART)
    with running(paths, committed=30) as line:
        assert line.stop() == 0
    write_recipe(paths, "plain", limits={"review": 0.001, "fail": 0.002})
    done = inspector("replay", "--root", root, "--json")
    assert done.returncode == 1
    changed = json.loads(done.stdout)["changed"]
    assert changed
    assert {(change["recorded"], change["replayed"]) for change in changed} == {("pass", "fail")}


def test_without_images_it_says_what_to_set(root: Path) -> None:
    paths = make_station(root, {"evidence": {"image": "none"}})
    with running(paths, committed=5) as line:
        assert line.stop() == 0
    done = inspector("replay", "--root", root)
    assert done.returncode == 65
    assert "evidence.pass_one_in = 1" in refusals(done)[0]
