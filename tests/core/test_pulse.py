"""Heartbeats tell rates over the true interval."""

from inspector.core.clock import MS, SECOND
from inspector.core.pulse import Pulse


def test_rate_and_percentiles_are_of_the_interval() -> None:
    pulse = Pulse("gate", 0, every_s=1.0)
    assert pulse.due(0)
    pulse.beat(0, "starting")
    for milliseconds in range(1, 101):
        pulse.took(milliseconds * MS)
    assert not pulse.due(SECOND - 1)
    beat = pulse.beat(2 * SECOND, "running", queue=3)
    assert (beat.handled, beat.per_s, beat.queue, beat.number) == (100, 50.0, 3, 1)
    assert 49 <= beat.p50_ms <= 52
    assert beat.p99_ms >= 98
    assert pulse.beat(3 * SECOND, "running").per_s == 0.0
