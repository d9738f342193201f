"""inspector demo: a whole line on the rendered sample parts, with nothing to set up."""

import argparse
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.live import Live as LiveView

from inspector.cli import samples, showing
from inspector.cli.local_broker import Arrival, LocalBroker
from inspector.cli.screen import (
    command,
    print_json,
    progress,
    remarks,
    results,
    say,
    table,
    whole,
)
from inspector.cli.station import (
    OnLive,
    folder,
    recorded,
    run_line,
    triggers_of,
    write_recipe,
    write_station,
)
from inspector.cli.status import picture
from inspector.cli.summary import Spread, Summary, summarise
from inspector.core.config import load_station
from inspector.core.errors import EngineerError, InspectorError
from inspector.core.live import Live
from inspector.core.paths import Paths
from inspector.devices.bundles import open_bundle
from inspector.domain.egress.words import device_id

DEADLINE_MS = 400.0
PLEASANT_TAKT_MS = 200.0  # slow enough to be followed by eye
WINDOW_S, SUBSCRIBED_WINDOW_S = 10, 5  # of totals; shorter where somebody waits for them


def add(commands: Any) -> None:
    made = command(
        commands,
        "demo",
        "run a whole line on the sample parts; Ctrl-C ends it with a summary",
        "inspector demo --parts 500 --headless --json",
    )
    made.add_argument("--parts", type=_count, metavar="N", help="end after N parts")
    made.add_argument("--headless", action="store_true", help="no live table, full speed")
    made.add_argument("--no-ui", action="store_true", help="no screen to open in a browser")
    made.add_argument("--broker", action="store_true", help="with a mosquitto beside the line")
    made.add_argument(
        "--broker-port", type=whole(1, 65535), metavar="PORT", help="default: 1883, or a free one"
    )
    made.add_argument("--takt-ms", type=float, metavar="MS", help="time from part to part")
    made.add_argument("--product", default=samples.PRODUCT, help="default: %(default)s")
    made.add_argument("--images", type=Path, metavar="DIR", help="other images, a folder a label")
    made.add_argument("--bundle", type=Path, metavar="DIR", help="another model")
    made.add_argument("--root", type=Path, metavar="DIR", help="keep the station's files here")
    made.set_defaults(command=_demo)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1")
    return number


def _demo(arguments: argparse.Namespace) -> int:
    with folder(arguments.root) as paths:
        with ExitStack() as stack:
            broker = None
            if arguments.broker or arguments.broker_port:
                place = paths.config.parent / "broker"
                broker = stack.enter_context(LocalBroker(place, arguments.broker_port))
            _prepare(paths, arguments, broker)
            _introduce(paths, arguments, broker)
            _run(paths, arguments, broker)
        parts = recorded(paths)
        summary = summarise(triggers_of(paths, parts), [part.outcome for part in parts])
        if broker:
            _say_arrived(paths, len(parts))
    if arguments.json:
        print_json(summary)
    else:
        show(summary)
    if not summary.balanced:
        raise EngineerError(f"{summary.triggers} triggers have another number of outcomes")
    return 0


def _introduce(paths: Paths, arguments: argparse.Namespace, broker: LocalBroker | None) -> None:
    """What goes where."""
    if broker:
        broker.tell(device_id(load_station(paths.station_file).station))
    if not arguments.headless:
        totals = "totals go to the broker" if broker else "no broker configured, totals stay here"
        say(f"publish: {totals}; no PLC, lanes go to a log")


def _say_arrived(paths: Paths, parts: int) -> None:
    arrived = Arrival(paths, parts).arrived()
    rest = "" if arrived == parts else "; the others stand in windows that had not left yet"
    say(f"publish: the broker has totals of {arrived} of {parts} parts{rest}")


def _prepare(paths: Paths, arguments: argparse.Namespace, broker: LocalBroker | None) -> None:
    """A station on disk: the sample parts as camera, the sample model as recipe."""
    takt = arguments.takt_ms
    if takt is None:
        takt = 0.0 if arguments.headless else PLEASANT_TAKT_MS
    images = arguments.images or samples.images(arguments.product)
    camera = {"path": str(images.absolute()), "takt_ms": takt, "shuffle_seed": 1}
    if arguments.parts:
        camera["parts"] = arguments.parts
    bundle = open_bundle(arguments.bundle or samples.bundle(arguments.product))
    name = bundle.manifest.name
    sections: dict[str, object] = {}
    if arguments.headless or arguments.no_ui:
        limits = bundle.manifest.limits
        write_recipe(paths, name, bundle.folder, {"review": limits.review, "fail": limits.fail})
    else:
        sections["ui"] = showing.furnish(paths, bundle)
    if broker:
        sections["publish"] = broker.settings
    write_station(
        paths,
        camera,
        line={"deadline_ms": DEADLINE_MS, "recipe": name, "lot": "demo"},
        record={"window_s": SUBSCRIBED_WINDOW_S if broker else WINDOW_S},
        **sections,
    )


def _run(paths: Paths, arguments: argparse.Namespace, broker: LocalBroker | None) -> None:
    arrival = Arrival(paths, arguments.parts) if broker and arguments.parts else None
    settled = arrival.complete if arrival else None
    if arguments.headless:
        with progress() as bar:
            task = bar.add_task("parts", total=arguments.parts)
            run_line(paths, arguments.parts, _beside(broker, _advance(bar, task)), settled=settled)
        return
    log = paths.config.parent / "line.log"
    try:
        with LiveView(console=remarks, auto_refresh=False) as view:

            def show_line(live: Live, _pids: Mapping[str, int]) -> None:
                view.update(picture(live), refresh=True)

            # What the processes say would tear the table.
            run_line(paths, arguments.parts, _beside(broker, show_line), log=log, settled=settled)
    except InspectorError:
        say(log.read_text().rstrip())
        raise
    finally:
        if not remarks.is_terminal:
            remarks.print()  # the table's last line has no end there


def _advance(bar: Any, task: Any) -> OnLive:
    return lambda live, _pids: bar.update(task, completed=live.committed)


def _beside(broker: LocalBroker | None, shown: OnLive) -> OnLive:
    """Look after the broker as often as the line is shown."""
    if broker is None:
        return shown

    def look(live: Live, pids: Mapping[str, int]) -> None:
        broker.watch()
        shown(live, pids)

    return look


def show(summary: Summary) -> None:
    """The summary for a person."""
    counts = ("triggers", "passed", "review", "fail", "fault", "escapes", "overkill", "parts_per_s")
    rows = [(name.replace("passed", "pass"), getattr(summary, name)) for name in counts]
    results.print(table("parts", ("", "count"), rows))
    names = Spread.__struct_fields__
    times = [
        (label, *(f"{getattr(times, name):.2f}" for name in names))
        for label, times in (
            ("trigger to outcome", summary.latency_ms),
            ("inference", summary.inference_ms),
        )
    ]
    results.print(table("milliseconds", ("", *names), times))
