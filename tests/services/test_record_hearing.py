"""record believes of the line only what comes from the line."""

from contextlib import closing
from pathlib import Path

import pytest
from support.outcomes import outcome
from support.recording import prepare, recorded, running, until

from inspector.core.messages import Event, Heartbeat
from inspector.core.paths import under
from inspector.core.terms import Severity
from inspector.core.topology import LINE, MESSAGES
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Bus
from inspector.services.record.hearing import Hearing, speaks_for_the_line


def event(service: str) -> Event:
    return Event(service=service, severity=Severity.INFO, code="ready", text="", wall_ns=1)


def beat(service: str) -> Heartbeat:
    return Heartbeat(
        service=service,
        pid=1,
        number=1,
        sent_ns=1,
        started_ns=1,
        state="running",
        handled=0,
        per_s=0.0,
        queue=0,
        p50_ms=0.0,
        p99_ms=0.0,
    )


FORGED = (outcome(1), event("detect"), beat("gate"), beat("capture-cam0"), event("record"))
OWN = (event("publish"), beat("ui"), event("workshop"), event("selftest"))


@pytest.mark.parametrize("message", FORGED, ids=lambda one: type(one).__name__)
def test_words_of_the_line(message: AnyMessage) -> None:
    assert speaks_for_the_line(message)


@pytest.mark.parametrize("message", OWN, ids=lambda one: type(one).__name__)
def test_words_of_others(message: AnyMessage) -> None:
    assert not speaks_for_the_line(message)


def test_the_same_message_is_believed_or_not_by_the_way_it_came(root: Path) -> None:
    paths = under(root)
    paths.create()
    with Bus() as bus:
        hearing = Hearing(paths, bus)
        for way in ("record", LINE):
            with closing(bus.outlet(paths.socket(way), MESSAGES)) as outlet:
                assert outlet.connected(10_000)
                for message in (*FORGED, *OWN):
                    assert outlet.send(message)
                heard: list[AnyMessage] = []
                while hearing.wait(500):
                    heard += hearing.drain(100)
            assert len(heard) == len(OWN) + (len(FORGED) if way == LINE else 0)
        assert hearing.disbelieved == len(FORGED)


def test_forged_outcome_of_a_service_beside_the_line_is_refused_and_told(root: Path) -> None:
    with running(prepare(root)) as station:
        outlet = station.bus.outlet(station.paths.socket("record"), MESSAGES)
        assert outlet.connected(20_000)
        assert outlet.send(outcome(1))
        station.settle(outcome(2))
        until(lambda: station.rows("SELECT 1 FROM events WHERE code = 'refused'"))
        assert [seq for _, seq in recorded(station)] == [2]
