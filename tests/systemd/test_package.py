"""The Debian package: checked, installed without a network, set up, removed, purged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.machine import boot, installed_root, needs_machine
from support.machine.fresh import FILES, SETUP, until_committed

CHECKOUT = Path(__file__).parents[2]
BUILD = CHECKOUT / "systemd" / "build-deb"
# The whole package takes lintian a minute, nearly all of it for the libraries of others.
WHOLE = bool(os.environ.get("INSPECTOR_LINTIAN_WHOLE"))

GONE = ("/opt/inspector", "/usr/bin/inspector", "/usr/lib/inspector", "/var/cache/inspector")


@pytest.mark.skipif(shutil.which("lintian") is None, reason="lintian is not installed")
def test_lintian_finds_no_error_in_the_package(tmp_path: Path) -> None:
    bare = [] if WHOLE else ["--bare"]
    command = [sys.executable, str(BUILD), str(tmp_path), *bare]
    subprocess.run(command, check=True, capture_output=True)
    (package,) = tmp_path.glob("*.deb")
    told = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error", str(package)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert not [line for line in told.stdout.splitlines() if line.startswith("E:")], told.stdout
    assert told.returncode == 0, told.stderr


@needs_machine()
@pytest.mark.line
def test_installs_without_a_network_and_one_command_later_the_line_inspects() -> None:
    """In a minimal system, with a network of its own that leads nowhere."""
    with boot(installed_root(), files=FILES) as machine:
        links = machine.run("cat", "/proc/net/dev").stdout.splitlines()[2:]
        assert {line.split(":")[0].strip() for line in links} == {"lo"}
        assert machine.run("dpkg", "--verify", "inspector").stdout == ""
        status = machine.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "inspector").stdout
        assert status == "installed"
        machine.run(*SETUP)
        until_committed(machine, 3)
        refused = machine.run(*SETUP, check=False)
        assert refused.returncode == 78
        assert "--replace" in refused.stderr
        mode = machine.run("stat", "-c", "%a %U %G", "/etc/inspector/station.toml").stdout
        assert mode == "640 root inspector\n"
        assert machine.systemctl("is-enabled", "inspector.target").stdout == "enabled\n"
        assert machine.run("inspector", "check-config").returncode == 0
        assert not machine.systemctl("list-units", "--failed", "--no-legend").stdout


@needs_machine()
@pytest.mark.line
@pytest.mark.parametrize("remove_records", [False, True])
def test_remove_keeps_settings_and_records_purge_takes_records_only_if_told(
    remove_records: bool,
) -> None:
    with boot(installed_root(), files=FILES) as machine:
        machine.run(*SETUP, "--no-start")
        machine.run("touch", "/var/lib/inspector/ledger.db", "/etc/inspector/secrets/key")
        machine.run("dpkg", "--remove", "inspector")
        kept = ("/etc/inspector/station.toml", "/etc/inspector/secrets/key")
        record = "/var/lib/inspector/ledger.db"
        machine.run("ls", *kept, record)
        for path in GONE:
            assert machine.run("test", "-e", path, check=False).returncode == 1, path
        left = machine.run("find", "/etc/systemd", "/usr/lib/systemd", "-name", "inspector*").stdout
        assert left == ""
        answer = f"inspector inspector/remove-records boolean {str(remove_records).lower()}"
        machine.run("debconf-set-selections", input=answer)
        machine.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--purge", "inspector")
        assert machine.run("test", "-e", "/etc/inspector", check=False).returncode == 1
        there = machine.run("test", "-e", record, check=False).returncode == 0
        assert there is not remove_records
