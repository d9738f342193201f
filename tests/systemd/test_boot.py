"""A station in a machine of its own: from power to the first part, and to a stop in good order."""

import time

import pytest
from support.machine import boot, installed_root, needs_machine, station_files
from support.machine.line import inspecting
from support.machine.plc import OUTPUT, plc
from support.machine.timing import boot_times

from inspector.core.terms import Kind
from inspector.devices.modbus import STATE, STOPPED

pytestmark = [needs_machine(), pytest.mark.line]

# What the appliance promises on a box of its own; here three tests share two processors.
FIRST_OUTCOME_S, STOP_S, LOADED = 5.0, 3.0, 5


def test_station_inspects_within_seconds_and_stops_with_every_part_committed() -> None:
    """From power to the first part; a stop in good order, as at the end of a shift: each trigger
    has its outcome on disk, and the PLC was told of each and to stop last; and a start, after which
    the machine is switched off as a maintainer does it."""
    with (
        boot(installed_root(), files=station_files(output=OUTPUT), wait=False) as machine,
        plc(machine) as lane,
        inspecting(machine) as line,
    ):
        times = boot_times(line)
        assert times.first_outcome_s < FIRST_OUTCOME_S * LOADED, times
        assert line.stop() < STOP_S * LOADED
        parts = line.account()
        assert any(part.outcome.kind is Kind.PASS for part in parts)
        assert lane.writes[-1].sets(STATE, STOPPED)
        told = [write for write in lane.writes if write.count]
        assert told[-1].count == len(parts)
        assert not machine.journal("-u", "inspector-*", "--grep", "Traceback")

        machine.systemctl("start", "inspector.target")
        line.inspected_after(time.time_ns())
        machine.power_off()
        assert lane.writes[-1].sets(STATE, STOPPED)
