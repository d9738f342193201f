"""Seven days of totals made offline, and every accident on their way to the plant: none is lost,
none counts twice, corrections arrive as corrections, and what is new does not wait for what is
old."""

import os
from pathlib import Path

import pytest
from support.plant import needs_plant
from support.seven_days import LATE_REVIEWS, endure, parts_by_kind, scene

pytestmark = [pytest.mark.line, needs_plant()]

# Seven days at one window every 10 s are 60480: before a release.
WINDOWS = int(os.environ.get("INSPECTOR_WINDOWS", "3000"))
PATIENCE_S = max(60.0, WINDOWS / 50)  # for each stretch of the way
PACE = max(100, min(1500, WINDOWS // 20))  # so that each accident meets the backlog on its way


@pytest.mark.timeout(60 + 10 * PATIENCE_S)
def test_days_of_totals_survive_every_accident_on_their_way(root: Path) -> None:
    with scene(root, WINDOWS, ack="application", resend_s=2.0, backlog_per_s=PACE) as one:
        made = endure(one, PATIENCE_S)
        one.receiver.kill()
        compared = one.receiver.compare(one.root)
        assert one.station.stop() == [0, 0]
        parts = parts_by_kind(one)
        one.say(f"{made} parts came meanwhile; {dict(one.observer.messages)}")
    assert compared["compared"]["equal"], compared["compared"]["differences"][:5]
    assert compared["code"] == 0
    received = compared["compared"]["counts"]["received"]
    assert {kind: count for kind, count in received.items() if count} == parts
    assert sum(parts.values()) == 3 * WINDOWS + made
    (stream,) = compared["streams"]
    assert stream["gaps"] == []
    assert (stream["voids"], stream["given_up"], stream["clashes"]) == (0, 0, 0)
    assert not stream["contradicts"]
    assert stream["highest"] >= one.past.rows + LATE_REVIEWS
    # Corrections came as corrections: those made while offline, and those made at the station.
    seen = one.observer.rows
    corrections = sum(row.revision > 1 for row in seen.values())
    assert 0 < corrections <= one.past.revisions + LATE_REVIEWS
    # Rows that were counted meanwhile came before the last of the past.
    last_of_past = max(seen[row].first_ns for row in seen if row <= one.past.rows)
    assert any(seen[row].first_ns < last_of_past for row in seen if row > one.past.rows)
    # Every message on the wire is what configs/mqtt says.
    assert one.observer.against_schema() == []
    unlabelled = {kind for kind, count in one.observer.unlabelled.items() if count}
    assert unlabelled <= {"ack"}
