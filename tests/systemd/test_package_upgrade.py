"""Another version of the program on a station that inspects: it takes over, or gives way again."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.machine import Machine, boot, installed_root, needs_machine
from support.machine.fresh import FILES, SETUP, until_committed
from support.machine.releases import another, next_package, running

from inspector.domain.upgrade import Step

pytestmark = [needs_machine(), pytest.mark.line]

# All steps take some five minutes; two of them are tried each time.
CUTS = list(Step) if os.environ.get("INSPECTOR_UPGRADE_CUTS") else [Step.SWITCHING]
PATIENCE_S = 180.0  # a trial takes a minute at most, on a box with nothing else to do
CRASHES = {"services/gate/process.py": "raise SystemExit('a gate that cannot be started')"}
# Other tables, and a screen that falls: the line inspects and records meanwhile.
MIGRATES_BADLY = {
    "devices/ledger/migrations/__init__.py": "MIGRATIONS = (*MIGRATIONS, 'ALTER TABLE outcome "
    "ADD COLUMN colour TEXT')",
    "ui/__main__.py": "",
    "ui/process.py": "import time; time.sleep(0.5); raise SystemExit('a screen that falls')",
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the machine sees as /mnt."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="module")
def machine(packages: Path) -> Iterator[Machine]:
    """A station that inspects, and after each test does so again."""
    with boot(installed_root(), files=FILES, binds={"/mnt": packages}) as made:
        made.run(*SETUP)
        until_committed(made, 3)
        yield made


def parts(machine: Machine) -> set[tuple[str, int]]:
    """Each committed part, by stream and number."""
    query = "SELECT stream.uuid, seq FROM outcome JOIN stream ON stream.id = stream_id"
    script = (
        "import json, sqlite3, sys; print(json.dumps("
        "sqlite3.connect('file:/var/lib/inspector/ledger.db?mode=ro', uri=True)"
        f".execute('{query}').fetchall()))"
    )
    found = json.loads(machine.run("python3", "-c", script).stdout)
    assert len({tuple(one) for one in found}) == len(found)
    return {(stream, seq) for stream, seq in found}


def told_of(machine: Machine, name: str) -> str:
    """What the alarm of a return from this release says."""
    texts = [one["text"] for one in machine.live()["alarms"] if one["code"] == "upgrade_returned"]
    (text,) = [text for text in texts if text.startswith(f"release {name} was returned from")]
    return str(text)


def upgrade(machine: Machine, name: str, check: bool = True) -> str:
    done = machine.run("inspector", "upgrade", "--to", name, check=False, timeout=PATIENCE_S)
    assert (done.returncode == 0) is check, done
    return done.stderr


def test_next_package_takes_over_with_all_that_was_recorded(
    machine: Machine, packages: Path
) -> None:
    before, old = parts(machine), running(machine)
    package = next_package(packages, "99.0.0")
    install = ("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-unsafe-io", "-i")
    machine.run(*install, f"/mnt/{package.name}", timeout=PATIENCE_S)
    assert running(machine).startswith("99.0.0-")
    assert machine.run("inspector", "--version").stdout == "inspector 99.0.0\n"
    assert machine.run("dpkg", "--verify", "inspector").stdout == ""
    until_committed(machine, machine.live()["committed"] + 3)
    assert before < parts(machine)
    assert machine.show("inspector-publish.service", "LoadState")["LoadState"] == "loaded"
    status = json.loads(machine.run("inspector", "upgrade", "--status", "--json").stdout)
    assert (status["previous"], status["upgrade"]) == (old, None)


def test_version_that_crashes_is_returned_from(machine: Machine) -> None:
    old = running(machine)
    another(machine, "9.1", CRASHES)
    told = upgrade(machine, "9.1", check=False)
    assert "inspector-gate.service" in told
    before = parts(machine)
    until_committed(machine, len(before) + 2)
    assert before < parts(machine)
    assert running(machine) == old
    assert "inspector-gate.service" in told_of(machine, "9.1")
    assert "9.1" in machine.run("inspector", "status", "--once").stdout
    assert "stays unused" in upgrade(machine, "9.1", check=False)  # it is remembered


def test_version_that_migrates_badly_is_returned_from_with_what_it_recorded(
    machine: Machine,
) -> None:
    old, before = running(machine), parts(machine)
    another(machine, "9.2", MIGRATES_BADLY)
    upgrade(machine, "9.2", check=False)
    until_committed(machine, len(before) + 2)
    told = told_of(machine, "9.2")
    carried = int(told.split(" outcomes were carried over")[0].rpartition(" ")[2])
    assert carried > 0
    assert running(machine) == old
    assert before < parts(machine)


@pytest.mark.parametrize("step", CUTS, ids=lambda step: step.value)
def test_power_cut_in_the_middle_of_an_upgrade(tmp_path: Path, step: Step) -> None:
    """The box starts, inspects, and the upgrade has gone one way or the other."""
    bad = step in (Step.RETURNING, Step.TELLING)
    disk, root = tmp_path / "disk", installed_root()
    with boot(root, files=FILES, disk=disk) as machine:
        machine.run(*SETUP)
        until_committed(machine, 3)
        old, before = running(machine), parts(machine)
        another(machine, "9.3", CRASHES if bad else {})
        machine.run("sync")
        conductor = ("inspector", "upgrade", "--to", "9.3")
        machine.run("systemd-run", "--quiet", "--no-block", *conductor)
        until_step(machine, step)
        machine.cut_power()
    with boot(root, disk=disk) as machine:
        until_committed(machine, len(before) + 2)
        until_over(machine)
        assert running(machine) == (old if bad else "9.3")
        until_committed(machine, 1)
        assert before < parts(machine)
        assert not machine.systemctl("list-units", "--failed", "--no-legend").stdout


def until_step(machine: Machine, step: Step) -> None:
    """Until the upgrade has come to this step."""
    until = time.monotonic() + PATIENCE_S
    journal = machine.path("/opt/inspector/upgrade.json")
    while True:
        if journal.exists() and json.loads(journal.read_text())["step"] == step.value:
            return
        assert time.monotonic() < until
        time.sleep(0.01)


def until_over(machine: Machine) -> None:
    until = time.monotonic() + PATIENCE_S
    while machine.path("/opt/inspector/upgrade.json").exists():
        assert time.monotonic() < until
        time.sleep(0.2)
