"""What a running record tells the screens of the line: its state, its figures, its last parts."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.outcomes import STREAM, outcome
from support.recording import Station, live, prepare, running, until

from inspector.core.config import load_station
from inspector.core.current import Current, read_current
from inspector.core.live import LATENCY_MS, LineState
from inspector.core.messages import SetMode
from inspector.core.orders import Pause, Resume, ReviewPart, SetRecipe
from inspector.core.pulse import Pulse
from inspector.core.terms import Cause, FrameFormat, FrameRef, Kind, Lane, Mode, Pixel
from inspector.core.topology import HEARTBEAT_S
from inspector.domain.challenge import LOT

pytestmark = pytest.mark.line

FRAME = FrameRef(slot=2, generation=9, format=FrameFormat(width=64, height=48, pixel=Pixel.MONO8))
OTHERS = ("gate", "detect", "capture-cam0")


@pytest.fixture
def station(root: Path) -> Iterator[Station]:
    with running(prepare(root)) as running_station:
        yield running_station


class Voices:
    """The heartbeats of the services around record."""

    def __init__(self, station: Station, *names: str) -> None:
        self._station = station
        self.pulses = {name: Pulse(name, time.monotonic_ns(), HEARTBEAT_S) for name in names}

    def speak(self, state: str = "running") -> None:
        for pulse in self.pulses.values():
            if pulse.due(now := time.monotonic_ns()):
                self._station.gate.record.send(pulse.beat(now, state))


def recent(seq: int, **more: object) -> dict[str, object]:
    return {"trigger_wall_ns": time.time_ns() - (50 - seq) * 10**6} | more


def test_state_follows_the_services(station: Station) -> None:
    assert until(lambda: live(station)).state is LineState.STARTING
    voices = Voices(station, *OTHERS)

    def stands(state: LineState, why: str) -> bool:
        voices.speak()
        seen = live(station)
        return (seen.state, seen.why) == (state, why)

    assert station.gate.record.connected(20_000)
    until(lambda: stands(LineState.RUNNING, "running"))
    del voices.pulses["detect"]
    until(lambda: stands(LineState.DEGRADED, "detect_silent"))
    voices.pulses["detect"] = Pulse("detect", time.monotonic_ns(), HEARTBEAT_S)
    until(lambda: stands(LineState.RUNNING, "running"))
    (detect,) = [one for one in live(station).services if one.heartbeat.service == "detect"]
    assert detect.restarts == 1
    station.settle(*[outcome(seq, Kind.FAULT) for seq in range(3)])
    until(lambda: stands(LineState.DEGRADED, "faults"))
    station.settle(outcome(3))
    until(lambda: stands(LineState.RUNNING, "running"))
    del voices.pulses["capture-cam0"]
    until(lambda: stands(LineState.STOPPED, "camera_silent"))
    del voices.pulses["gate"]
    until(lambda: stands(LineState.STOPPED, "gate_silent"))


def test_state_is_told_at_least_four_times_a_second(station: Station) -> None:
    until(lambda: live(station))
    inbox = station.bus.listen(station.paths.socket("live"))
    times = []
    while len(times) < 9:
        assert inbox.wait(5000)
        received = inbox.receive()
        assert received
        times.append(received[0].sent_ns)  # type: ignore[union-attr]
    gaps = sorted(after - before for before, after in itertools.pairwise(times))
    assert gaps[len(gaps) // 2] <= HEARTBEAT_S * 1e9 / 2
    inbox.close()


def test_figures_of_the_parts_are_whole(station: Station) -> None:
    kinds = [Kind.PASS] * 10 + [Kind.FAIL, Kind.REVIEW]
    parts = [outcome(seq, kind, frame=FRAME, **recent(seq)) for seq, kind in enumerate(kinds)]
    parts.append(outcome(12, Kind.FAULT, cause=Cause.PAUSED, **recent(12)))
    parts.append(outcome(13, Kind.FAULT, cause=Cause.LATE, latency_us=300_000, **recent(13)))
    parts.append(outcome(14, Kind.PASS, lot=LOT, lane=Lane.REJECT, **recent(14)))
    station.settle(*parts)
    until(lambda: live(station).committed == 15)
    state = live(station)
    assert [part.seq for part in state.recent] == list(range(14, 2, -1))
    assert state.recent[-1].frame == FRAME
    assert state.causes == dict.fromkeys(Cause, 0) | {Cause.PAUSED: 1, Cause.LATE: 1}
    assert sum(state.latency) == 15
    assert state.latency[LATENCY_MS.index(500.0)] == 1
    assert state.latency_sum_us == sum(part.latency_us for part in parts)
    assert state.per_minute > 0
    for tally in (state.shift, state.lot_tally):
        assert tally.counts == {Kind.PASS: 10, Kind.FAIL: 1, Kind.REVIEW: 1, Kind.FAULT: 1}
        assert (tally.first_pass, tally.rejected, tally.paused) == (10, 3, 1)
    assert state.to_review == 2
    assert state.pixel_bytes == 12 * FRAME.format.nbytes


def test_review_and_restart_are_in_the_tallies(station: Station) -> None:
    station.settle(*[outcome(seq, Kind.FAIL, **recent(seq)) for seq in range(4)])
    review = ReviewPart(stream=STREAM, seq=2, verdict="pass")
    assert station.order(review).ok

    def told() -> bool:
        tally = live(station).shift
        return (tally.counts[Kind.PASS], tally.counts[Kind.FAIL], tally.rejected) == (1, 3, 4)

    until(told)
    station.kill()
    station.start()
    assert station.gate.record.connected(20_000)
    until(told)
    assert live(station).lot_tally.counts[Kind.PASS] == 1


def modes(station: Station) -> list[Mode]:
    """What the gate has been told since the last call."""
    station.gate.inbox.wait(500)
    heard = [message for message, _ in station.gate.inbox.drain()]
    return [message.mode for message in heard if isinstance(message, SetMode)]


def test_pause_is_in_the_file_before_the_gate_hears_of_it_and_outlives_record(
    station: Station,
) -> None:
    station.settle(outcome(1))
    modes(station)
    assert station.order(Pause()).ok
    line = load_station(station.paths.station_file).line
    assert read_current(station.paths.current, line).mode is Mode.PAUSED
    assert until(lambda: modes(station))[-1] is Mode.PAUSED
    assert live(station).mode is Mode.PAUSED
    station.kill()
    station.start()
    assert station.gate.record.connected(20_000)
    assert until(lambda: modes(station))[-1] is Mode.PAUSED
    assert live(station).mode is Mode.PAUSED
    assert station.order(Resume()).ok
    assert until(lambda: modes(station))[-1] is Mode.INSPECT
    assert [entry.action for entry in station.reader.audit()] == ["pause", "resume"]


def test_record_that_cannot_read_what_is_made_pauses_and_says_so(station: Station) -> None:
    until(lambda: live(station))
    station.kill()
    station.paths.current.write_text("{")
    station.start()
    assert station.gate.record.connected(20_000)
    state = until(lambda: live(station))
    assert (state.mode, [alarm.code for alarm in state.alarms]) == (Mode.PAUSED, ["current_unread"])
    assert station.order(SetRecipe(recipe="plain", lot="L2")).ok
    assert station.order(Resume()).ok
    line = load_station(station.paths.station_file).line
    assert read_current(station.paths.current, line) == Current("plain", "L2")


def test_gate_that_starts_again_is_told_the_mode_again(station: Station) -> None:
    station.settle(outcome(1))
    assert station.order(Pause()).ok
    until(lambda: Mode.PAUSED in modes(station))
    for started in (1, 1, 2):
        pulse = Pulse("gate", started, HEARTBEAT_S)
        assert station.gate.record.send(pulse.beat(started, "running"))
    heard: list[Mode] = []
    until(lambda: heard.extend(modes(station)) or len(heard) >= 2)
    assert heard == [Mode.PAUSED] * 2
