"""The units beside the processes: the touchscreen, the timers, and what the box itself is told."""

import configparser
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs
from support.unit_files import UNITS, copied, exposure, one, unit, words

from inspector.core.config import Ui, load_station
from inspector.core.folders import Group
from inspector.domain.units import Box, plan

CONFIG = load_station(Path(__file__).parents[2] / "configs" / "station.toml")
HOST = UNITS / "host" / "usr"
ONE_CPU = Box(frozenset({0}), lambda host: (host,))
KIOSK, DISPLAY = "inspector-kiosk.service", "inspector-display.service"
TIMED = ("inspector-backup", "inspector-selftest")
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is not installed (apt-get install systemd)",
)


# By systemd's own count. A third of the touchscreen's is what the browser's own sandbox is made of,
# which locks up each page; half of the compositor's is that it hears over netlink, in the box's
# network, of screens that are plugged in.
# Who exchanges the program is root, and looks up the names of broker and PLC.
UPGRADE = ("inspector-upgrade", "inspector-upgrade-early")
EXPOSURE = {
    KIOSK: 1.7,
    DISPLAY: 0.9,
    **{f"{name}.service": 0.5 for name in TIMED},
    **{f"{name}.service": 2.3 for name in UPGRADE},
}


@needs_systemd
@pytest.mark.parametrize("name", EXPOSURE)
def test_exposure_of_what_stands_beside_the_line(tmp_path: Path, name: str) -> None:
    copied(tmp_path, sys.executable)
    assert exposure(name, tmp_path) <= EXPOSURE[name]


def test_both_units_of_an_upgrade_may_the_same_and_never_give_up() -> None:
    """The line may stand still until it is through."""
    closed = {(UNITS / f"{name}.service.d" / "10-closed.conf").read_text() for name in UPGRADE}
    assert len(closed) == 1
    found = unit("inspector-upgrade.service")
    assert (one(found, "Restart"), one(found, "StartLimitIntervalSec")) == ("on-failure", "0")


def test_graphics_card_is_opened_for_the_touchscreen_where_there_is_one() -> None:
    with_card = plan(CONFIG, replace(ONE_CPU, graphics=True)).drop_ins[KIOSK]
    assert "DeviceAllow=char-drm rw" in with_card
    assert "char-drm" not in plan(CONFIG, ONE_CPU).drop_ins[KIOSK]


@pytest.mark.parametrize("name", [KIOSK, DISPLAY])
def test_touchscreen_is_a_user_of_its_own_in_no_group_of_the_station(name: str) -> None:
    found = unit(name)
    assert one(found, "User") == one(found, "Group") == "inspector-kiosk"
    assert not set(words(found, "SupplementaryGroups")) & set(Group)
    made = (UNITS / "inspector-sysusers.conf").read_text(encoding="utf-8").splitlines()
    groups = {line.split()[2] for line in made if line.startswith("m inspector-kiosk ")}
    assert groups == {"render", "video"}


def test_touchscreen_reaches_this_box_alone_and_no_file_of_the_station() -> None:
    found = unit(KIOSK)
    assert (one(found, "IPAddressDeny"), one(found, "IPAddressAllow")) == ("any", "localhost")
    hidden = {path.lstrip("-") for path in words(found, "InaccessiblePaths")}
    places = {f"/{place}/inspector" for place in ("etc", "run", "var/lib", "var/cache")}
    assert places <= hidden


def test_touchscreen_comes_back_however_often_it_falls() -> None:
    for name in (KIOSK, DISPLAY):
        found = unit(name)
        assert (one(found, "Restart"), one(found, "StartLimitIntervalSec")) == ("always", "0")
        assert float(one(found, "WatchdogSec")) <= 60
        assert one(found, "Slice") == "inspector-side.slice"


def test_touchscreen_shows_the_page_where_the_settings_have_it() -> None:
    wanted = {8085: "http://127.0.0.1:8085/", 9000: "http://127.0.0.1:9000/"}
    for port, page in wanted.items():
        config = structs.replace(CONFIG, ui=Ui(port=port))
        assert f"INSPECTOR_PAGE={page}\n" in plan(config, ONE_CPU).drop_ins[KIOSK]
    away = Ui(host="0.0.0.0", tls_cert="c", tls_key="k", login_to_view=True)
    config = structs.replace(CONFIG, ui=away)
    assert "=https://127.0.0.1:8085/\n" in plan(config, ONE_CPU).drop_ins[KIOSK]


def test_browser_may_open_nothing_but_this_box() -> None:
    rules = json.loads((HOST / "share/inspector/chromium/policies.json").read_text())
    assert rules["URLBlocklist"] == ["*"]
    assert rules["URLAllowlist"] == ["127.0.0.1", "about:blank"]
    assert rules["DownloadRestrictions"] == 3


@pytest.mark.parametrize("name", TIMED)
def test_timers_run_beside_the_line_and_make_up_for_a_night_without_power(name: str) -> None:
    timer, service = unit(f"{name}.timer"), unit(f"{name}.service")
    assert (one(timer, "Persistent"), one(timer, "PartOf")) == ("yes", "inspector.target")
    assert f"{name}.timer" in words(unit("inspector.target"), "Wants")
    assert (one(service, "Nice"), one(service, "IOSchedulingClass")) == ("19", "idle")
    assert one(service, "Slice") == "inspector-side.slice"
    assert one(service, "PrivateNetwork") == "yes"


def test_backup_comes_before_the_selftest_that_looks_at_it() -> None:
    first, then = (one(unit(f"{name}.timer"), "OnCalendar") for name in TIMED)
    assert first < then


def test_box_has_a_watchdog_and_a_journal_with_a_limit() -> None:
    manager = conf("lib/systemd/system.conf.d/50-inspector.conf")["Manager"]
    assert (manager["RuntimeWatchdogSec"], manager["RebootWatchdogSec"]) == ("30s", "2min")
    journal = conf("lib/systemd/journald.conf.d/50-inspector.conf")["Journal"]
    assert (journal["Storage"], journal["SystemMaxUse"]) == ("persistent", "500M")


def conf(place: str) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser()
    found.optionxform = str  # keys keep their case
    found.read_string((HOST / place).read_text(encoding="utf-8"))
    return found
