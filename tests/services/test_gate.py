"""The gate as a real process over real sockets: one trigger, one outcome, whatever dies."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from inspector.core.clock import SECOND
from inspector.core.current import Current, write_current
from inspector.core.messages import (
    AnyMessage,
    Cause,
    Decision,
    Event,
    FrameFormat,
    Heartbeat,
    Kind,
    Lane,
    Outcome,
    Pixel,
    Ready,
    Recorded,
    Settled,
    StreamBeat,
    SwitchRecipe,
    Timing,
    Trigger,
)
from inspector.core.paths import under
from inspector.devices.bus import Bus, Inbox

pytestmark = pytest.mark.line

STATION = """
schema = 1
[station]
enterprise = "acme"
site = "north"
area = "hall1"
line = "line1"
cell = "cell1"
[line]
deadline_ms = {deadline}
recipe = "caps"
lot = "L1"
[[cameras]]
kind = "folder"
name = "top"
path = "images"
"""
FORMAT = FrameFormat(width=8, height=8, pixel=Pixel.MONO8)
STREAM = "stream-1"


class Bench:
    """A gate in its own process, and the processes around it played by the test."""

    def __init__(self, root: Path, deadline_ms: float) -> None:
        self.paths = under(root)
        self.paths.config.mkdir(parents=True)
        self.paths.station_file.write_text(STATION.format(deadline=deadline_ms))
        self.paths.create()
        self.bus = Bus()
        self.gate = self.bus.outlet(self.paths.socket("gate"), 10_000)
        self.capture = self.bus.inbox(self.paths.socket("capture-top"), depth=10_000)
        self.record: Inbox | None = self.bus.inbox(self.paths.socket("record"), depth=10_000)
        self.outcomes: list[Outcome] = []
        self.others: list[AnyMessage] = []
        self.answers: list[AnyMessage] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.root = root

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "inspector.services.gate", "--root", str(self.root)]
        )
        assert self.gate.connected(20_000), "the gate did not come up"

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process = None
        return code

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.bus.close()

    def end_record(self) -> None:
        assert self.record is not None
        self.record.close()
        self.record = None

    def start_record(self) -> None:
        self.record = self.bus.inbox(self.paths.socket("record"), depth=10_000)

    def send(self, *messages: AnyMessage) -> None:
        for message in messages:
            end = time.monotonic() + 20
            while not self.gate.send(message):
                assert time.monotonic() < end, "the gate takes nothing"
                time.sleep(0.005)

    def trigger(self, seq: int, cause: Cause | None = None, stream: str = STREAM) -> None:
        self.send(
            Trigger(
                camera="top",
                stream=stream,
                seq=seq,
                trigger_ns=time.monotonic_ns(),
                wall_ns=time.time_ns(),
                cause=cause,
                source=f"{seq}.png",
            )
        )

    def decide(self, seq: int, verdict: Kind = Kind.PASS, score: float = 0.1) -> None:
        self.send(
            Decision(
                stream=STREAM,
                seq=seq,
                verdict=verdict,
                reason="score",
                score=score,
                model="m@1",
                recipe="caps",
                timing=Timing(inference_us=7),
            )
        )

    def beat(self, last_seq: int, drain: bool = False) -> None:
        self.send(
            StreamBeat(
                camera="top",
                stream=STREAM,
                last_seq=last_seq,
                format=FORMAT,
                wall_ns=time.time_ns(),
                drain=drain,
            )
        )

    def listen(self) -> None:
        if self.record is not None:
            for message, _ in self.record.drain():
                kind = self.outcomes if isinstance(message, Outcome) else self.others
                kind.append(message)  # type: ignore[arg-type]
        self.answers += [message for message, _ in self.capture.drain()]

    def until(self, true: Callable[[], object], say: str = "did not come true") -> None:
        end = time.monotonic() + 20
        while not true():
            assert time.monotonic() < end, say
            self.listen()
            time.sleep(0.002)

    def wait(self, count: int) -> dict[int, Outcome]:
        """The first outcome of each seq, once there are `count` of them."""
        self.until(lambda: len(self.by_seq()) >= count)
        return self.by_seq()

    def by_seq(self) -> dict[int, Outcome]:
        found: dict[int, Outcome] = {}
        for outcome in self.outcomes:
            found.setdefault(outcome.seq, outcome)
        return found

    def heartbeats(self) -> list[Heartbeat]:
        return [each for each in self.others if isinstance(each, Heartbeat)]

    def driven(self) -> list[list[str]]:
        if not self.paths.output_log.exists():
            return []
        return [line.split() for line in self.paths.output_log.read_text().splitlines()]


@pytest.fixture
def cold(root: Path) -> Iterator[Bench]:
    bench = Bench(root, 300)
    yield bench
    bench.close()


@pytest.fixture
def bench(cold: Bench) -> Bench:
    cold.start()
    return cold


def test_verdicts_in_time_go_to_their_lanes(bench: Bench) -> None:
    for seq, verdict in enumerate([Kind.PASS, Kind.FAIL, Kind.REVIEW]):
        bench.trigger(seq)
        bench.decide(seq, verdict)
    parts = bench.wait(3)
    assert [(parts[n].kind, parts[n].lane) for n in range(3)] == [
        (Kind.PASS, Lane.ACCEPT),
        (Kind.FAIL, Lane.REJECT),
        (Kind.REVIEW, Lane.REJECT),
    ]
    first = parts[0]
    assert (first.recipe, first.lot, first.model) == ("caps", "L1", "m@1")
    assert (first.timing.inference_us, first.source, first.score) == (7, "0.png", 0.1)
    assert [line[2:4] for line in bench.driven()] == [
        ["accept", "pass"],
        ["reject", "fail"],
        ["reject", "review"],
    ]
    numbers = [outcome.number for outcome in bench.outcomes]
    assert numbers == list(range(numbers[0], numbers[0] + 3))


def test_dead_detect_makes_parts_late(bench: Bench) -> None:
    bench.trigger(0)
    part = bench.wait(1)[0]
    assert (part.kind, part.cause, part.lane) == (Kind.FAULT, Cause.LATE, Lane.REJECT)
    assert part.latency_us >= 300_000
    assert part.recipe == "caps"


def test_lost_triggers_are_faults(bench: Bench) -> None:
    bench.trigger(2)
    bench.decide(2)
    bench.beat(3)
    parts = bench.wait(4)
    assert [parts[n].cause for n in range(4)] == [Cause.LOST, Cause.LOST, None, Cause.LOST]


def test_camera_unplugged_rejects_parts(bench: Bench) -> None:
    bench.trigger(0, Cause.CAMERA)
    bench.trigger(1)
    bench.trigger(1, Cause.CAMERA)
    parts = bench.wait(2)
    assert {part.cause for part in parts.values()} == {Cause.CAMERA}
    assert {part.lane for part in parts.values()} == {Lane.REJECT}


def test_score_that_is_no_number_is_a_fault(bench: Bench) -> None:
    bench.trigger(0)
    bench.decide(0, score=float("nan"))
    part = bench.wait(1)[0]
    assert (part.kind, part.cause, part.score) == (Kind.FAULT, Cause.ENGINE, None)


def test_copies_change_nothing(bench: Bench) -> None:
    for _ in range(3):
        bench.trigger(0)
        bench.decide(0)
        bench.decide(0, Kind.FAIL)
    bench.trigger(1)
    bench.decide(1)
    bench.wait(2)
    assert [outcome.seq for outcome in bench.outcomes] == [0, 1]
    assert bench.outcomes[0].kind is Kind.PASS


def test_unknown_messages_are_ignored(bench: Bench) -> None:
    context = zmq.Context()
    rubbish = context.socket(zmq.PUSH)
    rubbish.connect(bench.paths.socket("gate"))
    for body in (b"", b"\x00rubbish", b"\x81\xa4type\xa5other"):
        rubbish.send(body)
    bench.send(Settled(stream="x", seq=1), Recorded(session="x", through=10**9))
    bench.trigger(0)
    bench.decide(0)
    assert bench.wait(1)[0].kind is Kind.PASS
    context.destroy(linger=0)


def test_beats_are_answered_and_draining_camera_hears_of_every_part(bench: Bench) -> None:
    bench.beat(-1, drain=True)
    for seq in range(5):
        bench.trigger(seq)
        bench.decide(seq)
    bench.until(lambda: sum(isinstance(each, Settled) for each in bench.answers) == 5)
    ready = [each for each in bench.answers if isinstance(each, Ready)]
    assert [(each.service, each.ready) for each in ready] == [("gate", True)]


def test_recipe_and_lot_follow_the_switch_and_outlive_the_gate(bench: Bench) -> None:
    bench.send(SwitchRecipe(recipe="bolts", lot="L2", who="me"))
    bench.trigger(0, Cause.CAMERA)
    part = bench.wait(1)[0]
    assert (part.recipe, part.lot) == ("bolts", "L2")
    bench.end()
    write_current(bench.paths.current, Current(recipe="nuts", lot="L3"))
    bench.start()
    bench.trigger(1, Cause.CAMERA)
    part = bench.wait(2)[1]
    assert (part.recipe, part.lot) == ("nuts", "L3")


def test_killed_gate_settles_every_part_exactly_once(bench: Bench) -> None:
    bench.beat(-1)
    for seq in range(300):
        if seq in (100, 200):
            bench.end(signal.SIGKILL)
            bench.start()
        bench.trigger(seq)
        if seq not in (98, 99, 198, 199):  # these are open when the gate is killed
            bench.decide(seq)
        bench.listen()
    bench.beat(299)
    parts = bench.wait(300)
    contents: dict[int, set[tuple[str, str | None]]] = {}
    for outcome in bench.outcomes:
        contents.setdefault(outcome.seq, set()).add((outcome.kind, outcome.cause))
    assert sorted(contents) == list(range(300))
    assert {len(found) for found in contents.values()} == {1}
    assert all(parts[seq].kind is Kind.FAULT for seq in (98, 99, 198, 199))
    driven = Counter(int(line[5]) for line in bench.driven())
    assert set(driven) == set(range(300))


def test_outcomes_wait_for_a_dead_record(bench: Bench) -> None:
    bench.end_record()
    for seq in range(50):
        bench.trigger(seq)
        bench.decide(seq)
    bench.until(lambda: len(bench.driven()) == 50)
    bench.start_record()
    bench.send(Recorded(session="new", through=-1))
    parts = bench.wait(50)
    assert {part.kind for part in parts.values()} == {Kind.PASS}
    firsts = list(bench.by_seq())
    assert firsts == sorted(firsts)


def test_unacknowledged_outcomes_are_sent_again(bench: Bench) -> None:
    bench.trigger(0)
    bench.decide(0)
    bench.until(lambda: len(bench.outcomes) >= 3)
    bench.send(Recorded(session="a", through=bench.outcomes[0].number))
    bench.until(
        lambda: bench.heartbeats() and bench.heartbeats()[-1].note.startswith("0 not yet committed")
    )
    bench.outcomes.clear()
    beats = len(bench.heartbeats())
    bench.until(lambda: len(bench.heartbeats()) > beats + 2)
    assert bench.outcomes == []


def test_new_session_asks_for_all_that_is_not_acknowledged(bench: Bench) -> None:
    for seq in range(10):
        bench.trigger(seq)
        bench.decide(seq)
    bench.wait(10)
    bench.send(Recorded(session="a", through=bench.outcomes[4].number))
    bench.outcomes.clear()
    bench.send(Recorded(session="b", through=-1))
    bench.until(lambda: len(bench.outcomes) >= 5)
    assert {outcome.seq for outcome in bench.outcomes} >= set(range(5, 10))


def test_what_a_stopped_gate_could_not_deliver_is_delivered_by_the_next(bench: Bench) -> None:
    bench.end_record()
    bench.trigger(0)
    bench.decide(0)
    bench.until(bench.driven)
    assert bench.end() == 0
    bench.start_record()
    bench.start()
    assert bench.wait(1)[0].kind is Kind.PASS


def test_stop_settles_open_parts(bench: Bench) -> None:
    bench.trigger(0)
    bench.until(lambda: any(isinstance(each, Heartbeat) for each in bench.others))
    assert bench.end() == 0
    assert bench.wait(1)[0].cause is Cause.LATE


def test_full_runtime_folder_rejects_every_part(cold: Bench) -> None:
    spool = cold.paths.spool
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(spool)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a tmpfs here")
    try:
        cold.start()
        for seq in range(400):
            cold.trigger(seq)
            cold.decide(seq)
        cold.until(lambda: len(cold.driven()) == 400)
        assert cold.driven()[-1][2:4] == ["reject", "fault"]
        acknowledge(cold, 400)
        parts = cold.by_seq()
        kinds = [parts[seq].kind for seq in range(400)]
        turn = kinds.index(Kind.FAULT)
        assert set(kinds[:turn]) == {Kind.PASS}
        assert {parts[seq].cause for seq in range(turn, 400)} == {Cause.RECORD}
        lanes = {int(line[5]): line[2] for line in cold.driven()}
        assert lanes == {seq: part.lane.value for seq, part in parts.items()}
        cold.until(lambda: any(isinstance(each, Event) for each in cold.others))
    finally:
        with contextlib.suppress(ProcessLookupError):
            cold.end()
        subprocess.run(["umount", "--lazy", str(spool)], check=True)


def acknowledge(bench: Bench, count: int) -> None:
    """Play a record that has come back, until it has `count` parts."""
    end = time.monotonic() + 20
    while len(bench.by_seq()) < count:
        assert time.monotonic() < end
        bench.listen()
        if bench.outcomes:
            through = max(outcome.number for outcome in bench.outcomes)
            bench.send(Recorded(session="a", through=through))
        time.sleep(0.01)


def test_absent_plc_is_told_and_the_gate_goes_on(cold: Bench) -> None:
    with cold.paths.station_file.open("a") as file:
        file.write('[output]\nkind = "modbus"\nhost = "127.0.0.1"\nport = 1\n')
    cold.start()
    cold.trigger(0)
    cold.decide(0)
    assert cold.wait(1)[0].kind is Kind.PASS
    cold.until(lambda: any(isinstance(each, Event) for each in cold.others))
    event = next(each for each in cold.others if isinstance(each, Event))
    assert (event.code, "127.0.0.1:1" in event.text) == ("output", True)
    cold.until(lambda: any(each.state == "degraded" for each in cold.heartbeats()))
    assert cold.end() == 0


def test_heartbeats_tell_of_the_parts(bench: Bench) -> None:
    bench.trigger(0)
    bench.decide(0)
    bench.until(lambda: any(each.handled == 1 for each in bench.heartbeats()))
    last = bench.heartbeats()[-1]
    assert (last.service, last.state) == ("gate", "running")
    assert last.sent_ns - last.started_ns < 60 * SECOND


def test_second_gate_is_refused(bench: Bench) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "inspector.services.gate", "--root", str(bench.root)],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=30,
    )
    assert second.returncode == 78
    assert "already running" in second.stderr
    assert len(second.stderr.splitlines()) == 1
