"""inspector upgrade: another release takes over, and gives way again if the line does not inspect.

Promises: the release that has inspected here conducts and judges; whatever is cut short is gone on
with when the line starts again.
Never: imports what only a running line needs, so that it works where that does not.
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inspector.cli.screen import command, print_json, say
from inspector.core.errors import InspectorError, MaintainerError, WhileRunning
from inspector.core.live import Live
from inspector.core.paths import INSTALLED
from inspector.core.terms import Kind
from inspector.core.topology import LIVE
from inspector.devices import manager
from inspector.devices.bus import Bus, newest_live
from inspector.devices.releases import Releases
from inspector.devices.unit_orders import systemctl
from inspector.procedures.station_under_upgrade import TARGET, Station, Word
from inspector.procedures.upgrading import Upgrading

SERVICE = "inspector-upgrade.service"
CONDUCTED = Path("/run/inspector-upgrade.lock")  # held while an upgrade is conducted
LOOK_MS = 3000.0


def add(commands: Any) -> None:
    made = command(
        commands,
        "upgrade",
        "another release of the program: how it stands, and the way back",
        "inspector upgrade --status",
    )
    _options(made)
    made.set_defaults(command=_upgrade)


def _options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--again", action="store_true", help="also where it was returned from")
    what = made.add_mutually_exclusive_group(required=True)
    what.add_argument("--status", action="store_true", help="which releases there are")
    what.add_argument("--return", action="store_true", dest="back", help="to the previous release")
    what.add_argument("--to", metavar="RELEASE", help="let this one take over; the package does so")
    # For the units inspector-upgrade-early and inspector-upgrade, and for a release on trial.
    what.add_argument("--before-line", action="store_true", help=argparse.SUPPRESS)
    what.add_argument("--go-on", action="store_true", help=argparse.SUPPRESS)
    what.add_argument("--look", action="store_true", help=argparse.SUPPRESS)


def _upgrade(arguments: argparse.Namespace) -> int:
    releases = Releases()
    if arguments.look:
        return _look()
    if arguments.status:
        return _status(releases, arguments.json)
    if os.geteuid():
        raise MaintainerError("only root may exchange the program; try again with sudo")
    upgrading = Upgrading(releases, INSTALLED, Station(releases, INSTALLED), say)
    if arguments.before_line:
        with _conducting() as alone:
            if alone:  # or else it is the conductor who starts the line
                upgrading.after_boot()
    elif arguments.go_on:
        with _conducting() as alone:
            if alone:
                upgrading.go_on()
    else:
        return _take_over(releases, upgrading, _wanted(releases, arguments), arguments.again)
    return 0


@contextmanager
def _conducting() -> Iterator[bool]:
    """True where nobody else conducts an upgrade."""
    with CONDUCTED.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _wanted(releases: Releases, arguments: argparse.Namespace) -> str:
    if not arguments.back:
        return str(arguments.to)
    if previous := releases.named("previous"):
        return previous
    raise MaintainerError("there is no previous release to return to")


def _take_over(releases: Releases, upgrading: Upgrading, new: str, again: bool) -> int:
    """Let a release take over, and wait until it is known whether it stays."""
    if releases.named("current") in (None, new) or not INSTALLED.station_file.exists():
        return _install(releases, new)
    refused = releases.notes().refusal(new)
    if refused and not again:
        raise WhileRunning(
            f"release {new} stays unused: {refused.why}; `inspector upgrade --to {new} --again` "
            "tries once more"
        )
    upgrading.begin(new)
    if not _line_is_up():
        say(f"release {new} takes over when the line is started")
        return 0
    # In a unit of its own it goes on, whatever becomes of this terminal.
    systemctl("start", "--wait", SERVICE, timeout_s=3600)
    if releases.named("current") != new:
        refused = releases.notes().refusal(new)
        raise WhileRunning(refused.why if refused else f"release {new} did not take over")
    say(f"release {new} inspects")
    return 0


def _install(releases: Releases, new: str) -> int:
    """There is no line that could tell whether the release is fit."""
    for link in ("current", "proven"):
        releases.point(link, new)
    releases.place_units()
    releases.remove_others()
    if manager.RUNS.is_dir():
        systemctl("daemon-reload")
    say(f"release {new} is in place")
    return 0


def _line_is_up() -> bool:
    return any(one.name == TARGET and one.state == "active" for one in manager.units())


def _look() -> int:
    """One look at the line, in this release's own words, for whoever judges it."""
    with Bus() as bus:
        live = newest_live(bus.listen(INSTALLED.socket(LIVE)), LOOK_MS)
    print_json(_word(live) if live else Word("", 0, 0))
    return 0


def _word(live: Live) -> Word:
    faults = live.counts.get(Kind.FAULT, 0)
    return Word(live.state.value, sum(live.counts.values()) - faults, faults)


def _status(releases: Releases, as_json: bool) -> int:
    links = {link: releases.named(link) for link in ("current", "proven", "previous")}
    upgrade, refused = releases.upgrade(), releases.notes().refused
    if as_json:
        print_json({**links, "upgrade": upgrade, "refused": refused})
        return 0
    for link, name in links.items():
        say(f"{link}: {name or 'none'}")
    if upgrade:
        say(f"under way: to {upgrade.new}, {upgrade.step.value}")
    for one in refused:
        say(f"returned from: {one.release}, {one.why}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """As `python -m inspector.cli.upgrade`: without the rest of the command line."""
    parser = argparse.ArgumentParser("inspector upgrade", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    _options(parser)
    try:
        return _upgrade(parser.parse_args(argv))
    except InspectorError as error:
        say(f"inspector: {error}")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
