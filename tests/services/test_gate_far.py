"""What the gate believes of what comes over the network: triggers and beats of remote cameras."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gate import FORMAT, STREAM, Bench

from inspector.core.clock import SECOND
from inspector.core.messages import Decision, Event, Recorded, StreamBeat, SwitchRecipe, Trigger
from inspector.core.terms import Cause, Kind, Timing
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Outlet

pytestmark = pytest.mark.line

FAR = "far-stream"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class FarBench(Bench):
    """A gate with a camera on another host, whose clock is five seconds behind."""

    def __init__(self, root: Path) -> None:
        endpoint = f"tcp://127.0.0.1:{free_port()}"
        more = (
            '[[cameras]]\nkind = "remote"\nname = "far"\n'
            f'[listen]\ndetect = "tcp://127.0.0.1:{free_port()}"\ngate = "{endpoint}"\n'
        )
        super().__init__(root, 2_000, more)
        self.far: Outlet = self.bus.outlet(endpoint, 1000)

    def say(self, *messages: AnyMessage) -> None:
        for message in messages:
            assert self.far.connected(20_000)
            assert self.far.send(message)

    def far_trigger(self, seq: int, camera: str = "far") -> Trigger:
        at = time.monotonic_ns() - 5 * SECOND
        return Trigger(camera=camera, stream=FAR, seq=seq, trigger_ns=at, wall_ns=0)

    def refusals(self) -> list[Event]:
        return [e for e in self.others if isinstance(e, Event) and e.code == "refused"]


@pytest.fixture
def far(root: Path) -> Iterator[FarBench]:
    bench = FarBench(root)
    bench.start()
    yield bench
    bench.close()


def verdict(seq: int, stream: str = FAR) -> Decision:
    return Decision(
        stream=stream,
        seq=seq,
        verdict=Kind.PASS,
        reason="score",
        score=0.1,
        model="m@1",
        recipe="caps",
        timing=Timing(),
    )


def test_remote_camera_whose_clock_is_behind_is_in_time(far: FarBench) -> None:
    for seq in range(3):
        far.say(far.far_trigger(seq))
        far.send(verdict(seq))
    parts = far.wait(3)
    assert {part.kind for part in parts.values()} == {Kind.PASS}


def test_nobody_on_the_network_decides_acknowledges_or_switches(far: FarBench) -> None:
    far.trigger(0)
    far.say(
        verdict(0, STREAM),
        SwitchRecipe(recipe="caps", lot="stolen", who="me"),
        Recorded(session="x", through=2**62),
        far.far_trigger(7, camera="top"),
        StreamBeat(camera="none", stream="s", last_seq=9, format=FORMAT, wall_ns=0),
    )
    part = far.wait(1)[0]
    assert (part.cause, part.lot) == (Cause.LATE, "L1")
    far.until(far.refusals)
    far.until(lambda: far.heartbeats()[-1].note.endswith("5 messages refused"))
    assert set(far.by_seq()) == {0}


def test_beat_of_a_remote_camera_far_ahead_is_refused(far: FarBench) -> None:
    far.say(StreamBeat(camera="far", stream=FAR, last_seq=2**62, format=FORMAT, wall_ns=0))
    far.until(far.refusals)
    far.trigger(0, Cause.CAMERA)
    assert set(far.wait(1)) == {0}
