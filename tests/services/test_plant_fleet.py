"""Hundreds of stations that lose their broker and come back together: all is delivered, they do not
all knock at once, and none waits while the others are served."""

import json
import os
from pathlib import Path

import pytest
from support.fleet_scene import ROWS, come_back
from support.plant import needs_plant

pytestmark = [pytest.mark.line, needs_plant()]

STATIONS = int(os.environ.get("INSPECTOR_STATIONS", "100"))  # 500 before a release
PATIENCE_S = max(60.0, STATIONS / 2)


@pytest.mark.timeout(60 + 4 * PATIENCE_S)
def test_a_fleet_that_comes_back_together_is_served_whole(root: Path) -> None:
    told = come_back(root, STATIONS, PATIENCE_S)
    print(json.dumps(told.figures()))
    # All, once: by the receiver's own account.
    assert len(told.streams) == STATIONS
    for stream in told.streams:
        assert (stream["highest"], stream["gaps"]) == (1 + ROWS, []), stream
        assert stream["difference"] == dict.fromkeys(stream["difference"], 0)
        assert stream["counts"]["pass"] == 57 * (1 + ROWS)
    # Paced: their connections are spread, though all lost the broker in the same moment.
    assert told.most_at_once < 0.9 * STATIONS
    # None starves: whoever came early is not among the last to be served.
    assert told.early_served_s < told.span_s
