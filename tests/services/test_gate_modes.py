"""A person pauses the line, or shows it golden parts: no part is accepted, and none is lost."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gate import Bench
from support.plc import FIRST, Plc

from inspector.core.current import Current, write_current
from inspector.core.messages import SetMode
from inspector.core.terms import Cause, Kind, Lane, Mode
from inspector.devices.modbus import HOLD, RUNNING, STATE
from inspector.domain.challenge import LOT

pytestmark = pytest.mark.line


def judged(bench: Bench, seqs: range, verdict: Kind = Kind.PASS) -> None:
    for seq in seqs:
        bench.trigger(seq)
        bench.decide(seq, verdict)
    bench.wait(seqs.stop)


def test_paused_parts_are_rejected_with_their_score_until_it_is_resumed(bench: Bench) -> None:
    judged(bench, range(2))
    bench.send(SetMode(mode=Mode.PAUSED))
    judged(bench, range(2, 5))
    bench.send(SetMode(mode=Mode.INSPECT))
    judged(bench, range(5, 7))
    parts = bench.by_seq()
    assert [parts[seq].cause for seq in range(7)] == [None] * 2 + [Cause.PAUSED] * 3 + [None] * 2
    paused = parts[3]
    assert (paused.kind, paused.lane, paused.score) == (Kind.FAULT, Lane.REJECT, 0.1)
    assert paused.lot == "L1"
    lanes = [line[2] for line in bench.all_driven(7)]
    assert lanes == ["accept"] * 2 + ["reject"] * 3 + ["accept"] * 2


def test_part_on_its_way_when_the_line_is_paused_is_judged_as_it_came(patient: Bench) -> None:
    patient.trigger(0)
    patient.send(SetMode(mode=Mode.PAUSED))
    patient.trigger(1)
    patient.decide(0)
    patient.decide(1)
    parts = patient.wait(2)
    assert [parts[seq].lane for seq in range(2)] == [Lane.ACCEPT, Lane.REJECT]


def test_gate_killed_while_paused_accepts_nothing_when_it_is_back(bench: Bench) -> None:
    write_current(bench.paths.current, Current("caps", "L1", mode=Mode.PAUSED))
    bench.send(SetMode(mode=Mode.PAUSED))
    judged(bench, range(3))
    bench.all_driven(3)
    bench.trigger(3)  # open when the gate is killed
    bench.end(signal.SIGKILL)
    bench.start()
    bench.beat(3)
    for seq in range(4, 8):
        bench.trigger(seq)
        bench.decide(seq)
    parts = bench.wait(8)
    assert {part.cause for part in parts.values()} == {Cause.PAUSED}
    assert {line[2] for line in bench.all_driven(8)} == {"reject"}


def test_golden_parts_are_judged_and_rejected_under_a_lot_of_their_own(bench: Bench) -> None:
    bench.send(SetMode(mode=Mode.CHALLENGE))
    judged(bench, range(1))
    bench.trigger(1)
    bench.decide(1, Kind.FAIL)
    bench.wait(2)
    bench.send(SetMode(mode=Mode.INSPECT))
    bench.trigger(2)
    bench.decide(2)
    parts = bench.wait(3)
    assert [(parts[seq].kind, parts[seq].lane, parts[seq].lot) for seq in range(3)] == [
        (Kind.PASS, Lane.REJECT, LOT),
        (Kind.FAIL, Lane.REJECT, LOT),
        (Kind.PASS, Lane.ACCEPT, "L1"),
    ]


def test_pause_alone_does_not_hold_a_camera(bench: Bench) -> None:
    bench.send(SetMode(mode=Mode.PAUSED))
    bench.beat(-1, drain=True)
    bench.until(bench.answered)
    assert bench.answered() == [True]


@pytest.fixture
def plc() -> Iterator[Plc]:
    server = Plc().start()
    yield server
    server.close()


@pytest.fixture
def holding(root: Path, plc: Plc) -> Iterator[Bench]:
    """A running gate that holds the line while it is paused."""
    output = f'[output]\nkind = "modbus"\nhost = "127.0.0.1"\nport = {plc.port}\n'
    bench = Bench(root, 300, f"{output}register = {FIRST}\n")
    file = bench.paths.station_file
    file.write_text(file.read_text().replace("[line]", '[line]\npause = "hold"'))
    bench.start()
    yield bench
    bench.close()


def test_held_line_tells_the_plc_and_lets_no_camera_bring_parts(holding: Bench, plc: Plc) -> None:
    def told(state: int) -> bool:
        return plc.told(STATE)[-1:] == [[state]]

    holding.until(lambda: told(RUNNING))
    holding.send(SetMode(mode=Mode.PAUSED))
    holding.until(lambda: told(HOLD))
    holding.beat(-1, drain=True)
    holding.until(holding.answered)
    holding.beat(-1)  # a camera that does not wait is answered as ever
    holding.until(lambda: len(holding.answered()) == 2)
    assert holding.answered() == [False, True]
    judged(holding, range(1))  # a part that comes all the same
    assert holding.by_seq()[0].lane is Lane.REJECT
    holding.send(SetMode(mode=Mode.INSPECT))
    holding.until(lambda: told(RUNNING))
    holding.answers.clear()
    holding.beat(0, drain=True)
    holding.until(holding.answered)
    assert holding.answered() == [True]


def test_gate_that_starts_into_a_held_line_holds_it(holding: Bench, plc: Plc) -> None:
    write_current(holding.paths.current, Current("caps", "L1", mode=Mode.PAUSED))
    holding.end(signal.SIGKILL)
    before = len(plc.told(STATE))
    holding.start()
    holding.until(lambda: len(plc.told(STATE)) > before)
    assert plc.told(STATE)[before:] == [[HOLD]]
    time.sleep(0.1)
    assert plc.told(STATE)[before:] == [[HOLD]]
