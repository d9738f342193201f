"""A broker that is down, slow, silent, forgetful or flapping, beside a running line: the line does
not notice, and nothing is lost."""

from pathlib import Path

import pytest
from support.bad_broker import FAULTS, Pairs, bench, pair
from support.line import account
from support.mosquitto import needs_mosquitto
from support.plant_station import until, waiting

from inspector.core.paths import under

pytestmark = [pytest.mark.line, needs_mosquitto]

# Far above any noise: what is measured stands in the README; here a line that waits for its
# broker, for a second or for its timeouts, is to be seen.
MOST = 3.0
GOOD_S = 2.0
BAD_S = 3.5  # flapping needs more than one turn


def test_whatever_the_broker_does_the_line_keeps_its_pace_and_no_row_is_lost(root: Path) -> None:
    paths = under(root / "station")
    found = {fault: Pairs() for fault in FAULTS}
    with bench(root, paths) as line:
        for fault, pairs in found.items():
            pair(line, fault, GOOD_S, BAD_S, pairs)
        until("all rows delivered", lambda: waiting(paths) <= 1, 180)
        assert line.line.stop() == 0
        parts = account(line.line)
    print({fault: pairs.figures() for fault, pairs in found.items()})
    assert all(pairs.held_up for pairs in found.values())
    for fault, pairs in found.items():
        assert pairs.ratio(50) < MOST, (fault, pairs.figures())
    faults = [part.outcome.reason for part in parts if part.outcome.cause]
    assert len(faults) <= len(parts) / 10, faults  # a busy machine makes some late
