"""All lanes of a station, in the order of their priority, and what each of them hears.

Promises: answers go before the state, that before new totals, these before events, and the backlog
comes last; Sparkplug, which has a connection of its own, after it.
Never: lets anything heard do more than an acknowledgement or a command may.
"""

import uuid
from dataclasses import dataclass
from pathlib import Path

from inspector.devices.broker import Heard
from inspector.devices.bus import Asker
from inspector.domain.egress.topics import Topics
from inspector.domain.ingress import read_ack
from inspector.services.publish.commands import Commands
from inspector.services.publish.events import Events
from inspector.services.publish.lane import Context, Lane, Sender
from inspector.services.publish.link import Link
from inspector.services.publish.sparkplug import SparkplugLane
from inspector.services.publish.state import StateLane
from inspector.services.publish.totals import Backlog, Totals


@dataclass(frozen=True)
class Lanes:
    """Those that the process speaks with, and all in their order."""

    state: StateLane
    totals: Totals
    commands: Commands | None
    sparkplug: SparkplugLane | None
    by_priority: tuple[Lane, ...]


def assemble(context: Context, link: Link, asker: Asker, plant_key: Path) -> Lanes:
    """The lanes that the configuration asks for, joined to the link."""
    settings = context.settings
    state = StateLane(context, link, uuid.uuid4().hex)
    totals, events = Totals(context, link), Events(context, link)
    commands = sparkplug = None
    if settings.commands:
        commands = Commands(context, link, settings.commands, asker, plant_key, state.request)
    if settings.sparkplug:
        name = f"{identity(context.device)}.sparkplug"
        sparkplug = SparkplugLane(context, settings.sparkplug, name)
    senders: list[Sender | None] = [commands, state, totals, events]
    for sender in filter(None, senders):
        link.join(sender)
    every: list[Lane | None] = [*senders, Backlog(totals), sparkplug]
    _listen(link, Topics(context.device), totals, commands)
    return Lanes(state, totals, commands, sparkplug, tuple(filter(None, every)))


def identity(device: str) -> str:
    """The client identifier of this station at a broker."""
    return ".".join(("inspector", *device.split("/")))


def _listen(link: Link, topics: Topics, totals: Totals, commands: Commands | None) -> None:
    def hear(heard: Heard, now: int) -> None:
        if heard.topic == topics.ack and (ack := read_ack(heard.payload)):
            totals.hear(ack, now)
        elif heard.topic == topics.command and commands:
            commands.hear(heard, now)

    link.heard = hear
