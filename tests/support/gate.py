"""A gate in its own process, and the processes around it played by the test.

Promises: what the gate sends is kept, and what it drives is read from its output's log.
Never: waits for an absolute time where a condition can be waited for.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from inspector.core.messages import Decision, Heartbeat, Outcome, Ready, StreamBeat, Trigger
from inspector.core.paths import under
from inspector.core.terms import Cause, FrameFormat, Kind, Pixel, Timing
from inspector.core.topology import LINE
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Bus, Inbox

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

    def __init__(self, root: Path, deadline_ms: float, more: str = "") -> None:
        """`more`: further sections of station.toml."""
        self.paths = under(root)
        self.paths.config.mkdir(parents=True)
        self.paths.station_file.write_text(STATION.format(deadline=deadline_ms) + more)
        self.paths.create()
        self.bus = Bus()
        self.gate = self.bus.outlet(self.paths.socket("gate"), 10_000)
        self.capture = self.bus.inbox(self.paths.socket("capture-top"), depth=10_000)
        self.record: Inbox | None = self.bus.inbox(self.paths.socket(LINE), depth=10_000)
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
        guard = self._guard()
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process = None
        self.until(lambda: not _runs(guard), "the ended gate's guard still runs")
        # What is sent before the outlet has noticed would go to the dead.
        self.until(lambda: not self.gate.connected(0), "the outlet still holds the ended gate")
        return code

    def close(self) -> None:
        if self.process is not None:
            self.end(signal.SIGKILL)
        self.bus.close()

    def _guard(self) -> str:
        """The process that survives the gate; empty where there is none."""
        assert self.process is not None
        number = self.process.pid
        return _read(Path(f"/proc/{number}/task/{number}/children")).strip()

    def end_record(self) -> None:
        assert self.record is not None
        self.record.close()
        self.record = None

    def start_record(self) -> None:
        self.record = self.bus.inbox(self.paths.socket(LINE), depth=10_000)

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

    def decide(
        self, seq: int, verdict: Kind = Kind.PASS, score: float = 0.1, recipe: str = "caps"
    ) -> None:
        self.send(
            Decision(
                stream=STREAM,
                seq=seq,
                verdict=verdict,
                reason="score",
                score=score,
                model="m@1",
                recipe=recipe,
                timing=Timing(inference_us=7),
            )
        )

    def beat(self, last_seq: int, drain: bool = False, ended: bool = False) -> None:
        self.send(
            StreamBeat(
                camera="top",
                stream=STREAM,
                last_seq=last_seq,
                format=FORMAT,
                wall_ns=time.time_ns(),
                drain=drain,
                ended=ended,
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

    def answered(self) -> list[bool]:
        """What the gate has said of the stream."""
        return [each.ready for each in self.answers if isinstance(each, Ready)]

    def all_driven(self, count: int) -> list[list[str]]:
        """The lanes in the order in which they were driven, once there are so many."""
        self.until(lambda: len(self.driven()) >= count, "too few lanes")
        return self.driven()

    def driven(self) -> list[list[str]]:
        if not self.paths.output_log.exists():
            return []
        return [line.split() for line in self.paths.output_log.read_text().splitlines()]


def _runs(number: str) -> bool:
    """Whether there is such a process that has not ended."""
    return bool(number) and "State:\tZ" not in _read(Path(f"/proc/{number}/status"), "State:\tZ")


def _read(path: Path, otherwise: str = "") -> str:
    try:
        return path.read_text()
    except OSError:
        return otherwise
