"""The older layout of control groups, in which memory limits bite here: these, and what has to hold
in either layout.
"""

from collections.abc import Iterator

import pytest
from support.machine import needs_machine
from support.sandbox import BROKER, NAMES, PLC, Station, probed, reached
from support.unit_files import one, unit

from inspector.domain.units import unit_of

pytestmark = [needs_machine(), pytest.mark.line]

MEMORY = "/sys/fs/cgroup/memory"
MIB = 1 << 20
UNITS_OF = {"M": MIB, "G": 1 << 30}
TOO_MUCH = "import mmap; m = mmap.mmap(-1, 700 << 20); m.write(bytes(700 << 20)); print('HAD IT')"


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    with probed("hybrid") as station:
        yield station


@pytest.mark.parametrize(("service", "to"), [("gate", PLC), ("publish", BROKER)])
def test_addresses_are_filtered_in_the_older_layout_too(
    station: Station, service: str, to: str
) -> None:
    assert reached(station.probe(service)) == {to}


@pytest.mark.parametrize("service", NAMES)
def test_memory_limit_of_a_unit_is_the_kernels(station: Station, service: str) -> None:
    shipped = one(unit(unit_of(service)), "MemoryMax")
    group = station.machine.show(unit_of(service), "ControlGroup")["ControlGroup"]
    limit = int(station.machine.run("cat", f"{MEMORY}{group}/memory.limit_in_bytes").stdout)
    assert not shipped or limit == int(shipped[:-1]) * UNITS_OF[shipped[-1]]


def test_process_that_takes_too_much_memory_is_ended_and_the_line_goes_on(
    station: Station,
) -> None:
    machine = station.machine
    before = {name: machine.pid(unit_of(name)) for name in ("gate", "record", "detect")}
    name = unit_of("publish")
    taking = f'[Service]\nExecStartPost=-/usr/bin/python3 -I -c "{TOO_MUCH}"\n'
    path = f"/run/systemd/system/{name}.d/95-too-much.conf"
    machine.run("install", "-D", "-m", "644", "/dev/stdin", path, input=taking)
    machine.systemctl("daemon-reload")
    machine.systemctl("restart", name)
    assert "HAD IT" not in " ".join(str(one["MESSAGE"]) for one in machine.journal("-u", name))
    group = machine.show(name, "ControlGroup")["ControlGroup"]
    counted = machine.run("cat", f"{MEMORY}{group}/memory.oom_control").stdout.split()
    assert int(counted[counted.index("oom_kill") + 1]) >= 1
    assert before == {name: machine.pid(unit_of(name)) for name in before}
