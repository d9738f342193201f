"""A station in a machine, with a PLC, a broker, a stranger's server, and a probe for its services.

Promises: the probe is started by systemd as one more process of the unit (ExecStartPost=), so that
user, groups, system calls, mounts, devices and address filters are those of the service itself.
Never: leaves the machine's network, or a process behind.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inspector.core.config import load_station
from inspector.core.folders import FOLDERS, role, user
from inspector.core.paths import INSTALLED
from inspector.core.topology import processes
from inspector.domain.units import unit_of

from .machine import Machine, boot, installed_root, station_files
from .machine.booting import Cgroups

PROBE = Path(__file__).with_name("sandbox_probe.py")
CHECKOUT = Path(__file__).parents[2]
TABLE = processes(load_station(CHECKOUT / "configs" / "station.toml"))
NAMES = [process.name for process in TABLE]

# What the kernel or the unit's view of the disk answers to somebody who may not.
NOT_ALLOWED = {"EPERM", "EACCES", "ENOSYS", "EAFNOSUPPORT", "EROFS"}
NOT_THERE = {"ENOENT", "ESRCH", "ENXIO", "ENODEV"}  # hidden from it
NO_WAY = {"ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "timed out"}  # of another network

PLC, BROKER, ELSEWHERE = "10.9.0.7:1502", "10.9.0.8:1883", "10.9.0.9:7000"
SECRET = "mqtt-password"
PICTURE = INSTALLED.workshop / "cap" / "good" / "one.png"
GOLDEN = INSTALLED.models / "cap" / "golden" / "one.png"

# Answers "!" to whoever comes, at each address given.
LISTENER = """
import select, socket, sys
doors = [socket.create_server((h, int(p))) for h, p in (a.rsplit(":", 1) for a in sys.argv[1:])]
print("ready", flush=True)
while True:
    for door in select.select(doors, [], [])[0]:
        with door.accept()[0] as guest:
            guest.sendall(b"!")
"""


class Station:
    """The machine, what may be tried in it, and what came of it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.found: dict[str, dict[str, str]] = {}
        self.evidence = self._evidence()

    def probe(self, service: str) -> dict[str, str]:
        """What each attempt came to; made once."""
        if service not in self.found:
            self.found[service] = self._probe(service)
        return self.found[service]

    def _probe(self, service: str) -> dict[str, str]:
        unit = unit_of(service)
        self._write(f"/run/{service}.json", json.dumps(self._given(service)))
        again = f"[Service]\nExecStartPost=/usr/bin/python3 -I /run/probe.py /run/{service}.json\n"
        self._write(f"/run/systemd/system/{unit}.d/90-probe.conf", again)
        self.machine.systemctl("daemon-reload")
        self.machine.systemctl("restart", unit)
        lines = [str(entry["MESSAGE"]) for entry in self.machine.journal("-u", unit)]
        told = [line for line in lines if line.startswith("PROBE ")]
        assert told, lines[-20:]
        found: dict[str, str] = json.loads(told[-1].removeprefix("PROBE "))
        return found

    def without(self) -> dict[str, str]:
        """The same attempts by root, in no sandbox."""
        self._write("/run/free.json", json.dumps(self._given("")))
        said = self.machine.run("python3", "-I", "/run/probe.py", "/run/free.json").stdout
        found: dict[str, str] = json.loads(said.splitlines()[-1].removeprefix("PROBE "))
        return found

    def _given(self, service: str) -> dict[str, list[str]]:
        folders = [str(INSTALLED.folder(folder)) for folder in FOLDERS]
        (spool,) = self.machine.run("sh", "-c", f"ls {INSTALLED.spool}/*").stdout.split()[:1]
        others = [name for name in ("gate", "record", "publish") if name != role(service)]
        pids = {name: self.machine.show(unit_of(name), "MainPID")["MainPID"] for name in others}
        return {
            "read": [*map(str, READ), self.evidence, spool],
            "list": [str(INSTALLED.evidence), str(INSTALLED.backups), "/root", "/home"],
            "change": [str(INSTALLED.ledger), str(INSTALLED.station_file), "/etc/passwd"],
            "write": [
                *folders,
                "/etc/inspector",
                "/opt",
                "/usr/lib",
                "/var/lib",
                "/run",
                "/etc",
                "/dev/shm",
                "/run/lock",
            ],
            "reach": [PLC, BROKER, ELSEWHERE],
            "touch": ["systemd 1", *(f"{name} {pid}" for name, pid in pids.items())],
        }

    def _evidence(self) -> str:
        find = f"find {INSTALLED.evidence} -name '*.jpg' | head -n 1"
        for _ in range(100):
            if found := self.machine.run("sh", "-c", find).stdout.strip():
                return found
            self.machine.run("sleep", "0.1")
        raise AssertionError("no evidence was kept")

    def _write(self, path: str, text: str) -> None:
        self.machine.run("install", "-D", "-m", "644", "/dev/stdin", path, input=text)


READ = (
    INSTALLED.ring("cam0"),
    INSTALLED.ledger,
    INSTALLED.people,
    INSTALLED.console_key,
    INSTALLED.config / "secrets" / SECRET,
    Path("/run/credentials/inspector-publish.service") / SECRET,
    PICTURE,
    GOLDEN,
    Path("/etc/shadow"),
)


def settings() -> dict[str, str]:
    """A station with a PLC, a broker and a secret; its services as the package enables them."""
    host, port = BROKER.rsplit(":", 1)
    publish = {"host": host, "port": int(port), "tls": False, "username": "s"}
    plc, plc_port = PLC.rsplit(":", 1)
    output = {"kind": "modbus", "host": plc, "port": int(plc_port)}
    return station_files(publish={**publish, "password_file": SECRET}, output=output) | {
        f"/etc/inspector/secrets/{SECRET}": "hush\n",
        "/run-probe.py": PROBE.read_text(),
    }


@contextmanager
def plant(machine: Machine) -> Iterator[None]:
    """A PLC, a broker and a stranger's server that can be reached from the machine."""
    for place in (PLC, BROKER, ELSEWHERE):
        address = place.rsplit(":", 1)[0]
        assert machine.netns(["ip", "address", "add", f"{address}/24", "dev", "lo"]).wait() == 0
    command = [sys.executable, "-c", LISTENER, PLC, BROKER, ELSEWHERE]
    server = machine.netns(command, stdout=subprocess.PIPE)
    try:
        assert server.stdout
        assert server.stdout.readline() == "ready\n"
        yield
    finally:
        server.kill()
        server.communicate()


@contextmanager
def probed(cgroups: Cgroups = "v2") -> Iterator[Station]:
    """A station that inspects, its ways out opened as its settings say."""
    with boot(installed_root(), cgroups=cgroups, files=settings()) as machine, plant(machine):
        machine.run("cp", "/run-probe.py", "/run/probe.py")
        machine.run("inspector", "units")
        for path in (PICTURE, GOLDEN):
            make = f"umask 027; mkdir -p {path.parent}; echo pixels >{path}"
            machine.run("sh", "-c", make, user=user("workshop"))
        machine.systemctl("restart", "inspector.target")
        yield Station(machine)


def refused(found: dict[str, str], attempt: str, *, hidden: bool = True) -> bool:
    """True when an attempt was not allowed; `hidden`: or what it went for cannot be seen."""
    why = found[attempt].removeprefix("refused: ")
    return why in NOT_ALLOWED or (hidden and why in NOT_THERE)


def reached(found: dict[str, str]) -> set[str]:
    """Whom a service could reach. All others were out of reach for a reason that is known."""
    places = {place for place in (PLC, BROKER, ELSEWHERE) if found[f"reach {place}"] == "done"}
    for place in {PLC, BROKER, ELSEWHERE} - places:
        why = found[f"reach {place}"].removeprefix("refused: ")
        assert why in NOT_ALLOWED | NO_WAY, why
    return places
