"""The recording process: commands, totals, screens and images."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.outcomes import STREAM, WALL, mark, mixed, outcome
from support.recording import Station, live, prepare, recorded, running, until
from support.stations import in_use

from inspector.core.clock import SECOND
from inspector.core.config import load_station
from inspector.core.current import Asked, Current, read_current
from inspector.core.messages import Event, SwitchRecipe
from inspector.core.orders import ReviewPart, SetRecipe
from inspector.core.pulse import Pulse
from inspector.core.terms import FrameFormat, Kind, Pixel, Severity
from inspector.devices.ring import RingWriter

pytestmark = pytest.mark.line


@pytest.fixture
def station(root: Path) -> Iterator[Station]:
    with running(prepare(root)) as running_station:
        yield running_station


def test_stop_commits_what_was_sent_and_leaves_one_file(station: Station) -> None:
    station.settle(*map(mixed, range(10)))
    for seq in range(10, 900):
        assert station.gate.record.send(mixed(seq))
    time.sleep(0.05)
    code, said = station.stop()
    assert (code, said.count("Traceback")) == (0, 0)
    assert len(recorded(station)) == 900
    wal = station.paths.ledger.with_name("ledger.db-wal")
    assert not wal.exists() or wal.stat().st_size == 0


def test_review_revises_the_totals(station: Station) -> None:
    station.settle(outcome(1, Kind.REVIEW), outcome(2))
    until(lambda: station.paths.ledger.exists() and station.reader.totals())
    review = ReviewPart(stream=STREAM, seq=1, verdict="fail", defect_class="dent")
    assert station.order(review, reason="seen").ok
    (row,) = until(lambda: [row for row in station.reader.totals() if row.revision == 2])
    assert row.totals.counts == {Kind.PASS: 1, Kind.FAIL: 1}
    assert row.cumulative == {Kind.PASS: 1, Kind.FAIL: 1}
    assert [row.revision for row in station.reader.totals_from(1)] == [1, 2]
    (entry,) = station.reader.audit()
    assert (entry.who, entry.action) == ("anna", "review")
    assert '"reason":"seen"' in entry.detail


def test_review_of_an_unknown_part_is_refused(station: Station) -> None:
    reply = station.order(ReviewPart(stream=STREAM, seq=5, verdict="pass"))
    assert not reply.ok
    assert "part 5" in reply.text


def test_switch_without_a_session_is_refused(station: Station) -> None:
    """What record tells detect and gate is no order, whoever sends it."""
    reply = station.ask(SwitchRecipe(recipe="other", lot="", who="anna"))
    assert not reply.ok
    assert "SwitchRecipe is no order" in reply.text
    assert current(station).recipe == "plain"


ORDER = SetRecipe(recipe="other", lot="L2")
SWITCH = SwitchRecipe(recipe="other", lot="L2", who="anna")


class Detect:
    """The inbox and the voice of a detect that loads what the test says."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._inbox = station.bus.inbox(station.paths.socket("detect"), depth=100)
        self._pulse = Pulse("detect", time.monotonic_ns(), 1.0)

    def asked(self) -> list[SwitchRecipe]:
        """What has come; waits a moment for something."""
        self._inbox.wait(500)
        return [message for message, _ in self._inbox.drain() if isinstance(message, SwitchRecipe)]

    def beat(self) -> None:
        self._station.gate.record.send(self._pulse.beat(time.monotonic_ns(), "running"))

    def answer(self, code: str, text: str) -> None:
        event = Event(service="detect", severity=Severity.INFO, code=code, text=text, wall_ns=1)
        self._station.gate.report(event)


def current(station: Station) -> Current:
    return read_current(station.paths.current, load_station(station.paths.station_file).line)


def codes(station: Station) -> list[str]:
    return [event.code for event in station.reader.events()]


def ordered(station: Station) -> list[tuple[str, str]]:
    """What the gate has been told to make since the last call, oldest first."""
    station.gate.inbox.wait(1000)
    heard = [message for message, _ in station.gate.inbox.drain()]
    return [(each.recipe, each.lot) for each in heard if isinstance(each, SwitchRecipe)]


def switch(station: Station, order: SetRecipe = ORDER) -> str:
    """Ask once detect can be reached. Returns the answer."""
    station.settle(outcome(1))
    assert station.order(SetRecipe(recipe="plain", lot="L1")).ok
    reply = station.order(order)
    assert reply.ok, reply.text
    return reply.text


def test_recipe_switch_is_in_force_when_detect_confirms_it(station: Station) -> None:
    detect = Detect(station)
    text = switch(station)
    assert text == "loading recipe other; it takes effect between two parts, with lot L2"
    until(lambda: SWITCH in detect.asked())
    assert current(station) == Current("plain", "L1", Asked("other", "L2", "anna"))
    assert live(station).recipe == "plain"
    assert ordered(station)[-1] == ("other", "L2")
    detect.answer("recipe_changed", "recipe other decides with tiny@0")
    until(lambda: current(station) == Current("other", "L2"))
    until(lambda: ("other", "L2") in ordered(station))
    until(lambda: (state := live(station)).recipe == "other" and state.lot == "L2")
    entry = station.reader.audit()[-1]
    assert (entry.who, entry.action) == ("anna", "set_recipe")
    assert '"recipe_before":"plain"' in entry.detail
    until(lambda: "recipe_switched" in codes(station))


def test_lot_change_is_in_force_at_once(station: Station) -> None:
    text = switch(station, SetRecipe(recipe="plain", lot="L9"))
    assert text == "recipe plain, lot L9"
    assert current(station) == Current("plain", "L9")
    assert ordered(station)[-1] == ("plain", "L9")


def test_recipe_that_detect_refuses_never_becomes_the_one_in_force(station: Station) -> None:
    detect = Detect(station)
    switch(station)
    detect.answer("recipe_refused", "recipe other not loaded, the last one goes on: no")
    until(lambda: "recipe_not_switched" in codes(station))
    assert current(station) == Current("plain", "L1")
    assert ordered(station)[-1] == ("plain", "L1")
    assert [entry.action for entry in station.reader.audit()[-2:]] == [
        "set_recipe",
        "set_recipe_failed",
    ]
    assert "recipe plain stays" in live(station).alarms[0].text


def test_record_killed_during_a_recipe_change_brings_it_to_its_end(station: Station) -> None:
    detect = Detect(station)
    switch(station)
    until(lambda: SWITCH in detect.asked())
    station.kill()
    station.start()
    assert station.gate.record.connected(20_000)
    until(lambda: detect.beat() or SWITCH in detect.asked())
    detect.answer("recipe_changed", "recipe other decides with tiny@0")
    until(lambda: current(station) == Current("other", "L2"))


def test_switch_takes_effect_when_detect_is_back(station: Station) -> None:
    assert "detect is not running" in switch(station)
    detect = Detect(station)
    until(lambda: detect.beat() or SWITCH in detect.asked())
    detect.answer("recipe_changed", "recipe other decides with tiny@0")
    until(lambda: current(station) == Current("other", "L2"))


def test_way_out_of_an_unusable_recipe_does_not_need_detect(station: Station) -> None:
    """Detect cannot start with the recipe in force, so it will never be there to be asked."""
    station.settle(outcome(1))
    (station.paths.recipes / "plain.toml").unlink()
    assert station.order(ORDER).ok
    assert current(station).recipe == "other"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda model: shutil.rmtree(model), "holds no bundle"),
        (lambda model: (model / "model.bin").write_bytes(b"x"), "model.bin: has SHA-256"),
    ],
    ids=["missing", "corrupt"],
)
def test_recipe_whose_model_is_not_in_order_is_refused(
    station: Station, damage: Callable[[Path], object], reason: str
) -> None:
    station.settle(outcome(1))
    damage(in_use(station.paths))
    before = station.paths.current.read_bytes()
    reply = station.order(ORDER)
    assert not reply.ok
    assert reason in reply.text
    assert station.paths.current.read_bytes() == before
    assert [entry.action for entry in station.reader.audit()] == ["refused"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("unknown", "choose one of: broken, other, plain"), ("../x", "not known"), ("broken", "name")],
)
def test_recipe_that_cannot_be_used_is_refused(station: Station, name: str, reason: str) -> None:
    (station.paths.recipes / "broken.toml").write_text("schema = 1\n")
    before = until(lambda: station.paths.current.exists() and station.paths.current.read_bytes())
    reply = station.order(SetRecipe(recipe=name, lot="L2"))
    assert not reply.ok
    assert reason in reply.text
    assert station.paths.current.read_bytes() == before
    assert [entry.action for entry in station.reader.audit()] == ["refused"]


def test_screens_see_counts_and_the_last_part(station: Station) -> None:
    station.settle(*map(mixed, range(40)))
    state = until(lambda: (seen := live(station)).committed == 40 and seen)
    assert state.counts == {Kind.PASS: 34, Kind.FAIL: 2, Kind.REVIEW: 2, Kind.FAULT: 2}
    assert state.last == mixed(39)
    assert (state.recipe, state.lot) == ("plain", "L1")
    station.kill()
    station.start()
    station.settle(mixed(40))
    state = until(lambda: (seen := live(station)).committed == 41 and seen)
    assert sum(state.counts.values()) == 1


def test_silent_service_is_shown_and_raises_one_alarm(station: Station) -> None:
    assert station.gate.record.connected(20_000)
    pulse = Pulse("detect", time.monotonic_ns(), 1.0)
    station.gate.record.send(pulse.beat(time.monotonic_ns(), "running"))

    def states() -> dict[str, str]:
        return {each.heartbeat.service: each.heartbeat.state for each in live(station).services}

    until(lambda: states().get("detect") == "running")
    until(lambda: states()["detect"] == "silent")
    assert states()["record"] == "running"
    assert set(states()) == {"record", "gate", "detect", "capture-cam0"}
    time.sleep(1.5)
    alarms = [event for event in station.reader.events() if "detect" in event.text]
    assert [event.code for event in alarms] == ["service_silent"]
    station.gate.record.send(pulse.beat(time.monotonic_ns(), "running"))
    until(lambda: "service_back" in [event.code for event in station.reader.events()])


def test_events_and_delivery_marks_are_recorded(station: Station) -> None:
    event = Event(service="gate", severity=Severity.ALARM, code="x", text="50 %", wall_ns=WALL)
    station.gate.report(event)
    station.settle(outcome(1))
    (row,) = until(lambda: station.reader.pending())
    assert station.gate.record.send(mark("f" * 32, row.row))
    station.settle(outcome(2))
    assert row.row in [each.row for each in station.reader.pending()]
    for row in until(lambda: len(rows := station.reader.pending()) == 2 and rows):
        assert station.gate.record.send(mark(row.ledger, row.row))
    until(lambda: not station.reader.pending())
    assert event in station.reader.events()


def test_image_of_a_failed_part_is_kept(station: Station) -> None:
    format = FrameFormat(width=64, height=48, pixel=Pixel.MONO8)
    ring = RingWriter(station.paths.ring("cam0"), format, 4, STREAM)
    for seq in range(6):
        with ring.write() as (pixels, ref):
            pixels[:] = seq
        station.settle(outcome(seq, Kind.FAIL if seq % 2 else Kind.PASS, frame=ref))
    overwritten = ref
    for _ in range(4):
        with ring.write() as (pixels, _ref):
            pixels[:] = 0
    station.settle(outcome(7, Kind.FAIL, frame=overwritten))
    assert station.stop()[0] == 0
    names = {path.name for path in station.paths.evidence.rglob("*.jpg")}
    kept = [(0, "pass"), (1, "fail"), (3, "fail"), (5, "fail")]
    assert names == {f"{STREAM}-{seq:09}-{kind}.jpg" for seq, kind in kept}


def test_windows_of_a_long_pause_are_all_counted(station: Station) -> None:
    """Outcomes of old triggers, as a gate sends them after record was away."""
    start = time.time_ns() - 60 * SECOND
    parts = [mixed(seq, trigger_wall_ns=start + seq * SECOND // 4) for seq in range(120)]
    station.settle(*parts)
    until(lambda: sum(row.totals.triggers for row in station.reader.totals(1000)) == 120)
    newest = station.reader.totals(1)[0]
    assert sum(newest.cumulative.values()) == 120
