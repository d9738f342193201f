"""The units follow the table of processes, and systemd itself accepts them."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inspector.core.config import load_station
from inspector.core.topology import Process, processes

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
PYTHON = "/opt/inspector/.venv/bin/python"
TABLE = processes(load_station(ROOT / "configs" / "station.toml"))
BY_NAME = {process.name: process for process in TABLE}


class Unit(configparser.RawConfigParser):
    """One unit file; the last value of a key that stands several times."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False)
        self.optionxform = str  # keys keep their case
        self.read_string(path.read_text(encoding="utf-8"))

    def words(self, section: str, key: str) -> list[str]:
        return self.get(section, key, fallback="").split()


def unit_name(process: Process) -> str:
    name = "capture@" if process.camera else process.name
    return f"inspector-{name}.service"


def unit(process: Process) -> Unit:
    return Unit(UNITS / unit_name(process))


def test_every_process_has_a_unit_and_every_unit_a_process() -> None:
    assert {path.name for path in UNITS.glob("*.service")} == {unit_name(one) for one in TABLE}


@pytest.mark.parametrize("process", TABLE, ids=lambda process: process.name)
def test_unit_starts_and_watches_what_the_table_says(process: Process) -> None:
    service = unit(process)["Service"]
    arguments = ["--camera", "%i"] if process.camera else []
    assert service["ExecStart"].split() == [PYTHON, "-m", process.module, *arguments]
    assert float(service["WatchdogSec"]) == process.watchdog_s
    assert (service["Type"], service["Restart"]) == ("notify", "on-failure")
    assert unit(process)["Unit"]["StartLimitIntervalSec"] == "0"


@pytest.mark.parametrize("process", TABLE, ids=lambda process: process.name)
def test_units_stop_in_the_order_of_the_table(process: Process) -> None:
    """systemd stops in the reverse of After=: whoever stops first starts last. Nothing waits for
    the process with the network."""
    after = set(unit(process).words("Unit", "After"))
    later = [one for one in TABLE if one.stop_rank > process.stop_rank and one.name != "publish"]
    assert {unit_name(one) for one in later} <= after
    assert "inspector-publish.service" not in after


def test_target_wants_all_but_the_cameras_which_are_enabled_by_name() -> None:
    target = Unit(UNITS / "inspector.target")
    fixed = {unit_name(process) for process in TABLE if not process.camera}
    assert set(target.words("Unit", "Wants")) == fixed
    for process in TABLE:
        assert unit(process)["Unit"]["PartOf"] == "inspector.target"
        assert unit(process)["Install"]["WantedBy"] == "inspector.target"


def test_process_with_the_network_may_not_read_frames_or_evidence() -> None:
    publish = unit(BY_NAME["publish"])
    identities = publish.words("Service", "Group") + publish.words("Service", "SupplementaryGroups")
    assert identities == ["inspector"]
    assert publish["Service"]["User"] != "inspector"
    hidden = {path.lstrip("-") for path in publish.words("Service", "InaccessiblePaths")}
    state, run = "/var/lib/inspector", "/run/inspector"
    assert hidden == {f"{state}/evidence", f"{state}/workshop", f"{run}/spool"}
    makers = {f"inspector-{name}.service" for name in ("record", "workshop", "gate")}
    assert makers <= set(publish.words("Unit", "After"))  # what is not there cannot be hidden
    camera = next(process for process in TABLE if process.camera)
    for maker_of_rings in (camera, BY_NAME["detect"]):
        assert unit(maker_of_rings)["Service"]["Group"] == "inspector-frames"


def test_gate_is_not_in_the_group_of_the_frames() -> None:
    gate = unit(BY_NAME["gate"])
    groups = gate.words("Service", "Group") + gate.words("Service", "SupplementaryGroups")
    assert groups == ["inspector"]
    members = (UNITS / "inspector-sysusers.conf").read_text(encoding="utf-8")
    assert "m inspector inspector-frames" not in members


@pytest.mark.parametrize("process", TABLE, ids=lambda process: process.name)
def test_only_publish_and_the_way_to_the_plc_have_a_network(process: Process) -> None:
    """The screen's server has this box's own alone: it may read frames."""
    service = unit(process)["Service"]
    has_network = service.get("PrivateNetwork") != "yes"
    assert has_network == (process.name in {"publish", "gate", "ui"})
    own = (service.get("IPAddressDeny"), service.get("IPAddressAllow"))
    assert (own == ("any", "localhost")) == (process.name == "ui")


def test_workshop_gives_way_to_the_line() -> None:
    """What the work at hand takes too much of ends the work, not the workshop, and not the line."""
    service = unit(BY_NAME["workshop"])["Service"]
    assert (service["Nice"], service["CPUWeight"], service["OOMPolicy"]) == ("19", "20", "continue")
    assert service["MemoryMax"] == "2G"
    assert int(service["OOMScoreAdjust"]) > 0


def test_screen_may_change_nothing_but_its_own_address() -> None:
    service = unit(BY_NAME["ui"])["Service"]
    assert service["User"] == "inspector-ui"
    assert service["ReadOnlyPaths"] == "/var/lib/inspector"
    assert service["ReadWritePaths"] == "/run/inspector"
    assert service["ProtectSystem"] == "strict"
    members = (UNITS / "inspector-sysusers.conf").read_text(encoding="utf-8")
    assert "m inspector-ui inspector-frames" in members


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is not installed (apt-get install systemd)",
)
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in [*UNITS.glob("*.service"), *UNITS.glob("*.target")]:
        text = path.read_text(encoding="utf-8").replace(PYTHON, sys.executable)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    units = sorted(str(path) for path in tmp_path.iterdir())
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True,
        text=True,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
