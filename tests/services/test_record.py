"""The recording process: commands, totals, screens and images."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.outcomes import STREAM, mixed, outcome
from support.recording import Station, live, prepare, recorded, running, until

from inspector.core.clock import SECOND
from inspector.core.config import load_station
from inspector.core.current import Current, read_current
from inspector.core.messages import (
    Delivered,
    Event,
    FrameFormat,
    Kind,
    Pixel,
    Review,
    Severity,
    SwitchRecipe,
)
from inspector.core.pulse import Pulse
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
    review = Review(
        stream=STREAM, seq=1, verdict="fail", defect_class="dent", who="anna", reason="seen"
    )
    assert station.ask(review).ok
    (row,) = until(lambda: [row for row in station.reader.totals() if row.revision == 2])
    assert row.totals.counts == {Kind.PASS: 1, Kind.FAIL: 1}
    assert row.cumulative == {Kind.PASS: 1, Kind.FAIL: 1}
    assert [row.revision for row in station.reader.totals_from(1)] == [1, 2]
    assert [entry.action for entry in station.reader.audit()] == ["review"]


def test_review_of_an_unknown_part_is_refused(station: Station) -> None:
    review = Review(stream=STREAM, seq=5, verdict="pass", defect_class="", who="a", reason="")
    reply = station.ask(review)
    assert not reply.ok
    assert "part 5" in reply.text


def test_change_without_a_name_is_refused(station: Station) -> None:
    reply = station.ask(SwitchRecipe(recipe="other", lot="", who=" "))
    assert not reply.ok
    assert "who" in reply.text


def test_recipe_switch_reaches_the_line_and_the_audit(station: Station) -> None:
    detect = station.bus.inbox(station.paths.socket("detect"), depth=100)
    station.settle(outcome(1))
    line = load_station(station.paths.station_file).line
    assert read_current(station.paths.current, line) == Current(recipe="plain", lot="L1")
    command = SwitchRecipe(recipe="other", lot="L2", who="anna")
    assert until(lambda: station.ask(command).ok)
    for inbox in (detect, station.gate.inbox):
        assert inbox.wait(5000)
        assert command in [message for message, _ in inbox.drain()]
    assert read_current(station.paths.current, line) == Current(recipe="other", lot="L2")
    (entry,) = station.reader.audit()
    assert (entry.who, entry.action) == ("anna", "switch_recipe")
    assert '"recipe_before":"plain"' in entry.detail


@pytest.mark.parametrize(
    ("name", "reason"),
    [("unknown", "choose one of: broken, other, plain"), ("../x", "not known"), ("broken", "name")],
)
def test_recipe_that_cannot_be_used_is_refused(station: Station, name: str, reason: str) -> None:
    (station.paths.recipes / "broken.toml").write_text("schema = 1\n")
    before = until(lambda: station.paths.current.exists() and station.paths.current.read_bytes())
    reply = station.ask(SwitchRecipe(recipe=name, lot="L2", who="anna"))
    assert not reply.ok
    assert reason in reply.text
    assert station.paths.current.read_bytes() == before
    assert station.reader.audit() == []


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
    event = Event(service="gate", severity=Severity.ALARM, code="x", text="50 %", wall_ns=1)
    station.gate.report(event)
    station.settle(outcome(1))
    (row,) = until(lambda: station.reader.pending())
    assert station.gate.record.send(Delivered(row=row.row, status="delivered"))
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
