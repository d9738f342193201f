"""The units follow the tables of processes and folders, and systemd itself accepts them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs
from support.unit_files import PYTHON, UNITS, Values, copied, exposure, one, unit, words

from inspector.core.config import ModbusOutput, StationConfig, load_station
from inspector.core.config_mqtt import Publish
from inspector.core.folders import FOLDERS, MEMBERS, Group, role, user, written_by
from inspector.core.paths import INSTALLED
from inspector.core.topology import Process, processes
from inspector.domain.units import Box, plan, unit_of

ROOT = Path(__file__).parents[2]
CONFIG = load_station(ROOT / "configs" / "station.toml")
TABLE = processes(CONFIG)
BY_NAME = {process.name: process for process in TABLE}
EACH = pytest.mark.parametrize("process", TABLE, ids=lambda process: process.name)
ONE_CPU = Box(frozenset({0}), lambda host: (host,))

# What an installed station runs besides its processes, without a network.
HELPERS = ("inspector-safe@x.service", "inspector-recover.service")


def needs(program: str, package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        shutil.which(program) is None, reason=f"{program} is not installed ({package})"
    )


needs_systemd = needs("systemd-analyze", "apt-get install systemd")


def places(found: Values, key: str) -> set[Path]:
    """Folders of a unit, those that may be absent too."""
    return {Path(word.removeprefix("-")) for word in words(found, key)}


def file_of(process: Process) -> str:
    return f"inspector-{'capture@' if process.camera else process.name}.service"


def test_every_process_has_a_unit_of_its_own() -> None:
    started = {
        path.name
        for path in UNITS.glob("*.service")
        if any(f" {process.module}" in path.read_text() for process in TABLE)
    }
    assert started == {file_of(process) for process in TABLE}


@EACH
def test_unit_starts_and_watches_what_the_table_says(process: Process) -> None:
    found = unit(unit_of(process.name))
    arguments = ["--camera", "%i"] if process.camera else []
    assert words(found, "ExecStart") == [PYTHON, "-m", process.module, *arguments]
    # Its own exit would have it started again at once; that of the process, 78 too, does not.
    first = [f"-{PYTHON}", "-m", "inspector.services.fit", role(process.name)]
    assert words(found, "ExecStartPre") == first + ["%i"] * bool(process.camera)
    assert float(one(found, "WatchdogSec")) == process.watchdog_s
    assert (one(found, "Type"), one(found, "User")) == ("notify", process.user)


@EACH
def test_process_that_falls_is_started_again_and_one_that_loops_is_given_up(
    process: Process,
) -> None:
    """Given up: the output is made safe, and a person called; the timer goes on trying."""
    found = unit(unit_of(process.name))
    assert (one(found, "Restart"), one(found, "RestartSec")) == ("always", "100ms")
    assert one(found, "RestartPreventExitStatus") == "78"
    seconds, burst = int(one(found, "StartLimitIntervalSec")), int(one(found, "StartLimitBurst"))
    assert burst * (process.watchdog_s + 2) < seconds  # one that hangs again and again, too
    assert one(found, "OnFailure") == "inspector-safe@%N.service"
    tried = unit("inspector-recover.service")["ExecStart"][0]
    assert file_of(process).replace("@", "@*") in tried


@EACH
def test_units_stop_in_the_order_of_the_table(process: Process) -> None:
    """systemd stops in the reverse of After=: whoever stops first starts last. Nothing waits for
    the process with the network."""
    after = set(words(unit(unit_of(process.name)), "After"))
    later = [one for one in TABLE if one.stop_rank > process.stop_rank and one.name != "publish"]
    assert {file_of(one) for one in later} <= after
    assert "inspector-publish.service" not in after


def test_target_wants_the_line_and_the_rest_is_enabled_as_the_settings_say() -> None:
    wanted = set(words(unit("inspector.target"), "Wants"))
    enabled = plan(CONFIG, ONE_CPU).enabled
    units = {unit_of(process.name) for process in TABLE}
    assert enabled <= units
    assert units - enabled == units & wanted
    assert "inspector-recover.timer" in wanted
    for process in TABLE:
        found = unit(unit_of(process.name))
        assert one(found, "PartOf") == one(found, "WantedBy") == "inspector.target"


def test_users_and_groups_are_those_of_the_table() -> None:
    lines = (UNITS / "inspector-sysusers.conf").read_text(encoding="utf-8").splitlines()
    made = {tuple(line.split()[:3]) for line in lines if not line.startswith("#")}
    users = {user(process.name) for process in TABLE}
    assert {("u", name, "-") for name in users} <= made
    assert {("g", group, "-") for group in Group if group not in users} <= made
    ours = {(who, group) for kind, who, group in made if kind == "m" and who in users}
    wanted = {(user(who), str(group)) for group, all_ in MEMBERS.items() for who in all_}
    assert ours == {(who, group) for who, group in wanted if who != group}
    strangers = {who for kind, who, group in made if kind == "m" and group in set(Group)} - users
    assert not strangers
    for process in TABLE:  # what is said there is all there is
        found = unit(unit_of(process.name))
        assert not words(found, "Group") + words(found, "SupplementaryGroups")


def test_folders_are_made_as_the_table_has_them() -> None:
    lines = (UNITS / "inspector-tmpfiles.conf").read_text(encoding="utf-8").splitlines()
    made = {tuple(line.split()[1:5]) for line in lines if line.startswith("d ")}
    wanted = {
        (
            str(INSTALLED.folder(one)),
            f"{one.mode:04o}",
            user(one.owner),
            one.group or user(one.owner),
        )
        for one in FOLDERS
    }
    assert wanted <= made
    others = {what[0]: what[1:] for what in made - wanted}
    assert others == {
        "/etc/inspector": ("2750", "root", "inspector"),
        "/etc/inspector/recipes": ("2750", "root", "inspector"),
        "/etc/inspector/secrets": ("0700", "root", "root"),
        "/run/inspector": ("0755", "root", "root"),
    }


@EACH
def test_process_has_no_folder_writable_but_its_own(process: Process) -> None:
    """In its own view of the disk; the owners of the folders say the same once more."""
    found = unit(unit_of(process.name))
    writable = places(found, "ReadWritePaths")
    own = {INSTALLED.folder(folder) for folder in written_by(process.name)}
    assert all(any(path.is_relative_to(top) for top in writable) for path in own)
    assert writable <= own
    hidden = places(found, "InaccessiblePaths")
    assert not any(path.is_relative_to(top) for path in own for top in hidden)
    assert one(found, "ProtectSystem") == "strict"


@pytest.mark.parametrize("name", ["publish", "gate"])
def test_who_may_have_the_network_sees_no_picture_at_all(name: str) -> None:
    hidden = places(unit(f"inspector-{name}.service"), "InaccessiblePaths")
    assert {INSTALLED.evidence, INSTALLED.models, INSTALLED.workshop, INSTALLED.frames} <= hidden
    assert (INSTALLED.spool in hidden) == (name == "publish")


@EACH
def test_folder_that_is_not_there_keeps_no_process_from_starting(process: Process) -> None:
    """Somebody has removed it, or it is a link to a disk that is away."""
    found = unit(unit_of(process.name))
    needed = {one for one in words(found, "ReadWritePaths") if not one.startswith("-")}
    assert all(one.startswith("/run/") for one in needed)  # which are made at each boot
    assert {one for one in words(found, "InaccessiblePaths") if not one.startswith("-")} == {
        "/dev/shm"
    }


@EACH
def test_as_shipped_nobody_has_a_network_but_the_screen_this_box(process: Process) -> None:
    found = unit(unit_of(process.name))
    assert one(found, "IPAddressDeny") == "any"
    if process.name == "ui":
        assert one(found, "IPAddressAllow") == "localhost"
    else:
        assert one(found, "PrivateNetwork") == "yes"
        assert words(found, "RestrictAddressFamilies") == ["AF_UNIX"]
        assert "IPAddressAllow" not in found


def test_what_stands_beside_the_line_gives_way_to_it() -> None:
    """What takes too much memory falls before anything of the line does."""
    line, side = (unit(f"inspector-{name}.slice") for name in ("line", "side"))
    assert int(one(line, "CPUWeight")) >= 10 * int(one(side, "CPUWeight"))
    assert {"MemoryHigh", "MemoryMax"} <= side.keys()
    slices, scores = {}, {}
    for process in TABLE:
        found = unit(unit_of(process.name))
        slices[process.name] = one(found, "Slice").removeprefix("inspector-").removesuffix(".slice")
        scores[process.name] = int(one(found, "OOMScoreAdjust"))
    assert {name for name, slice_ in slices.items() if slice_ == "side"} == {
        "publish",
        "workshop",
        "ui",
    }
    line_names = [name for name, slice_ in slices.items() if slice_ == "line"]
    assert max(scores[name] for name in line_names) < 0
    assert min(scores[name] for name in slices if name not in line_names) > 0
    assert one(unit("inspector-workshop.service"), "OOMPolicy") == "continue"


def test_hung_process_is_ended_at_once_and_dumps_no_memory() -> None:
    found = unit("inspector-detect.service")
    assert (one(found, "WatchdogSignal"), one(found, "LimitCORE")) == ("SIGKILL", "0")


@EACH
def test_memory_that_is_written_cannot_be_run_but_where_kernels_are_compiled(
    process: Process,
) -> None:
    """OpenVINO compiles its kernels at run time."""
    closed = one(unit(unit_of(process.name)), "MemoryDenyWriteExecute") == "yes"
    assert closed == (process.name not in ("detect", "workshop"))


@needs_systemd
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    units = copied(tmp_path, sys.executable, plan(with_network(), ONE_CPU).drop_ins)
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units]
    checked = subprocess.run(command, capture_output=True, text=True)
    ours = [line for line in checked.stderr.splitlines() if "inspector" in line]
    assert (checked.returncode, ours) == (0, [])


@needs_systemd
def test_exposure_is_what_was_promised(tmp_path: Path) -> None:
    """At most 0.5 without a network, at most 1.5 with one, by systemd's own count."""
    copied(tmp_path, sys.executable, plan(with_network(), ONE_CPU).drop_ins)
    networked = {"gate", "publish", "ui"}
    for process in TABLE:
        most = 1.5 if process.name in networked else 0.5
        assert exposure(unit_of(process.name), tmp_path) <= most, process.name


@needs_systemd
def test_without_network_in_the_settings_all_but_the_screen_are_closed(tmp_path: Path) -> None:
    copied(tmp_path, sys.executable, plan(CONFIG, ONE_CPU).drop_ins)
    names = [unit_of(process.name) for process in TABLE if process.name != "ui"]
    for name in (*names, *HELPERS):
        assert exposure(name, tmp_path) <= 0.5, name


def with_network() -> StationConfig:
    """A station with a PLC and a broker, and the line on processors of its own."""
    return structs.replace(
        CONFIG,
        output=ModbusOutput(host="192.0.2.7"),
        publish=Publish(host="192.0.2.8", password_file="mqtt-password", username="s"),
    )
