"""The plug pulled at random moments: what was committed is there, and the station inspects."""

import random

import pytest
from support.machine import needs_machine
from support.machine.power import CutStation, disk

pytestmark = [needs_machine(), pytest.mark.line]

CUTS = 3  # `python -m support.machine.power` does fifty


def test_power_cut_loses_nothing_that_was_committed_and_needs_nobody() -> None:
    with disk() as one:
        station = CutStation(one, random.Random(7))
        for _ in range(CUTS):
            station.live_and_die(longest_s=3.0)
        assert station.last_look()
