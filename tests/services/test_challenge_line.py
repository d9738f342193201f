"""The test with golden parts on the running line: every process, and a camera that goes on."""

from pathlib import Path

import pytest
from support.line import running, wait_for
from support.stations import make_station, write_images, write_recipe

from inspector.core.orders import AnyOrder, BeginChallenge, Order, PresentGolden, Reply, Resume
from inspector.core.paths import Paths
from inspector.core.terms import Cause, Lane
from inspector.core.topology import CONTROL
from inspector.devices.bus import Bus
from inspector.devices.console import console_session
from inspector.devices.ledger import LedgerReader
from inspector.domain.challenge import LOT

pytestmark = pytest.mark.line
PARTS = [{"name": "good", "expect": "pass"}, {"name": "dent", "expect": "fail"}]


def order(paths: Paths, order: AnyOrder) -> Reply:
    with Bus() as bus:
        session = console_session(paths.console_key, "anna")
        reply = bus.ask(paths.socket(CONTROL), Order(session=session, order=order), 20.0)
    assert isinstance(reply, Reply)
    return reply


def test_parts_of_a_challenge_are_judged_as_ever_and_all_rejected(root: Path) -> None:
    """The camera shows good parts alone, so one is taken for the dented part, and passes: the
    challenge fails, and stops the line, as its recipe says."""
    images = write_images(root / "good parts", bad=0)
    paths = make_station(root, takt_ms=200.0, path=str(images))
    write_recipe(paths, "plain", challenge={"parts": PARTS, "on_failure": "stop"})
    with running(paths, committed=3) as line:
        assert order(paths, BeginChallenge()).ok
        for step in (1, 2):
            wait_for(paths, lambda live, step=step: bool(live.challenge.step == step))
            assert order(paths, PresentGolden(step=step)).ok
        state = wait_for(paths, lambda live: not live.challenge.step)
        wait_for(paths, lambda live: live.last.cause is Cause.PAUSED)
        refused = order(paths, Resume())
        line.stop()
    assert state.challenge
    reader = LedgerReader(paths.ledger)
    (test,) = reader.challenges(5)
    parts = [part.outcome for part in reader.parts(1000)]
    reader.close()
    challenged = [part for part in parts if part.lot == LOT]
    assert len(challenged) >= 2
    assert {part.lane for part in challenged} == {Lane.REJECT}
    assert [step.number for step in test.steps] == [1, 2]
    shown = {(part.stream, part.seq): part.kind for part in challenged}
    assert all(shown[step.stream, step.seq] is step.kind for step in test.steps)
    assert test.result == state.challenge.last_result == "failed"
    assert not refused.ok
    assert "was failed; pass one" in refused.text
    assert parts[0].cause is Cause.PAUSED
