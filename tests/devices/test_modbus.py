"""Lanes and heartbeat against pymodbus' own server, which plays the PLC."""

import builtins
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.plc import FIRST, Plc

from inspector.core.clock import SECOND, SystemClock
from inspector.core.config import ModbusOutput as ModbusConfig
from inspector.core.errors import MaintainerError
from inspector.core.terms import Kind, Lane
from inspector.devices.modbus import (
    ACCEPT,
    HOLD,
    LANE,
    QUEUE,
    REJECT,
    RUNNING,
    STATE,
    STOPPED,
    ModbusOutput,
)
from inspector.domain.release import NO_CAMERA, LaneCommand


@pytest.fixture
def plc() -> Iterator[Plc]:
    server = Plc().start()
    yield server
    server.close()


@pytest.fixture
def output(plc: Plc) -> Iterator[ModbusOutput]:
    made = connect(plc)
    yield made
    made.close()


def connect(plc: Plc, **more: Any) -> ModbusOutput:
    config = ModbusConfig(
        host="127.0.0.1",
        port=plc.port,
        register=FIRST,
        **{"heartbeat_ms": 10, "timeout_ms": 1000, **more},
    )
    return ModbusOutput(config, SystemClock())


def drive(output: ModbusOutput, seq: int, lane: Lane = Lane.ACCEPT, left_s: float = 60) -> None:
    """A part of camera 3 whose deadline is `left_s` away."""
    deadline = time.monotonic_ns() + int(left_s * SECOND)
    output.drive(LaneCommand(lane, Kind.PASS, 3, "s", seq, deadline))


def until(true: Callable[[], object], tick: Callable[[], None] = lambda: None) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "did not come true"
        tick()
        time.sleep(0.005)


def test_lanes_arrive_in_order_with_their_count(plc: Plc, output: ModbusOutput) -> None:
    until(lambda: output.healthy)
    lanes = [Lane.ACCEPT, Lane.REJECT, Lane.ACCEPT, Lane.ACCEPT, Lane.REJECT] * 20
    for seq, lane in enumerate(lanes):
        drive(output, seq, lane)
    until(lambda: len(plc.told(LANE)) == len(lanes))
    assert plc.told(LANE) == [
        [ACCEPT if lane is Lane.ACCEPT else REJECT, seq + 1, 0, 3, seq]
        for seq, lane in enumerate(lanes)
    ]


def test_low_word_of_the_number_stands_beside_the_lane(plc: Plc, output: ModbusOutput) -> None:
    until(lambda: output.healthy)
    drive(output, 0x5_1234)
    until(lambda: plc.told(LANE) == [[ACCEPT, 1, 0, 3, 0x1234]])


def test_accept_after_its_deadline_is_written_as_reject(plc: Plc, output: ModbusOutput) -> None:
    until(lambda: output.healthy)
    drive(output, 0, left_s=-0.001)
    drive(output, 1)
    until(lambda: len(plc.told(LANE)) == 2)
    assert [values[0] for values in plc.told(LANE)] == [REJECT, ACCEPT]


def test_lane_after_a_lost_one_is_a_reject(plc: Plc) -> None:
    """More lanes than wait: the count skips the oldest, and the one it jumps to is no accept."""
    plc.stop()
    output = connect(plc, timeout_ms=10_000)
    for seq in range(QUEUE + 1):
        drive(output, seq)
    plc.start()
    until(lambda: len(plc.told(LANE)) == QUEUE)
    assert plc.told(LANE)[0] == [REJECT, 2, 0, 3, 1]
    assert {values[0] for values in plc.told(LANE)[1:]} == {ACCEPT}
    output.close()


def test_connection_begins_with_reject_and_stopped(plc: Plc, output: ModbusOutput) -> None:
    until(lambda: output.healthy)
    assert plc.writes[0] == (FIRST, [0, REJECT, 0, 0, NO_CAMERA, 0, STOPPED])


def test_heartbeat_moves_while_the_gate_ticks(plc: Plc, output: ModbusOutput) -> None:
    until(lambda: len(plc.told(0)) > 5, output.tick)
    beats = [values[0] for values in plc.told(0)]
    assert beats == list(range(len(beats)))
    assert plc.told(STATE) == [[RUNNING]]


def test_held_line_is_told_so_until_it_goes_on(plc: Plc, output: ModbusOutput) -> None:
    until(lambda: plc.told(STATE) == [[RUNNING]], output.tick)
    output.hold(True)
    until(lambda: plc.told(STATE) == [[RUNNING], [HOLD]], output.tick)
    before = len(plc.told(0))
    until(lambda: len(plc.told(0)) > before + 3, output.tick)  # the heartbeat goes on
    output.hold(False)
    until(lambda: plc.told(STATE) == [[RUNNING], [HOLD], [RUNNING]], output.tick)


def test_plc_that_comes_back_to_a_held_line_is_told_so(plc: Plc, output: ModbusOutput) -> None:
    output.hold(True)
    until(lambda: plc.told(STATE) == [[HOLD]], output.tick)
    plc.stop()
    until(lambda: not output.healthy, output.tick)
    plc.start()
    until(lambda: plc.told(STATE) == [[HOLD], [HOLD]], output.tick)


def test_hung_gate_stops_the_heartbeat(plc: Plc, output: ModbusOutput) -> None:
    until(lambda: len(plc.told(0)) > 2, output.tick)
    time.sleep(0.05)
    before = len(plc.told(0))
    time.sleep(0.3)
    assert len(plc.told(0)) == before
    until(lambda: len(plc.told(0)) > before, output.tick)


def test_orderly_stop_delivers_all_and_sets_the_state_last(plc: Plc) -> None:
    output = connect(plc)
    until(lambda: output.healthy)
    for seq in range(20):
        drive(output, seq)
    output.close()
    assert len(plc.told(LANE)) == 20
    assert plc.writes[-1] == (FIRST + STATE, [STOPPED])


def test_plc_that_comes_back_is_served_again(plc: Plc, output: ModbusOutput) -> None:
    until(lambda: output.healthy)
    drive(output, 0)
    until(lambda: len(plc.told(LANE)) == 1)
    plc.stop()
    until(lambda: not output.healthy, output.tick)
    assert str(plc.port) in output.problem()
    assert output.problem() == ""
    plc.start()
    until(lambda: output.healthy, output.tick)
    drive(output, 1)
    until(lambda: plc.told(LANE)[-1] == [ACCEPT, 2, 0, 3, 1])
    again = [values for values in plc.told(0) if len(values) == 7][-1]
    assert again[1:] == [REJECT, 1, 0, 3, 0, STOPPED]


def test_lane_that_waited_too_long_is_never_an_accept(plc: Plc) -> None:
    plc.stop()
    output = connect(plc, timeout_ms=50)
    for seq in range(QUEUE + 10):
        drive(output, seq)
    time.sleep(0.1)
    plc.start()
    until(lambda: plc.told(LANE))
    output.close()
    assert plc.told(LANE) == [[REJECT, QUEUE + 10, 0, 3, QUEUE + 9]]


def test_absent_plc_never_holds_the_gate_up(plc: Plc) -> None:
    plc.stop()
    output = connect(plc)
    until(output.problem)
    for seq in range(10 * QUEUE):
        drive(output, seq)
        output.tick()
    assert not output.healthy
    output.close()
    plc.start()
    assert plc.writes == []


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("pymodbus"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MaintainerError, match=r"inspector\[modbus\]"):
        ModbusOutput(ModbusConfig(host="127.0.0.1"), SystemClock())
