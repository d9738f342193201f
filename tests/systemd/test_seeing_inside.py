"""What a maintainer sees of a station with the tools at hand: the journal, and our own commands."""

import json
import os
import signal
import tarfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from support.machine import Machine, boot, installed_root, needs_machine, station_files

pytestmark = [needs_machine(), pytest.mark.line]

SERVICES = ("record", "gate", "detect", "capture", "publish", "ui", "workshop")
SECRET = "hunter2-of-the-broker"
PASSWORD = "/etc/inspector/secrets/mqtt-password"
# A broker that is not there: something to tell of, and a password to keep.
PUBLISH = {
    "host": "10.9.0.8",
    "port": 1883,
    "tls": False,
    "username": "st7",
    "password_file": "mqtt-password",
}
PATIENCE_S = 90
BUSY_PARTS = 60
FEW_LINES = 6  # in a time in which so many parts passed; each cause of faults has one a minute


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    files = station_files(takt_ms=50.0, publish=PUBLISH) | {PASSWORD: SECRET + "\n"}
    with boot(installed_root(), files=files) as one:
        until(lambda: committed(one) > 0)
        yield one


def committed(machine: Machine) -> int:
    done = machine.run("inspector", "status", "--json", check=False)
    return int(json.loads(done.stdout).get("committed", 0)) if done.stdout else 0


def until(condition: Callable[[], Any]) -> Any:
    limit = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < limit
        time.sleep(0.2)
    return found


def test_every_service_speaks_under_its_own_name(machine: Machine) -> None:
    ready = machine.journal("--grep", "^ready$")
    named = {entry["SYSLOG_IDENTIFIER"].removeprefix("inspector-") for entry in ready}
    assert {name.partition("-")[0] for name in named} == set(SERVICES)
    assert all(entry["PRIORITY"] == "6" for entry in ready)


def test_event_is_found_by_its_code_and_is_one_line(machine: Machine) -> None:
    down = until(lambda: machine.journal("INSPECTOR_EVENT=broker_down"))
    assert len(down) == 1
    (entry,) = down
    assert entry["INSPECTOR_ALARM"] == "broker_down"
    assert entry["INSPECTOR_SERVICE"] == "publish"
    assert entry["_SYSTEMD_UNIT"] == "inspector-publish.service"
    assert entry["PRIORITY"] == "4"


def test_parts_that_pass_make_no_noise(machine: Machine) -> None:
    """A service's line here and there; never one a part."""
    cursor = machine.journal("-n", "1")[0]["__CURSOR"]
    before = committed(machine)
    until(lambda: committed(machine) >= before + BUSY_PARTS)
    said = machine.journal(f"--after-cursor={cursor}", "-u", "inspector-*")
    assert len(said) <= FEW_LINES, [entry["MESSAGE"] for entry in said]


def test_fault_is_named_in_the_journal_and_its_story_told(machine: Machine) -> None:
    """detect hangs: parts get no decision in time."""
    machine.run("journalctl", "--rotate", "-q")
    pid = machine.pid("inspector-detect.service")
    os.kill(pid, signal.SIGSTOP)
    try:
        entries = until(lambda: machine.journal("INSPECTOR_CAUSE=late"))
    finally:
        os.kill(pid, signal.SIGCONT)
    fault = entries[0]
    assert fault["INSPECTOR_VERDICT"] == "fault"
    assert fault["INSPECTOR_LANE"] == "reject"
    assert machine.journal(f"INSPECTOR_PART={fault['INSPECTOR_PART']}") == entries[:1]
    told = machine.run("inspector", "why", fault["INSPECTOR_PART"]).stdout
    assert f"stream {fault['INSPECTOR_STREAM']}" in told
    assert "verdict   fault (late): " in told
    assert "output    lane reject" in told


def test_doctor_finds_an_installed_station_as_it_should_be(machine: Machine) -> None:
    told = json.loads(machine.run("inspector", "doctor", "--json", check=False).stdout)
    checks = {check["what"]: check for check in told["checks"]}
    for what in ("folders", "unit settings", "time", "configuration"):
        assert checks[what]["state"] == "ok", checks[what]
    machine.run("chown", "root", "/var/lib/inspector/workshop")
    told = json.loads(machine.run("inspector", "doctor", "--json", check=False).stdout)
    machine.run("chown", "inspector-workshop", "/var/lib/inspector/workshop")
    (folders,) = [check for check in told["checks"] if check["what"] == "folders"]
    assert folders["state"] == "bad"
    assert "/var/lib/inspector/workshop: belongs to root" in folders["text"]


def test_status_tells_of_the_units_while_record_is_down(machine: Machine) -> None:
    machine.systemctl("stop", "inspector-record.service")
    try:
        done = machine.run("inspector", "status", "--json", check=False)
    finally:
        machine.systemctl("start", "inspector-record.service")
    assert done.returncode == 78
    station = json.loads(done.stdout)["station"]
    units = {unit["name"]: unit["state"] for unit in station["units"]}
    assert units["inspector-record.service"] == "inactive"
    assert units["inspector-gate.service"] == "active"
    assert units["inspector.target"] == "active"
    assert station["release"]


def test_support_bundle_has_journal_and_units_and_no_secret(machine: Machine) -> None:
    machine.run("logger", "-t", "inspector-test", f"somebody wrote {SECRET} into the journal")
    machine.run("systemd-cat", "-t", "inspector-gate", "echo", f"password={SECRET}")
    machine.run("inspector", "support-bundle", "--out", "/root/support.tar.gz")
    data = machine.path("/root/support.tar.gz").read_bytes()
    with tarfile.open(fileobj=BytesIO(data)) as tar:
        files = {
            one.name.partition("/")[2]: file.read()
            for one in tar.getmembers()
            if (file := tar.extractfile(one))
        }
    assert files["missing.txt"] == b""
    assert [name for name, text in files.items() if SECRET.encode() in text] == []
    entries = [json.loads(line) for line in files["journal.jsonl"].splitlines()]
    assert any(entry.get("INSPECTOR_EVENT") == "broker_down" for entry in entries)
    assert b"ExecStart=" in files["units.txt"]
    assert json.loads(files["metrics.json"])
    assert json.loads(files["status.json"])["station"]["units"]
