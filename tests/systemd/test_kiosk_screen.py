"""The touchscreen of a booted station: its page is there, comes back, and stays on the box."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from support.machine import Machine
from support.machine.kiosk import kiosk_machine, lacking_for_kiosk, on_screen, until_on_screen

pytestmark = [
    pytest.mark.line,
    pytest.mark.skipif(bool(lacking_for_kiosk()), reason=lacking_for_kiosk() or "all there"),
]
KIOSK, UI = "inspector-kiosk.service", "inspector-ui.service"
PAGE = "http://127.0.0.1:8085/"
WAITING = "Waiting for the station"
# A way out of the machine, with a name server at its end, and nobody who answers.
WAY_OUT = """
ip link add out0 type veth peer name far0
sysctl -qw net.ipv6.conf.out0.disable_ipv6=1 net.ipv6.conf.far0.disable_ipv6=1
ip addr add 198.51.100.2/24 dev out0
ip link set out0 up; ip link set far0 up
ip neigh add 198.51.100.1 lladdr 02:00:00:00:00:01 dev out0
ip route add default via 198.51.100.1
echo nameserver 198.51.100.1 >/etc/resolv.conf
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """The kiosk runs; the screen's server does not yet."""
    with kiosk_machine() as one:
        one.run("sh", "-euc", WAY_OUT)
        one.systemctl("stop", "inspector.target")
        one.systemctl("start", KIOSK)
        yield one


def test_server_of_the_page_is_waited_for_and_the_page_comes_by_itself(machine: Machine) -> None:
    until_on_screen(machine, WAITING)
    machine.systemctl("start", "inspector-record.service", UI)
    seen = until_on_screen(machine, "Log in")
    assert seen["url"].startswith(PAGE)
    assert seen["size"][:2] == [1280, 800]


def test_page_stays_while_its_server_falls_and_lives_again_with_it(machine: Machine) -> None:
    until(lambda: hears(machine))
    os.kill(machine.pid(UI), signal.SIGKILL)
    until(lambda: not hears(machine))
    until(lambda: hears(machine))
    assert "Log in" in on_screen(machine)["text"]


def test_browser_that_is_killed_comes_back(machine: Machine) -> None:
    browser(machine).kill()
    until(lambda: machine.show(KIOSK, "NRestarts")["NRestarts"] != "0")
    until_on_screen(machine, "Log in")


def test_page_that_is_killed_comes_back_in_the_same_browser(machine: Machine) -> None:
    before = machine.pid(KIOSK)
    crashed = pages(machine)
    for one in crashed:
        one.kill()  # as the kernel does when memory is short
    assert not psutil.wait_procs(crashed, 30)[1]
    until_on_screen(machine, "Log in")
    assert machine.pid(KIOSK) == before


def test_compositor_that_is_killed_comes_back_with_the_page(machine: Machine) -> None:
    os.kill(machine.pid("inspector-display.service"), signal.SIGKILL)
    until(lambda: machine.show("inspector-display.service", "NRestarts")["NRestarts"] != "0")
    until_on_screen(machine, "Log in")


def test_what_leads_elsewhere_is_refused_and_the_page_comes_back(machine: Machine) -> None:
    on_screen(machine, leave_for="http://198.51.100.1/")
    until_on_screen(machine, "Log in")


def test_every_page_is_locked_into_the_browsers_own_sandbox(machine: Machine) -> None:
    kiosk = Path(f"/proc/{machine.pid(KIOSK)}/ns")
    drawing = pages(machine)
    assert drawing
    for renderer in (Path(f"/proc/{one.pid}") for one in drawing):
        lines = (renderer / "status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines)
        assert (status["Seccomp"].strip(), status["NoNewPrivs"].strip()) == ("2", "1")
        for space in ("user", "pid", "net"):
            assert (renderer / "ns" / space).readlink() != (kiosk / space).readlink()


@pytest.mark.parametrize("place", ["/etc/inspector/station.toml", "/var/lib/inspector/ledger.db"])
def test_touchscreens_user_reads_nothing_of_the_station(machine: Machine, place: str) -> None:
    assert machine.path(place).exists()
    assert machine.run("cat", place, user="inspector-kiosk", check=False).returncode
    seen = Path(f"/proc/{machine.pid(KIOSK)}/root{place}")
    assert not seen.exists()


def test_nothing_of_the_browser_leaves_the_box(machine: Machine) -> None:
    """After all that was done to it above; and what does leave would have been counted."""
    assert packets(machine) == 0
    machine.run("python3", "-c", "import socket as s; s.socket(2, 2).sendto(b'', ('9.9.9.9', 9))")
    assert packets(machine) == 1


def test_touchscreen_stops_with_the_station_in_good_order(machine: Machine) -> None:
    machine.systemctl("start", "inspector.target")
    machine.systemctl("stop", "inspector.target")
    for unit in (KIOSK, "inspector-display.service"):
        until(partial(stopped, machine, unit))
        assert machine.show(unit, "Result")["Result"] == "success"


def stopped(machine: Machine, unit: str) -> bool:
    return machine.show(unit, "ActiveState")["ActiveState"] == "inactive"


def packets(machine: Machine) -> int:
    return int(machine.run("cat", "/sys/class/net/out0/statistics/tx_packets").stdout)


def hears(machine: Machine) -> bool:
    """Whether the page is connected with its server."""
    said = machine.run("ss", "-Htn", "state", "established", "dport", "=", ":8085")
    return bool(said.stdout)


def browser(machine: Machine) -> psutil.Process:
    (main,) = (
        one
        for one in psutil.Process(machine.pid(KIOSK)).children()
        if "--remote-debugging-pipe" in one.cmdline()
    )
    return main


def pages(machine: Machine) -> list[psutil.Process]:
    """The processes that draw the station's page, and keep one ready."""
    return [one for one in browser(machine).children(recursive=True) if draws(one)]


def draws(one: psutil.Process) -> bool:
    try:
        line = " ".join(one.cmdline())
    except psutil.Error:  # it has just ended
        return False
    return "--type=renderer" in line and "--top-chrome" not in line


def until(done: Callable[[], bool], timeout: float = 60) -> None:
    end = time.monotonic() + timeout
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)
