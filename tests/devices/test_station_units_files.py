"""`inspector units` on a disk: what it writes, what it leaves alone."""

import os
import stat
from pathlib import Path

import pytest

from inspector.devices import station_units
from inspector.devices.station_units import FILE, addresses, differences, put_in_place
from inspector.domain.units import Plan

GATE = "inspector-gate.service"
CAMERA = "inspector-capture@cam0.service"
PLAN = Plan({GATE: "[Service]\nPrivateNetwork=no\n"}, frozenset({CAMERA}))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What would have been said to systemctl."""
    said: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        station_units, "_systemctl", lambda verb, units: said.append((verb, list(units)))
    )
    return said


def test_it_writes_what_is_planned_and_then_nothing_is_left_to_do(
    tmp_path: Path, told: list[tuple[str, list[str]]]
) -> None:
    assert len(differences(PLAN, tmp_path)) == 2
    put_in_place(PLAN, tmp_path)
    assert (tmp_path / f"{GATE}.d" / FILE).read_text() == PLAN.drop_ins[GATE]
    assert ("enable", [CAMERA]) in told
    wants = tmp_path / "inspector.target.wants"
    wants.mkdir()
    (wants / CAMERA).symlink_to("/usr/lib/systemd/system/inspector-capture@.service")
    assert differences(PLAN, tmp_path) == []


def test_what_is_no_longer_asked_for_goes_and_a_maintainers_own_file_stays(
    tmp_path: Path, told: list[tuple[str, list[str]]]
) -> None:
    put_in_place(PLAN, tmp_path)
    own = tmp_path / f"{GATE}.d" / "60-own.conf"
    own.write_text("[Service]\n")
    put_in_place(Plan({}, frozenset()), tmp_path)
    assert list((tmp_path / f"{GATE}.d").iterdir()) == [own]
    own.unlink()


def test_camera_that_has_gone_is_disabled(
    tmp_path: Path, told: list[tuple[str, list[str]]]
) -> None:
    wants = tmp_path / "inspector.target.wants"
    wants.mkdir()
    (wants / "inspector-capture@old.service").symlink_to("/dev/null")
    (wants / "inspector-record.service").symlink_to("/dev/null")  # not of those that may lack
    assert any("old.service: is enabled without need" in one for one in differences(PLAN, tmp_path))
    put_in_place(PLAN, tmp_path)
    assert ("disable", ["inspector-capture@old.service"]) in told


def test_address_is_its_own_and_a_name_nobody_knows_has_none() -> None:
    assert addresses("192.0.2.1") == ("192.0.2.1",)
    assert addresses("[2001:db8::1]") == ("2001:db8::1",)
    assert "127.0.0.1" in addresses("localhost")
    assert addresses("nobody.invalid") == ()


@pytest.mark.parametrize(
    "host", ["fe80::7%x\nExecStartPre=+/bin/id", "fe80::7%eth0", "[fe80::7%1]"]
)
def test_address_says_nothing_but_the_address(host: str) -> None:
    """Python takes anything for the zone of an address."""
    assert addresses(host) == ("fe80::7",)


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "ü" * 70, "a\0b"])
def test_name_that_can_be_none_has_no_address(host: str) -> None:
    assert addresses(host) == ()


def test_everybody_may_read_what_systemd_reads(
    tmp_path: Path, told: list[tuple[str, list[str]]]
) -> None:
    """Also where an upgrade writes it, under the umask of its unit: or the doctor of a maintainer
    would find it missing."""
    before = os.umask(0o027)
    try:
        put_in_place(PLAN, tmp_path)
    finally:
        os.umask(before)
    folder = tmp_path / f"{GATE}.d"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o644
