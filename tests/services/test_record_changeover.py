"""Another recipe: in force when detect has it, asked for again until then, and not for ever."""

from pathlib import Path
from typing import cast

import pytest

from inspector.core.clock import SECOND
from inspector.core.config import Line
from inspector.core.current import Asked, Current, read_current, recipes_to_try
from inspector.core.errors import MaintainerError
from inspector.core.messages import Event, Heartbeat, SetMode, SwitchRecipe
from inspector.core.pulse import Pulse
from inspector.core.terms import Mode, Severity
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Outlet
from inspector.services.record.changeover import PATIENCE_NS, TRIES, Changeover

LINE = Line(deadline_ms=100.0, recipe="plain", lot="L1")
SWITCH = SwitchRecipe(recipe="other", lot="L2", who="anna")
ASKED = Asked("other", "L2", "anna")


class Ear:
    """An outlet that keeps what it is given, while it is there."""

    def __init__(self) -> None:
        self.heard: list[AnyMessage] = []
        self.there = True

    def send(self, message: AnyMessage) -> bool:
        if self.there:
            self.heard.append(message)
        return self.there

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(m.recipe, m.lot) for m in self.heard if isinstance(m, SwitchRecipe)]


class Bench:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "current.json"
        self.detect, self.gate = Ear(), Ear()
        self.begin(Current("plain", "L1"))

    def begin(self, current: Current) -> None:
        outlets = cast(Outlet, self.detect), cast(Outlet, self.gate)
        self.changeover = Changeover(self.path, current, *outlets)

    @property
    def file(self) -> Current:
        return read_current(self.path, LINE)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def event(code: str, recipe: str) -> Event:
    text = f"recipe {recipe} and so on"
    return Event(service="detect", severity=Severity.INFO, code=code, text=text, wall_ns=0)


def beat(process: int) -> Heartbeat:
    """A heartbeat of the detect that began at `process`."""
    return Pulse("detect", process, 1.0).beat(process, "running")


def test_in_force_only_when_confirmed(bench: Bench) -> None:
    assert bench.changeover.ask(SWITCH, "plain", 1)
    assert bench.file == Current("plain", "L1", ASKED)
    assert bench.file.newest == ("other", "L2")
    assert (bench.detect.heard, bench.gate.heard) == ([SWITCH], [SWITCH])
    answer = bench.changeover.hear(event("recipe_changed", "other"))
    assert answer is not None
    assert not answer.refused
    assert bench.file == bench.changeover.current == Current("other", "L2")
    assert bench.gate.told == [("other", "L2"), ("other", "L2")]


def test_refused_recipe_leaves_all_as_it_was(bench: Bench) -> None:
    bench.changeover.ask(SWITCH, "plain", 1)
    answer = bench.changeover.hear(event("recipe_refused", "other"))
    assert answer is not None
    assert "recipe other" in answer.refused
    assert bench.file == Current("plain", "L1")
    assert bench.gate.told == [("other", "L2"), ("plain", "L1")]


def test_answer_to_an_earlier_change_does_not_confirm_a_later_one(bench: Bench) -> None:
    bench.changeover.ask(SwitchRecipe(recipe="first", lot="L2", who="anna"), "plain", 1)
    bench.changeover.ask(SWITCH, "plain", 2)
    assert bench.changeover.hear(event("recipe_changed", "first")) is None
    assert bench.file == Current("first", "L1", ASKED)  # detect decides with it now
    assert bench.changeover.hear(event("recipe_refused", "first")) is None
    bench.changeover.hear(event("recipe_changed", "other"))
    assert bench.file == Current("other", "L2")


def test_detect_killed_while_it_loads_is_asked_again_and_not_for_ever(bench: Bench) -> None:
    bench.changeover.care(beat(1), 1)
    bench.changeover.ask(SWITCH, "plain", 2)
    for process in range(1, TRIES + 1):
        for _ in range(3):  # more heartbeats of the same process
            assert bench.changeover.care(beat(process), SECOND) is None
        assert bench.detect.heard == [SWITCH] * process
    answer = bench.changeover.care(beat(TRIES + 1), SECOND)
    assert answer is not None
    assert "see its log" in answer.refused
    assert bench.file == Current("plain", "L1")


def test_detect_that_does_not_answer_is_asked_again(bench: Bench) -> None:
    bench.changeover.care(beat(1), 1)
    bench.changeover.ask(SWITCH, "plain", 1)
    bench.changeover.care(beat(1), PATIENCE_NS)
    assert len(bench.detect.heard) == 1
    bench.changeover.care(beat(1), PATIENCE_NS + 2)
    assert len(bench.detect.heard) == 2


def test_detect_that_was_away_is_asked_as_soon_as_it_is_heard(bench: Bench) -> None:
    bench.detect.there = False
    assert not bench.changeover.ask(SWITCH, "plain", 1)
    bench.detect.there = True
    bench.changeover.care(beat(1), 2)
    bench.changeover.care(beat(1), 3)
    assert bench.detect.heard == [SWITCH]


def test_record_killed_during_a_change_asks_again(bench: Bench) -> None:
    bench.changeover.ask(SWITCH, "plain", 1)
    bench.begin(bench.file)
    bench.changeover.care(beat(1), 2)
    assert bench.detect.heard == [SWITCH, SWITCH]


def test_detect_killed_just_after_it_confirmed_is_told_what_is_in_force(bench: Bench) -> None:
    """The next one may have read the file before it was written."""
    bench.changeover.care(beat(1), 1)
    bench.changeover.ask(SWITCH, "plain", 2)
    bench.changeover.hear(event("recipe_changed", "other"))
    bench.changeover.care(beat(2), 3)
    assert bench.detect.told == [("other", "L2")] * 2
    bench.changeover.care(beat(3), 2 * PATIENCE_NS)
    assert len(bench.detect.heard) == 2


def test_gate_that_was_away_is_told_later(bench: Bench) -> None:
    bench.gate.there = False
    bench.changeover.change_lot(SwitchRecipe(recipe="plain", lot="L9", who="anna"), 1)
    bench.gate.there = True
    bench.changeover.tidy()
    bench.changeover.tidy()
    assert bench.gate.told == [("plain", "L9")]


def test_full_disk_refuses_a_change_and_holds_up_no_answer(bench: Bench) -> None:
    bench.changeover.ask(SWITCH, "plain", 1)
    (in_the_way := bench.path.with_name("current.json.new")).mkdir()
    assert bench.changeover.hear(event("recipe_changed", "other"))
    assert bench.changeover.current == Current("other", "L2")
    assert bench.file == Current("plain", "L1", ASKED)
    assert "cannot be written" in bench.changeover.problem
    with pytest.raises(MaintainerError, match=r"current\.json: cannot be written"):
        bench.changeover.ask(SwitchRecipe(recipe="third", lot="", who="a"), "other", 2)
    in_the_way.rmdir()
    bench.changeover.tidy()
    assert bench.file == Current("other", "L2")
    assert not bench.changeover.problem


def test_begin_with_what_is_in_force_then_what_was_asked_then_the_configuration() -> None:
    current = Current("third", "L1", ASKED)
    assert recipes_to_try(current, LINE) == ["third", "other", "plain"]
    assert recipes_to_try(Current("plain", "L1"), LINE) == ["plain"]


def modes(bench: Bench) -> list[Mode]:
    return [message.mode for message in bench.gate.heard if isinstance(message, SetMode)]


def test_file_of_an_older_version_has_no_mode_and_is_inspected(tmp_path: Path) -> None:
    (tmp_path / "current.json").write_text('{"recipe":"nuts","lot":"L7"}')
    assert read_current(tmp_path / "current.json", LINE) == Current("nuts", "L7", mode=Mode.INSPECT)


@pytest.mark.parametrize("content", ["", '{"recipe":"nuts"', '{"recipe":"n","lot":"","mode":"x"}'])
def test_file_that_cannot_be_read_begins_paused(tmp_path: Path, content: str) -> None:
    (tmp_path / "current.json").write_text(content)
    assert read_current(tmp_path / "current.json", LINE).mode is Mode.PAUSED


def test_mode_is_in_the_file_before_the_gate_hears_of_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_file: list[Mode] = []
    send = bench.gate.send

    def look(message: AnyMessage) -> bool:
        in_file.append(bench.file.mode)
        return send(message)

    monkeypatch.setattr(bench.gate, "send", look)
    bench.changeover.set_mode(Mode.PAUSED)
    assert (in_file, modes(bench)) == ([Mode.PAUSED], [Mode.PAUSED])


def test_mode_outlives_a_change_of_lot_and_of_recipe(bench: Bench) -> None:
    bench.changeover.set_mode(Mode.PAUSED)
    bench.changeover.change_lot(SwitchRecipe(recipe="plain", lot="L9", who="anna"), 1)
    assert bench.file == Current("plain", "L9", mode=Mode.PAUSED)
    bench.changeover.ask(SWITCH, "plain", 2)
    assert bench.file.mode is Mode.PAUSED
    bench.changeover.hear(event("recipe_changed", "other"))
    assert bench.file == bench.changeover.current == Current("other", "L2", mode=Mode.PAUSED)
    bench.changeover.ask(SwitchRecipe(recipe="third", lot="", who="a"), "other", 3)
    bench.changeover.hear(event("recipe_refused", "third"))
    bench.changeover.hear(event("recipe_changed", "fallback"))
    assert bench.file == Current("fallback", "L2", mode=Mode.PAUSED)


def test_mode_that_cannot_be_kept_is_refused_and_told_to_nobody(bench: Bench) -> None:
    bench.path.with_name("current.json.new").mkdir()
    with pytest.raises(MaintainerError, match="cannot be written"):
        bench.changeover.set_mode(Mode.PAUSED)
    assert modes(bench) == []
    assert bench.changeover.current.mode is Mode.INSPECT


def test_gate_that_was_away_is_told_the_mode_later_and_once(bench: Bench) -> None:
    bench.gate.there = False
    bench.changeover.set_mode(Mode.PAUSED)
    bench.changeover.tidy()
    bench.gate.there = True
    bench.changeover.tidy()
    bench.changeover.tidy()
    assert modes(bench) == [Mode.PAUSED]


def test_gate_hears_the_mode_at_the_start_of_record_and_of_every_gate(bench: Bench) -> None:
    bench.changeover.set_mode(Mode.CHALLENGE)
    bench.gate.heard.clear()
    bench.begin(bench.file)
    bench.changeover.tidy()
    for started in (1, 1, 2, 2):
        bench.changeover.meet(Pulse("gate", started, 1.0).beat(started, "running"))
    assert modes(bench) == [Mode.CHALLENGE] * 3
