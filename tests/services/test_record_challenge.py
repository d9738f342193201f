"""The test with golden parts in a real record, with the outcomes that a gate would send."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.outcomes import outcome, stream
from support.recording import Station, live, prepare, running, until
from support.stations import write_recipe

from inspector.core.config import load_station
from inspector.core.current import Current, read_current
from inspector.core.live import Live
from inspector.core.orders import (
    AbandonChallenge,
    BeginChallenge,
    Pause,
    PresentGolden,
    Reply,
    SetRecipe,
)
from inspector.core.paths import Paths
from inspector.core.terms import Cause, Kind, Mode
from inspector.devices.ledger import RecordedChallenge
from inspector.domain.challenge import LOT

PARTS = [{"name": "good-1", "expect": "pass"}, {"name": "dent-1", "expect": "fail"}]
RUN = stream()


@pytest.fixture
def paths(root: Path) -> Paths:
    made = prepare(root)
    with_golden_parts(made)
    return made


@pytest.fixture
def station(paths: Paths) -> Iterator[Station]:
    with running(paths) as started:
        yield started


def with_golden_parts(paths: Paths, **changes: Any) -> None:
    write_recipe(paths, "plain", challenge={"parts": PARTS, **changes})


def current(station: Station) -> Current:
    return read_current(station.paths.current, load_station(station.paths.station_file).line)


def mode(station: Station) -> Mode:
    return current(station).mode


def begin(station: Station) -> Reply:
    reply = station.order(BeginChallenge())
    assert reply.ok, reply.text
    return reply


def part(station: Station, seq: int, kind: Kind, **changes: Any) -> None:
    """A part of the line, judged and recorded."""
    said = {"lot": LOT, "stream": RUN, "trigger_wall_ns": time.time_ns()} | changes
    station.settle(outcome(seq, kind, **said))


def show(station: Station, step: int, kind: Kind, **changes: Any) -> None:
    """The golden part of this step is presented, and comes."""
    reply = station.order(PresentGolden(step=step))
    assert reply.ok, reply.text
    part(station, step, kind, **changes)


def last(station: Station) -> RecordedChallenge:
    return station.reader.challenges(1)[0]


def ended(station: Station) -> RecordedChallenge:
    until(lambda: last(station).result)
    return last(station)


def shown(station: Station, *, alarm: str) -> Live:
    """The state of the line once this alarm stands in it."""

    def state() -> Live | None:
        newest = live(station)
        return newest if alarm in {one.code for one in newest.alarms} else None

    found = until(state)
    assert isinstance(found, Live)
    return found


def test_golden_parts_that_are_judged_right_pass_the_challenge(station: Station) -> None:
    reply = begin(station)
    assert "show golden part 'good-1' (1 of 2)" in reply.text
    assert mode(station) is Mode.CHALLENGE
    assert last(station).result == ""
    show(station, 1, Kind.PASS)
    until(lambda: len(last(station).steps) == 1)  # as it happens
    show(station, 2, Kind.REVIEW)
    test = ended(station)
    assert (test.result, test.who, test.model) == ("passed", "anna", "tiny@0123456789ab")
    assert [(step.part, step.kind, step.ok, step.seq) for step in test.steps] == [
        ("good-1", Kind.PASS, True, 1),
        ("dent-1", Kind.REVIEW, True, 2),
    ]
    until(lambda: mode(station) is Mode.INSPECT)
    state = live(station).challenge
    assert state
    assert (state.step, state.last_result, state.overdue) == (0, "passed", False)
    assert [step.ok for step in state.steps] == [True, True]
    assert live(station).to_review == 0


def test_screen_follows_the_challenge_step_by_step(station: Station) -> None:
    part(station, 0, Kind.PASS, lot="L1")
    before = until(lambda: live(station).challenge)
    assert (before.step, before.last_result, before.due_wall_ns) == (0, "", 0)
    assert [(step.number, step.part, step.expected, step.kind) for step in before.steps] == [
        (1, "good-1", "pass", None),
        (2, "dent-1", "fail", None),
    ]
    begin(station)
    until(lambda: live(station).challenge.step == 1)
    assert live(station).mode is Mode.CHALLENGE
    station.order(PresentGolden(step=1))
    until(lambda: live(station).challenge.waiting)
    part(station, 1, Kind.PASS)
    until(lambda: live(station).challenge.step == 2)
    state = live(station).challenge
    assert state
    assert (state.waiting, state.steps[0].ok, state.steps[1].ok) == (False, True, None)


def test_escaped_golden_part_fails_the_challenge(station: Station) -> None:
    begin(station)
    show(station, 1, Kind.PASS)
    show(station, 2, Kind.PASS)
    assert ended(station).result == "failed"
    state = shown(station, alarm="challenge_failed")
    (alarm,) = (one for one in state.alarms if one.code == "challenge_failed")
    assert alarm.text == "recipe plain: golden part 'dent-1' was passed"
    assert mode(station) is Mode.INSPECT  # as its recipe says


def test_challenge_passed_ends_the_alarm_of_one_that_failed(station: Station) -> None:
    begin(station)
    show(station, 1, Kind.FAIL)
    show(station, 2, Kind.FAIL)
    shown(station, alarm="challenge_failed")
    until(lambda: mode(station) is Mode.INSPECT)
    begin(station)
    part(station, 3, Kind.FAIL)
    station.order(PresentGolden(step=1))
    part(station, 4, Kind.PASS)
    station.order(PresentGolden(step=2))
    part(station, 5, Kind.FAIL)
    until(lambda: last(station).result == "passed")
    until(lambda: not [one for one in live(station).alarms if one.active])


def test_fault_of_a_golden_part_fails_its_step(station: Station) -> None:
    begin(station)
    show(station, 1, Kind.PASS)
    show(station, 2, Kind.FAULT, cause=Cause.CAMERA)
    test = ended(station)
    assert (test.result, test.steps[1].kind, test.steps[1].ok) == ("failed", Kind.FAULT, False)


def test_other_parts_are_not_taken_for_the_golden_one(station: Station) -> None:
    begin(station)
    part(station, 1, Kind.FAIL)  # nobody presented it
    station.order(PresentGolden(step=1))
    part(station, 2, Kind.FAIL, lot="L1")
    part(station, 3, Kind.FAULT, cause=Cause.PAUSED)
    part(station, 4, Kind.FAIL, trigger_wall_ns=time.time_ns() - 60 * 10**9)
    part(station, 5, Kind.PASS)
    until(lambda: last(station).steps)
    assert [(step.seq, step.ok) for step in last(station).steps] == [(5, True)]


def test_failed_challenge_stops_the_line_where_the_recipe_says_so(station: Station) -> None:
    with_golden_parts(station.paths, on_failure="stop")
    begin(station)
    show(station, 1, Kind.FAIL)
    show(station, 2, Kind.FAIL)
    assert ended(station).result == "failed"
    until(lambda: mode(station) is Mode.PAUSED)
    assert shown(station, alarm="challenge_failed").mode is Mode.PAUSED


def test_line_that_a_failed_challenge_stopped_stays_so_over_a_restart(station: Station) -> None:
    with_golden_parts(station.paths, on_failure="stop")
    begin(station)
    show(station, 1, Kind.FAIL)
    show(station, 2, Kind.FAIL)
    until(lambda: mode(station) is Mode.PAUSED)
    station.kill()
    station.start()
    shown(station, alarm="challenge_failed")
    assert mode(station) is Mode.PAUSED


def test_record_killed_in_a_challenge_abandons_it(station: Station) -> None:
    begin(station)
    show(station, 1, Kind.PASS)
    until(lambda: last(station).steps)
    station.kill()
    assert mode(station) is Mode.CHALLENGE
    station.start()
    test = ended(station)
    assert (test.result, len(test.steps)) == ("abandoned", 1)
    assert test.ended_wall_ns >= test.begun_wall_ns
    until(lambda: mode(station) is Mode.INSPECT)
    refused = station.order(PresentGolden(step=2))
    assert not refused.ok
    assert "no test with golden parts is under way" in refused.text


def test_record_killed_after_a_failed_step_does_not_wipe_the_failure(station: Station) -> None:
    begin(station)
    show(station, 1, Kind.FAIL)
    until(lambda: last(station).steps)
    station.kill()
    station.start()
    assert ended(station).result == "failed"
    shown(station, alarm="challenge_failed")


def test_challenge_gives_a_pause_back(station: Station) -> None:
    assert station.order(Pause()).ok
    begin(station)
    assert mode(station) is Mode.CHALLENGE
    reply = station.order(AbandonChallenge(), reason="no time")
    assert reply.ok
    assert "abandoned" in reply.text
    assert mode(station) is Mode.PAUSED
    station.order(BeginChallenge())
    station.kill()
    station.start()
    until(lambda: mode(station) is Mode.PAUSED)
    assert [one.result for one in station.reader.challenges(5)] == ["abandoned", "abandoned"]


def test_recipe_without_golden_parts_has_no_challenge(station: Station) -> None:
    write_recipe(station.paths, "plain")
    reply = station.order(BeginChallenge())
    assert not reply.ok
    assert reply.text.endswith("plain.toml: names no golden parts to test with; add [challenge]")
    assert mode(station) is Mode.INSPECT
    until(lambda: live(station).challenge is None)


def test_step_out_of_turn_and_second_begin_are_refused(station: Station) -> None:
    assert not station.order(AbandonChallenge()).ok
    begin(station)
    assert "step 1 is on" in station.order(PresentGolden(step=2)).text
    assert "a test is under way at step 1" in station.order(BeginChallenge()).text


def test_recipe_and_lot_stay_as_they_are_during_a_challenge(station: Station) -> None:
    begin(station)
    assert not station.order(SetRecipe(recipe="plain", lot="L2")).ok
    assert not station.order(Pause()).ok
    assert (current(station).lot, mode(station), last(station).result) == (
        "L1",
        Mode.CHALLENGE,
        "",
    )
