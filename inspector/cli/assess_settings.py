"""What `inspector assess` asks for: each setting with its flag, its bounds and its assumption.

Promises: a value bears its source: given, station, ledger, measured, computed or assumed; whatever
is assumed can be given.
Never: presents a price as a fact: all prices here are assumptions, in whatever currency.
"""

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

Source = Literal["given", "station", "ledger", "measured", "computed", "assumed"]


class Value(Struct, frozen=True):
    """One number that the assessment uses."""

    name: str
    value: float
    unit: str
    source: Source
    flag: str
    note: str = ""


@dataclass(frozen=True)
class Found:
    """A number that was found out, how, and what is to be known of it."""

    value: float
    source: Source
    note: str = ""


@dataclass(frozen=True)
class Setting:
    """One number that may be given. `assumed` None: it is always found out, or left out."""

    name: str
    unit: str
    least: float
    most: float
    assumed: float | None
    text: str
    of: str = ""  # `assumed` is so many times the setting of this name

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


LINE = (
    Setting("cameras", "", 1, 64, 1, "cameras of the station"),
    Setting("takt_ms", "ms", 0.1, 86_400_000, 1000, "from part to part before one camera"),
    Setting("deadline_ms", "ms", 1, 600_000, 200, "trigger to output"),
    Setting("hours", "h", 0.1, 24, 16, "of work a day"),
    Setting("days", "", 1, 31, 21, "of work a month"),
)
EDGE = (
    Setting("edge_ms", "ms", 0.01, 600_000, None, "trigger to output at the edge, p50"),
    Setting("edge_p99_ms", "ms", 0.01, 600_000, None, "the same, p99"),
)
LINK = (
    Setting("rtt_ms", "ms", 0, 60_000, 40, "round trip to the cloud, p50"),
    Setting("rtt_p99_ms", "ms", 0, 60_000, 3, "the same, p99", of="rtt_ms"),
    Setting("mbit_s", "Mbit/s", 0.001, 1_000_000, 20, "upwards"),
    Setting("outage_h", "h", 0, 744, 2, "a month that the link is down, in hours of work"),
)
CLOUD = (
    Setting("jpeg_bytes", "bytes", 1, 1e9, None, "of one frame as JPEG"),
    Setting("encode_ms", "ms", 0, 60_000, None, "to make the JPEG at the line"),
    Setting("cloud_ms", "ms", 0, 600_000, 30, "inference in the cloud, p50"),
    Setting("cloud_p99_ms", "ms", 0, 600_000, 2, "the same, p99", of="cloud_ms"),
)
PUBLISHED = (
    Setting("window_s", "s", 1, 86_400, 60, "of one window of totals"),
    Setting("totals_bytes", "bytes", 1, 4096, None, "of one message of totals"),
    Setting("state_bytes", "bytes", 1, 4096, None, "of one state"),
    Setting("state_s", "s", 5, 86_400, 1800, "until the state is repeated"),
    Setting("event_bytes", "bytes", 1, 4096, None, "of one event"),
    Setting("events", "", 0, 1_000_000, 50, "a day"),
    Setting("overhead_bytes", "bytes", 0, 4096, 280, "a message: MQTT, TLS, TCP/IP, its ack"),
    Setting("keepalive_s", "s", 5, 3600, 60, "without a message, until a ping"),
    Setting("ping_bytes", "bytes", 0, 4096, 200, "of a ping with all below it, and its answer"),
)
PRICES = (
    Setting("per_1000", "money", 0, 1e6, 1.0, "for 1,000 images judged in the cloud"),
    Setting("per_hour", "money", 0, 1e6, None, "for an hour of a cloud instance, instead"),
    Setting("per_gb", "money", 0, 1e6, 0.05, "for 10^9 bytes upwards"),
    Setting("box", "money", 0, 1e7, 1500, "for an edge box"),
    Setting("gateway", "money", 0, 1e7, 400, "for the cloud's own box at the line"),
    Setting("years", "", 0.1, 50, 5, "that either box is used"),
    Setting("box_watts", "W", 0, 1e5, 30, "of an edge box"),
    Setting("gateway_watts", "W", 0, 1e5, 8, "of the gateway"),
    Setting("kwh", "money", 0, 1e4, 0.25, "for a kWh"),
    Setting("upkeep", "money", 0, 1e6, 15, "a month for either box"),
)
GROUPS = (
    ("the line", LINE),
    ("the edge (else from the ledger of --root, or measured now)", EDGE),
    ("the link", LINK),
    ("the cloud", CLOUD),
    ("what is published (else from the ledger's departures, or computed)", PUBLISHED),
    ("prices, in any one currency: all defaults are assumptions", PRICES),
)
SETTINGS = {one.name: one for _, group in GROUPS for one in group}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """All flags, in their groups."""
    for title, group in GROUPS:
        section = parser.add_argument_group(title)
        for one in group:
            times = f" times {SETTINGS[one.of].flag}" if one.of else ""
            usual = "" if one.assumed is None else f" (assumed: {one.assumed:g}{times})"
            section.add_argument(
                one.flag,
                type=_number(one),
                metavar=one.unit.upper().replace("/", "_") or "N",
                help=one.text + usual,
            )


def resolve(arguments: argparse.Namespace, found: Mapping[str, Found]) -> dict[str, Value]:
    """Every number there is: given, else found, else assumed."""
    values: dict[str, Value] = {}
    for name, one in SETTINGS.items():
        got: Any = getattr(arguments, name)
        if got is not None:
            values[name] = Value(name, got, one.unit, "given", one.flag)
        elif name in found:
            more = found[name]
            values[name] = Value(name, more.value, one.unit, more.source, one.flag, more.note)
        elif one.assumed is not None:
            values[name] = _assumed(one, values)
    return values


def _assumed(setting: Setting, values: Mapping[str, Value]) -> Value:
    """`setting.of`, where there is one, stands before it."""
    assumed = setting.assumed or 0.0
    if not setting.of:
        return Value(setting.name, assumed, setting.unit, "assumed", setting.flag)
    value, note = (
        assumed * values[setting.of].value,
        f"{assumed:g} times {SETTINGS[setting.of].flag}",
    )
    return Value(setting.name, value, setting.unit, "assumed", setting.flag, note)


def _number(setting: Setting) -> Callable[[str], float]:
    """An argument's type: a number within the setting's bounds; whole where it counts things."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        whole = setting.name != "cameras" or value == value // 1
        if setting.least <= value <= setting.most and whole:
            return value
        bounds = f"{setting.least:,.10g} to {setting.most:,.10g}"
        unit = f" {setting.unit}" if setting.unit else ""
        raise argparse.ArgumentTypeError(f"{text!r}: {bounds}{unit} is wanted")

    return read
