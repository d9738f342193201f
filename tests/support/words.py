"""Messages as the gatekeeper hears them, for the tests of its rules."""

from inspector.core.clock import MS, SECOND
from inspector.core.messages import Decision, StreamBeat, Trigger
from inspector.core.terms import Cause, FrameFormat, Kind, Pixel, Timing
from inspector.domain.gatekeeping import Gatekeeper, Limits
from inspector.domain.settlement import Settlement

DEADLINE = 100 * MS
START = 1000 * SECOND
FORMAT = FrameFormat(width=8, height=8, pixel=Pixel.MONO8)


def trigger(seq: int, at: int = START, stream: str = "s", cause: Cause | None = None) -> Trigger:
    return Trigger(
        camera="top", stream=stream, seq=seq, trigger_ns=at, wall_ns=5, cause=cause, source="a.png"
    )


def beat(last_seq: int, stream: str = "s", ended: bool = False) -> StreamBeat:
    return StreamBeat(
        camera="top", stream=stream, last_seq=last_seq, format=FORMAT, wall_ns=7, ended=ended
    )


def decision(
    seq: int,
    verdict: Kind = Kind.PASS,
    stream: str = "s",
    score: float | None = 0.1,
    cause: Cause | None = None,
) -> Decision:
    return Decision(
        stream=stream,
        seq=seq,
        verdict=verdict,
        cause=cause,
        reason="because",
        score=score,
        model="m@1",
        recipe="r",
        timing=Timing(),
    )


def keeper(**limits: object) -> Gatekeeper:
    return Gatekeeper(Limits(deadline_ns=DEADLINE, **limits))  # type: ignore[arg-type]


def only(settled: list[Settlement]) -> Settlement:
    assert len(settled) == 1
    return settled[0]
