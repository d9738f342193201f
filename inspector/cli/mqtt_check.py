"""inspector mqtt-check: does the plant's broker take us? Step by step, with what is refused."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.text import Text

import inspector
from inspector.cli.screen import add_root, command, print_json, results
from inspector.core.config import StationConfig, load_station
from inspector.core.errors import MaintainerError
from inspector.core.paths import of_root
from inspector.devices import box
from inspector.devices.broker.trial import Wanted, steps
from inspector.domain import fitness
from inspector.domain.egress.sparkplug import Verb
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.words import device_id
from inspector.domain.fitness import Check
from inspector.domain.sparkplug.names import Names

COLOURS = {"ok": "green", "warn": "yellow", "bad": "bold red"}
# A host acts on births and deaths, even empty ones; of an empty DDATA it only asks for a rebirth.
HARMLESS = (Verb.DDATA,)


def add(commands: Any) -> None:
    made = command(
        commands,
        "mqtt-check",
        "connect to the plant's broker as configured, and say what works and what is refused",
        "inspector mqtt-check --root /srv/station",
    )
    add_root(made)
    made.set_defaults(command=_check)


def _check(arguments: argparse.Namespace) -> int:
    config = load_station(of_root(arguments.root).station_file)
    found = []
    for line in lines(config):
        found.append(line)
        if not arguments.json:
            _show(line)
    ok = all(line.state != "bad" for line in found)
    if arguments.json:
        print_json({"ok": ok, "checks": found})
    return 0 if ok else 78


def lines(config: StationConfig) -> Iterator[Check]:
    """All that is tried, the clock first: certificates depend on it. Raises MaintainerError."""
    wanted = wanted_of(config)
    built_ns = Path(inspector.__file__).stat().st_mtime_ns
    yield from fitness.clock(box.synchronised(), time.time_ns(), built_ns)
    yield from steps(wanted)
    if config.publish and config.publish.sparkplug:
        yield _untried(Names(config.publish.sparkplug))


def wanted_of(config: StationConfig) -> Wanted:
    """What this station wants of its broker. Raises MaintainerError where it has none."""
    settings = config.publish
    if settings is None:
        raise MaintainerError(
            "no [publish] in the configuration: totals stay on the station; add it with the "
            "broker's host"
        )
    device = device_id(config.station)
    topics = Topics(device)
    hears = {topics.ack: settings.ack == "application", topics.command: bool(settings.commands)}
    writes = [topics.totals, topics.events, topics.state]
    writes += [topics.reply] if settings.commands else []
    spoken, heard = _sparkplug(config)
    return Wanted(
        settings,
        ".".join(("inspector-check", *device.split("/"))),
        (*writes, *spoken),
        (*(topic for topic, wants in hears.items() if wants), *heard),
        (topics.state,),
    )


def _sparkplug(config: StationConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Topics that are spoken to and heard on the second lane, where there is one."""
    if config.publish is None or config.publish.sparkplug is None:
        return (), ()
    names = Names(config.publish.sparkplug)
    return tuple(names.topic(verb) for verb in HARMLESS), names.heard


def _untried(names: Names) -> Check:
    topics = [names.topic(verb) for verb in Verb if verb not in HARMLESS]
    text = f"not tried, lest a host acts on it: {', '.join(topics)}"
    return Check("Sparkplug", "ok", text)


def _show(line: Check) -> None:
    colour = COLOURS[line.state]
    shown = Text.assemble((f"{line.state:<4} ", colour), (f"{line.what}: ", "bold"), line.text)
    results.print(shown, soft_wrap=True)
    if line.remedy:
        results.print(Text(f"     {line.remedy}"), soft_wrap=True)
