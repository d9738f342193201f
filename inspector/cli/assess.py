"""inspector assess: is the edge worth it here, or would the cloud do? With the arithmetic shown.

What is not given is read from the station and its ledger (--root), measured, or assumed; each
number says which.
"""

import argparse
from pathlib import Path
from typing import Any

from inspector.cli import assess_station as found_out
from inspector.cli.assess_settings import Found, Source, Value, add_settings, resolve
from inspector.cli.assess_show import Report, show
from inspector.cli.screen import add_root, command, print_json
from inspector.cli.station_checks import Station, read_station
from inspector.cli.timing import frame_for
from inspector.core.errors import MaintainerError
from inspector.core.terms import FrameFormat, Pixel
from inspector.domain.assess.inputs import (
    Cloud,
    Edge,
    Frame,
    Inputs,
    Line,
    Link,
    Prices,
    Published,
)
from inspector.domain.assess.verdict import assess
from inspector.domain.egress.words import device_id

NO_STATION = "enterprise/site/area/line/cell"  # whose messages are weighed where there is none
FEWEST_PIXELS, MOST_PIXELS = 1, 16384


def add(commands: Any) -> None:
    made = command(
        commands,
        "assess",
        "is the edge worth it here, or would the cloud do? with the arithmetic",
        "inspector assess --root /srv/station --cloud vision.example.com:443 --per-1000 0.80",
    )
    made.usage = "inspector assess [--root DIR] [--cloud HOST:PORT] [options]"  # there are many
    add_root(made)
    made.add_argument("--bundle", type=Path, metavar="DIR", help="to measure, without a ledger")
    made.add_argument("--frame", type=_size, metavar="WxH", help="the camera's (assumed: 5 MP)")
    made.add_argument("--pixel", choices=[one.value for one in Pixel], help="default: mono8")
    made.add_argument(
        "--send", choices=["jpeg", "raw"], default="jpeg", help="to the cloud (default: jpeg)"
    )
    made.add_argument(
        "--pixels-may-leave",
        choices=["yes", "no", "region"],
        help="the plant's rule; region: only to a cloud in it (assumed: yes)",
    )
    made.add_argument("--in-region", action="store_true", help="the cloud is in that region")
    made.add_argument("--cloud", metavar="HOST:PORT", help="measure round trips to it")
    made.add_argument("--upload", metavar="URL", help="measure the rate of random bytes to it")
    add_settings(made)
    made.set_defaults(command=_assess)


def _size(text: str) -> tuple[int, int]:
    """Width and height. Raises ArgumentTypeError."""
    sides = text.lower().split("x")
    if len(sides) == 2 and all(side.isdecimal() for side in sides):
        width, height = map(int, sides)
        if all(FEWEST_PIXELS <= side <= MOST_PIXELS for side in (width, height)):
            return width, height
    raise argparse.ArgumentTypeError(f"{text!r}: WIDTHxHEIGHT is wanted, 1 to 16384 each")


def _assess(arguments: argparse.Namespace) -> int:
    report = made(arguments)
    if arguments.json:
        print_json(report)
    else:
        show(report)
    return 0


def made(arguments: argparse.Namespace) -> Report:
    """Everything found out and computed. Raises MaintainerError for what contradicts itself."""
    station = _station(arguments.root)
    ledger = found_out.Ledger(station.paths)
    format = _format(arguments, station, ledger)
    measured, facts = found_out.measured_link(arguments)
    found = {
        **ledger.takt(),
        **found_out.of_station(station),
        **measured,
        **_picture(arguments, station, format),
    }
    edge, source, told = _edge(arguments, station, ledger, format)
    values = resolve(arguments, found | told)
    parts = values["cameras"].value * values["window_s"].value * 1000 / values["takt_ms"].value
    device = device_id(station.config.station) if station.config else NO_STATION
    values = resolve(
        arguments, {**found_out.computed(device, parts), **ledger.published(), **found, **told}
    )
    _check(values)
    return Report(
        frame=str(format),
        sends=arguments.send,
        pixels_may_leave=arguments.pixels_may_leave or "yes",
        residency_source="given" if arguments.pixels_may_leave else "assumed",
        cloud_in_region=arguments.in_region,
        edge_source=source,
        inputs=list(values.values()),
        facts=[*ledger.facts, *facts],
        result=assess(_inputs(arguments, values, edge, format)),
    )


def _station(root: Path | None) -> Station:
    """Raises MaintainerError where one is named and cannot be read."""
    station = read_station(root)
    wrong = [check for check in station.checks if check.what == "configuration"]
    if wrong and wrong[0].state == "bad":
        raise MaintainerError(wrong[0].text)
    return station


def _format(
    arguments: argparse.Namespace, station: Station, ledger: found_out.Ledger
) -> FrameFormat:
    known = ledger.format or station.format or found_out.FIVE_MEGAPIXELS
    width, height = arguments.frame or (known.width, known.height)
    return FrameFormat(width=width, height=height, pixel=Pixel(arguments.pixel or known.pixel))


def _picture(
    arguments: argparse.Namespace, station: Station, format: FrameFormat
) -> dict[str, Found]:
    """What a frame weighs as JPEG, where that is not given."""
    if arguments.jpeg_bytes is not None and arguments.encode_ms is not None:
        return {}
    return found_out.jpeg(
        station.paths, lambda: found_out.bundle_of(station, arguments.bundle), format
    )


def _edge(
    arguments: argparse.Namespace,
    station: Station,
    ledger: found_out.Ledger,
    format: FrameFormat,
) -> tuple[Edge, str, dict[str, Found]]:
    """A part's way here, where that is known from, and the two numbers of it."""
    p50, p99 = arguments.edge_ms, arguments.edge_p99_ms
    if (p50 is None) != (p99 is None):
        raise MaintainerError("--edge-ms and --edge-p99-ms belong together; give both")
    if p50 is not None:
        return found_out.edge_given(p50, p99), "given", {}
    if own := ledger.edge():
        edge, note = own
        source: Source = "ledger"
    else:
        bundle = found_out.bundle_of(station, arguments.bundle)
        frame = frame_for(bundle, format)
        edge, note = found_out.edge_measured(station, bundle, frame)
        source = "measured"
    told = {
        "edge_ms": Found(edge.total.p50_ms, source, note),
        "edge_p99_ms": Found(edge.total.p99_ms, source, note),
    }
    return edge, f"{source} {note}", told


def _check(values: dict[str, Value]) -> None:
    """Raises MaintainerError where a p99 lies below its p50."""
    for usual, worst in (
        ("edge_ms", "edge_p99_ms"),
        ("rtt_ms", "rtt_p99_ms"),
        ("cloud_ms", "cloud_p99_ms"),
    ):
        if values[worst].value < values[usual].value:
            low, high = values[worst], values[usual]
            raise MaintainerError(
                f"{low.flag} {low.value:g} ({low.source}) is below {high.flag} {high.value:g} "
                f"({high.source}); a p99 is never below its p50"
            )


def _inputs(
    arguments: argparse.Namespace, values: dict[str, Value], edge: Edge, format: FrameFormat
) -> Inputs:
    number = {name: one.value for name, one in values.items()}
    return Inputs(
        line=Line(
            cameras=int(number["cameras"]), **_some(number, "takt_ms deadline_ms hours days")
        ),
        edge=edge,
        frame=Frame(raw=format.nbytes, jpeg=number["jpeg_bytes"], sends=arguments.send),
        link=Link(**_some(number, "rtt_ms rtt_p99_ms mbit_s outage_h")),
        cloud=Cloud(
            encode_ms=number["encode_ms"],
            infer_ms=number["cloud_ms"],
            infer_p99_ms=number["cloud_p99_ms"],
        ),
        published=Published(
            totals=number["totals_bytes"],
            state=number["state_bytes"],
            event=number["event_bytes"],
            overhead=number["overhead_bytes"],
            ping=number["ping_bytes"],
            **_some(number, "window_s state_s events keepalive_s"),
        ),
        prices=Prices(
            per_hour=number.get("per_hour"),
            **_some(
                number,
                "per_1000 per_gb box gateway years box_watts gateway_watts kwh upkeep",
            ),
        ),
        residency=arguments.pixels_may_leave or "yes",
        in_region=arguments.in_region,
    )


def _some(number: dict[str, float], names: str) -> dict[str, float]:
    return {name: number[name] for name in names.split()}
