"""Least privilege, tried: a probe inside each service's own sandbox, on a station that inspects."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.machine import needs_machine
from support.sandbox import (
    BROKER,
    ELSEWHERE,
    GOLDEN,
    NAMES,
    PICTURE,
    PLC,
    SECRET,
    Station,
    probed,
    reached,
    refused,
)

from inspector.core.folders import role, user, written_by
from inspector.core.paths import INSTALLED
from inspector.domain.units import unit_of

pytestmark = [needs_machine(), pytest.mark.line]

EACH = pytest.mark.parametrize("service", NAMES)


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    with probed() as station:
        yield station


def readers(station: Station, path: object) -> set[str]:
    """Who could read a file."""
    return {name for name in NAMES if not refused(station.probe(name), f"read {path}")}


def names(*roles: str) -> set[str]:
    return {name for name in NAMES if role(name) in roles}


def test_probe_gets_through_where_nothing_holds_it(station: Station) -> None:
    """Or it would prove nothing."""
    found = station.without()
    still = {attempt for attempt in found if refused(found, attempt)}
    # The machine is a container, to which these are closed as a whole.
    of_a_container = {name for name in still if name.startswith(("device ", "key", "memory of"))}
    of_a_container |= {"clock", "module", "kexec", "swap", "reboot", "kernel log", "sysctl"}
    of_a_container |= {"bpf", "perf", "io_uring", "userfaultfd", "socket vsock"}
    allowed = {"become root"}
    assert still - of_a_container - allowed == set(), {one: found[one] for one in still}
    assert {found[f"reach {place}"] for place in (PLC, BROKER, ELSEWHERE)} == {"done"}


def test_publish_and_gate_cannot_open_one_pixel(station: Station) -> None:
    for name in ("publish", "gate"):
        found = station.probe(name)
        for path in (INSTALLED.ring("cam0"), station.evidence, PICTURE, GOLDEN):
            assert refused(found, f"read {path}"), (name, path)
        assert refused(found, f"list {INSTALLED.evidence}")


def test_frames_and_evidence_are_seen_by_those_who_need_them(station: Station) -> None:
    seeing = ("record", "workshop", "ui")
    assert readers(station, INSTALLED.ring("cam0")) == names("capture", "detect", *seeing)
    assert readers(station, station.evidence) == names(*seeing)
    assert readers(station, PICTURE) == names(*seeing)


def test_secret_of_one_service_is_seen_by_no_other(station: Station) -> None:
    shared = INSTALLED.config / "secrets" / SECRET
    own = Path("/run/credentials/inspector-publish.service") / SECRET
    assert readers(station, shared) == set()
    # systemd hands it to the service's main process alone, without which that would not run.
    assert readers(station, own) == set()
    assert station.machine.show(unit_of("publish"), "SubState") == {"SubState": "running"}
    assert readers(station, INSTALLED.console_key) == names("record")
    assert readers(station, INSTALLED.people) == names("record", "ui")
    assert readers(station, "/etc/shadow") == set()


@EACH
def test_service_writes_into_its_own_folders_and_nowhere_else(
    station: Station, service: str
) -> None:
    found = station.probe(service)
    own = {str(INSTALLED.folder(folder)) for folder in written_by(service)}
    written = {
        attempt.removeprefix("write ")
        for attempt in found
        if attempt.startswith("write ") and not refused(found, attempt)
    }
    assert written == own
    changed = {one for one in found if one.startswith("change ") and not refused(found, one)}
    assert changed == ({f"change {INSTALLED.ledger}"} if service == "record" else set())
    for folder in ("/root", "/home"):
        assert refused(found, f"list {folder}")


@EACH
def test_service_reaches_whom_the_settings_name_and_nobody_else(
    station: Station, service: str
) -> None:
    found = station.probe(service)
    named = {"gate": {PLC}, "publish": {BROKER}}
    assert reached(found) == named.get(service, set())
    internet = found["socket internet"] == "done"
    assert internet == (service in ("gate", "publish", "ui"))
    for kind in ("raw", "packet", "netlink", "vsock"):
        assert refused(found, f"socket {kind}", hidden=False), kind


@EACH
def test_service_touches_no_other_process(station: Station, service: str) -> None:
    found = station.probe(service)
    kinds = ("trace ", "signal ", "memory of ", "environment of ", "files of ", "namespace of ")
    touched = [one for one in found if one.startswith(kinds) and not refused(found, one)]
    assert touched == []


KERNEL = (
    *(f"namespace {kind}" for kind in ("user", "mount", "network")),
    *("mount", "chroot", "host name", "clock", "module", "kexec", "swap", "reboot", "bpf", "perf"),
    *("io_uring", "userfaultfd", "key", "keyring", "personality", "set-user-id", "become root"),
    *("realtime", "higher priority", "device made"),
)


@EACH
def test_service_gets_nothing_special_from_the_kernel(station: Station, service: str) -> None:
    found = station.probe(service)
    done = {one: found[one] for one in KERNEL if not refused(found, one, hidden=False)}
    assert done == {}
    by_name = ("sysctl", "kernel log", "control group")
    devices = [one for one in found if one.startswith("device ")]
    assert [one for one in (*by_name, *devices) if not refused(found, one)] == []
    compiles = service in ("detect", "workshop")  # OpenVINO makes its kernels at run time
    assert (found["memory written and run"] == "done") == compiles


@EACH
def test_service_gives_systemd_no_orders(station: Station, service: str) -> None:
    assert station.probe(service)["order systemd"] != "done"


def test_model_that_root_installs_belongs_to_the_station(station: Station) -> None:
    """Or the workshop could neither replace nor remove it, and detect not read it."""
    machine = station.machine
    bundle = "/opt/inspector/current/share/models/plate"
    machine.run("sh", "-c", f"umask 077; inspector model install {bundle}")
    folders = f"{INSTALLED.models} {INSTALLED.cache}"
    strange = f"find {folders} ! -user {user('workshop')} ! -user {user('detect')}"
    assert machine.run("sh", "-c", strange).stdout == ""
    manifest = f"{INSTALLED.models}/plate/current/bundle.toml"
    assert "plate" in machine.run("cat", manifest, user=user("detect")).stdout
    assert machine.run("cat", manifest, user=user("publish"), check=False).returncode
