"""A test with golden parts that is due, overdue or disturbed: record in this process, and a clock
that the test moves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.outcomes import outcome
from support.recording import prepare
from support.stations import write_recipe

from inspector.core.clock import MS, SECOND, ManualClock
from inspector.core.config import load_station
from inspector.core.current import read_current
from inspector.core.errors import InspectorError
from inspector.core.live import ChallengeState
from inspector.core.messages import SwitchRecipe
from inspector.core.paths import Paths
from inspector.core.terms import Kind, Mode
from inspector.devices.bus import Bus
from inspector.devices.ledger import CannotWrite, Ledger, LedgerReader, RecordedChallenge
from inspector.domain.challenge import LOT
from inspector.services.record.alarms import Alarms
from inspector.services.record.challenge import Challenges
from inspector.services.record.changeover import Changeover

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
PARTS = [{"name": "good-1", "expect": "pass"}, {"name": "dent-1", "expect": "fail"}]


class Bench:
    """The challenges of one station, with ledger, alarms and changeover as record has them."""

    def __init__(self, paths: Paths, bus: Bus, cameras: int = 1) -> None:
        self.paths, self.bus = paths, bus
        self.clock = ManualClock(mono=1)
        self.ledger = Ledger(paths.ledger, 60, 0, self.clock.wall)
        self.reader = LedgerReader(paths.ledger)
        self.alarms = Alarms()
        self.said: list[str] = []
        self.seq = 0
        self.shift = 0  # when the present one began
        self.cameras = cameras
        self.start()

    def start(self) -> None:
        """A record starts."""
        config = load_station(self.paths.station_file)
        outlet = self.bus.outlet(self.paths.socket("nobody"), 1)
        current = read_current(self.paths.current, config.line)
        self.changeover = Changeover(self.paths.current, current, outlet, outlet)
        self.challenges = Challenges(
            config,
            self.paths,
            self.changeover,
            self.alarms,
            self.clock,
            lambda wall: self.shift + (wall - self.shift) // (8 * HOUR) * 8 * HOUR,
            lambda severity, code, text: self.said.append(text),
        )
        self.turn()

    def rules(self, **changes: Any) -> None:
        write_recipe(self.paths, "plain", challenge={"parts": PARTS, **changes})
        self.turn()

    def turn(self) -> None:
        self.challenges.turn(self.ledger, self.clock.wall)

    def wait(self, ns: int) -> None:
        """So much later, with a turn at the end."""
        self.clock.advance_ms(ns / MS)
        self.turn()

    def show(self, step: int, kind: Kind, **changes: Any) -> None:
        self.challenges.present(self.ledger, step, "anna")
        self.part(kind, **changes)

    def part(self, kind: Kind, **changes: Any) -> None:
        self.clock.advance_ms(10)
        self.seq += 1
        said = {"lot": LOT, "trigger_wall_ns": self.clock.wall} | changes
        fresh = self.ledger.commit([(outcome(self.seq, kind, **said), False)])
        self.challenges.hear(fresh, self.ledger)

    def test(self, *kinds: Kind) -> str:
        """A whole test; its result."""
        self.challenges.begin(self.ledger, "anna")
        for step, kind in enumerate(kinds, 1):
            self.show(step, kind)
        self.turn()
        return self.last.result

    @property
    def last(self) -> RecordedChallenge:
        return self.reader.challenges(1)[0]

    @property
    def mode(self) -> Mode:
        return self.changeover.current.mode

    @property
    def state(self) -> ChallengeState:
        state = self.challenges.state()
        assert state
        return state

    def active(self) -> set[str]:
        return {alarm.code for alarm in self.alarms.shown() if alarm.active}


@pytest.fixture
def make(root: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []
    with Bus() as bus:

        def make(**changes: Any) -> Bench:
            paths = prepare(root, **changes)
            write_recipe(paths, "plain", challenge={"parts": PARTS})
            made.append(Bench(paths, bus))
            return made[-1]

        yield make
        for bench in made:
            bench.reader.close()
            bench.ledger.close()


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()


def test_overdue_challenge_raises_the_alarm_after_its_grace(bench: Bench) -> None:
    bench.rules(every_h=8.0)
    assert bench.test(Kind.PASS, Kind.FAIL) == "passed"
    ended = bench.last.ended_wall_ns
    assert bench.state.due_wall_ns == ended + 8 * HOUR
    bench.wait(8 * HOUR)
    assert not bench.state.overdue
    bench.wait(16 * MINUTE)
    assert bench.state.overdue
    assert bench.active() == {"challenge_overdue"}
    assert bench.mode is Mode.INSPECT
    assert bench.test(Kind.PASS, Kind.FAIL) == "passed"
    assert not bench.state.overdue
    assert bench.active() == set()


def test_overdue_challenge_stops_the_line_where_the_recipe_says_so(bench: Bench) -> None:
    bench.rules(every_h=8.0, on_overdue="stop")
    bench.wait(14 * MINUTE)
    assert bench.mode is Mode.INSPECT
    bench.wait(2 * MINUTE)
    assert bench.mode is Mode.PAUSED
    assert "is overdue" in bench.challenges.stops
    bench.changeover.set_mode(Mode.INSPECT)  # somebody resumes all the same
    bench.part(Kind.FAULT)
    assert bench.mode is Mode.PAUSED
    assert bench.test(Kind.PASS, Kind.REVIEW) == "passed"
    assert bench.challenges.stops == ""
    assert bench.mode is Mode.PAUSED  # a person resumes, not the test
    bench.changeover.set_mode(Mode.INSPECT)
    bench.wait(MINUTE)
    assert bench.mode is Mode.INSPECT


@pytest.mark.parametrize("tested", [False, True])
def test_restart_of_record_gives_an_overdue_challenge_no_new_grace(
    bench: Bench, tested: bool
) -> None:
    bench.rules(every_h=8.0, on_overdue="stop")
    if tested:
        bench.test(Kind.PASS, Kind.FAIL)
    bench.wait(9 * HOUR)
    assert bench.active() == {"challenge_overdue"}
    bench.start()
    assert bench.state.overdue
    assert (bench.active(), bench.mode) == ({"challenge_overdue"}, Mode.PAUSED)
    assert "is overdue" in bench.challenges.stops


def test_failed_challenge_lets_nothing_be_inspected_until_one_is_passed(bench: Bench) -> None:
    bench.rules(on_failure="stop")
    modes = record_modes(bench)
    assert bench.test(Kind.PASS, Kind.PASS) == "failed"
    assert modes == [Mode.CHALLENGE, Mode.PAUSED]  # and not for a moment in between
    bench.start()
    assert bench.mode is Mode.PAUSED
    assert "was failed" in bench.challenges.stops
    assert bench.test(Kind.PASS, Kind.FAIL) == "passed"
    assert bench.challenges.stops == ""


def record_modes(bench: Bench) -> list[Mode]:
    modes: list[Mode] = []
    change = bench.changeover.set_mode

    def noted(mode: Mode) -> None:
        modes.append(mode)
        change(mode)

    bench.changeover.set_mode = noted  # type: ignore[method-assign]
    return modes


def test_challenge_is_due_at_the_start_of_a_shift(bench: Bench) -> None:
    bench.shift = bench.clock.wall + 10 * MINUTE
    bench.rules(at_shift_start=True)
    assert bench.test(Kind.PASS, Kind.FAIL) == "passed"
    assert bench.state.due_wall_ns == bench.shift
    bench.wait(11 * MINUTE)
    assert (bench.state.due_wall_ns, bench.state.overdue) == (bench.shift, False)
    bench.wait(15 * MINUTE)
    assert bench.state.overdue
    bench.test(Kind.PASS, Kind.FAIL)
    assert bench.state.due_wall_ns == bench.shift + 8 * HOUR


def test_failed_challenge_counts_as_made_and_fails_again_as_a_new_alarm(bench: Bench) -> None:
    bench.rules(every_h=8.0)
    bench.test(Kind.FAIL, Kind.FAIL)
    assert bench.state.due_wall_ns > bench.clock.wall
    (first,) = bench.alarms.shown()
    bench.alarms.acknowledge(bench.ledger, first.id, "anna", bench.clock.wall)
    bench.test(Kind.PASS, Kind.FAULT)
    (again,) = bench.alarms.shown()
    assert (again.acknowledged_by, again.text) == (
        "",
        "recipe plain: golden part 'dent-1' was a fault",
    )


def test_abandoned_challenge_is_still_due(bench: Bench) -> None:
    bench.rules(every_h=8.0)
    due = bench.state.due_wall_ns
    bench.wait(MINUTE)
    bench.challenges.begin(bench.ledger, "anna")
    assert bench.challenges.abandon(bench.ledger, "bert", "") == "test of recipe plain: abandoned"
    assert bench.state.due_wall_ns == due
    assert (bench.state.last_result, bench.mode) == ("abandoned", Mode.INSPECT)


def test_giving_up_after_a_failed_step_is_a_failed_challenge(bench: Bench) -> None:
    bench.challenges.begin(bench.ledger, "anna")
    bench.show(1, Kind.FAIL)
    assert "failed" in bench.challenges.abandon(bench.ledger, "anna", "")
    assert bench.active() == {"challenge_failed"}


def test_another_recipe_ends_the_alarms_of_the_one_before(bench: Bench) -> None:
    bench.rules(every_h=8.0, on_overdue="stop")
    bench.test(Kind.FAIL, Kind.FAIL)
    bench.wait(9 * HOUR)
    assert bench.active() == {"challenge_failed", "challenge_overdue"}
    take_up(bench, "other")
    assert bench.active() == set()
    assert bench.challenges.state() is None
    take_up(bench, "plain")
    assert bench.active() == {"challenge_failed"}
    bench.wait(16 * MINUTE)
    assert bench.active() == {"challenge_failed", "challenge_overdue"}


def take_up(bench: Bench, recipe: str, lot: str = "L1") -> None:
    bench.changeover.change_lot(SwitchRecipe(recipe=recipe, lot=lot, who="anna"), 1)
    bench.turn()


def test_golden_parts_taken_out_of_the_recipe_end_its_alarms(bench: Bench) -> None:
    bench.rules(every_h=8.0)
    bench.wait(HOUR)
    assert bench.active() == {"challenge_overdue"}
    write_recipe(bench.paths, "plain")
    bench.turn()
    assert bench.active() == set()


def test_recipe_deleted_while_in_force_keeps_its_challenge(bench: Bench) -> None:
    bench.rules(every_h=8.0)
    bench.paths.recipe("plain").unlink()
    bench.wait(HOUR)
    assert bench.state.overdue
    with pytest.raises(InspectorError, match="plain"):
        bench.challenges.begin(bench.ledger, "anna")
    assert bench.mode is Mode.INSPECT


def test_recipe_that_cannot_be_read_keeps_its_challenge(bench: Bench) -> None:
    bench.rules(every_h=8.0)
    bench.paths.recipe("plain").write_text("name = ")
    bench.wait(HOUR)
    assert bench.state.overdue


def test_restart_does_not_make_a_challenge_overdue_at_once(bench: Bench) -> None:
    bench.rules(every_h=8.0, on_overdue="stop")
    bench.test(Kind.PASS, Kind.FAIL)
    bench.clock.advance_ms(9 * HOUR / MS)  # the box was off over night
    bench.start()
    bench.turn()
    assert (bench.state.overdue, bench.mode) == (False, Mode.INSPECT)
    bench.wait(16 * MINUTE)
    assert (bench.state.overdue, bench.mode) == (True, Mode.PAUSED)


@pytest.mark.parametrize("change", ["recipe", "lot", "asked", "mode"])
def test_recipe_changed_during_a_challenge_abandons_it(bench: Bench, change: str) -> None:
    bench.challenges.begin(bench.ledger, "anna")
    bench.show(1, Kind.PASS)
    if change == "mode":
        bench.changeover.set_mode(Mode.PAUSED)
    elif change == "asked":
        bench.changeover.ask(SwitchRecipe(recipe="other", lot="", who="bert"), "plain", 1)
    else:
        take_up(bench, *(("other", "L1") if change == "recipe" else ("plain", "L2")))
    bench.part(Kind.FAIL)
    assert (bench.last.result, len(bench.last.steps)) == ("abandoned", 1)
    assert bench.mode is (Mode.PAUSED if change == "mode" else Mode.INSPECT)


def test_model_changed_during_a_challenge_abandons_it(bench: Bench) -> None:
    bench.challenges.begin(bench.ledger, "anna")
    bench.show(1, Kind.PASS, model="tiny@0123456789ab")
    bench.show(2, Kind.FAIL, model="tiny@ba9876543210")
    assert (bench.last.result, len(bench.last.steps)) == ("abandoned", 2)
    assert bench.said[-1] == "test of recipe plain: abandoned, the model was changed"


def test_challenge_that_everybody_has_forgotten_is_abandoned(bench: Bench) -> None:
    bench.challenges.begin(bench.ledger, "anna")
    bench.wait(14 * MINUTE)
    bench.show(1, Kind.PASS)
    bench.wait(14 * MINUTE)
    assert bench.mode is Mode.CHALLENGE
    bench.wait(2 * MINUTE)
    assert (bench.last.result, bench.mode) == ("abandoned", Mode.INSPECT)


def test_challenge_under_way_does_not_become_overdue(bench: Bench) -> None:
    bench.rules(every_h=8.0, on_overdue="stop")
    bench.wait(14 * MINUTE)
    bench.challenges.begin(bench.ledger, "anna")
    bench.wait(2 * MINUTE)
    assert (bench.mode, bench.state.overdue) == (Mode.CHALLENGE, False)
    bench.challenges.abandon(bench.ledger, "anna", "")
    assert (bench.mode, bench.state.overdue) == (Mode.PAUSED, True)


def test_recipe_that_is_being_loaded_is_not_challenged(bench: Bench) -> None:
    bench.changeover.ask(SwitchRecipe(recipe="other", lot="", who="bert"), "plain", 1)
    with pytest.raises(InspectorError, match="recipe other: is being loaded"):
        bench.challenges.begin(bench.ledger, "anna")
    assert bench.reader.challenges(1) == []


def test_step_that_the_disk_refuses_is_recorded_once_it_takes_it(bench: Bench) -> None:
    bench.challenges.begin(bench.ledger, "anna")
    bench.challenges.present(bench.ledger, 1, "anna")
    write = bench.ledger.write

    def refuse(work: object) -> None:
        raise CannotWrite("full", True)

    bench.ledger.write = refuse  # type: ignore[method-assign, assignment]
    bench.part(Kind.PASS)
    bench.turn()
    assert bench.last.steps == ()
    assert bench.state.waiting
    bench.ledger.write = write  # type: ignore[method-assign]
    bench.turn()
    assert len(bench.last.steps) == 1
    bench.show(2, Kind.FAIL)
    assert bench.last.result == "passed"


def test_ledger_set_aside_during_a_challenge_gives_the_mode_back(bench: Bench) -> None:
    bench.changeover.set_mode(Mode.PAUSED)
    bench.challenges.begin(bench.ledger, "anna")
    bench.ledger.close()
    bench.ledger = Ledger(bench.paths.ledger, 60, 0, bench.clock.wall, "found damaged")
    bench.challenges.begin_anew()
    bench.turn()
    assert bench.mode is Mode.PAUSED
    assert bench.reader.challenges(1) == []
    assert bench.state.step == 0


def test_killed_between_the_end_of_a_challenge_and_its_mode(bench: Bench) -> None:
    """The end stands in the ledger, the mode does not yet."""
    bench.changeover.set_mode(Mode.PAUSED)
    bench.test(Kind.PASS, Kind.FAIL)
    bench.changeover.set_mode(Mode.CHALLENGE)
    bench.start()
    assert (bench.mode, bench.last.result) == (Mode.PAUSED, "passed")


def test_of_two_cameras_the_earliest_trigger_is_the_golden_part(
    make: Callable[..., Bench],
) -> None:
    """It was settled last: what another camera saw after it was recorded before."""
    cameras = [{"kind": "folder", "name": name, "path": "images"} for name in ("a", "b")]
    bench = make(cameras=cameras)
    bench.challenges.begin(bench.ledger, "anna")
    bench.challenges.present(bench.ledger, 1, "anna")
    wall = bench.clock.wall
    bench.part(Kind.PASS, camera="b", stream="b" * 32, trigger_wall_ns=wall + 5 * MS)
    bench.turn()
    assert bench.last.steps == ()
    bench.part(Kind.FAIL, camera="a", stream="a" * 32, trigger_wall_ns=wall + 3 * MS)
    bench.wait(SECOND)
    (step,) = bench.last.steps
    assert (step.kind, step.ok, step.stream) == (Kind.FAIL, False, "a" * 32)
