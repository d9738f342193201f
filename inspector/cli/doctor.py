"""inspector doctor: is this box fit to inspect with this bundle? Measured here, in plain words."""

import argparse
import math
import time
from pathlib import Path
from typing import Any

from msgspec import Struct
from rich.text import Text

import inspector
from inspector.cli import samples
from inspector.cli.care_checks import care_checks
from inspector.cli.screen import REMARK, add_root, command, print_json, progress, results, table
from inspector.cli.station_checks import Station, read_station
from inspector.cli.status import STALE_MS
from inspector.cli.timing import Measured, frame_for, measure, variants
from inspector.core.errors import InspectorError
from inspector.core.live import ServiceHealth
from inspector.core.paths import cache_of_user
from inspector.devices import box
from inspector.devices.accelerators import Accelerator, accelerators
from inspector.devices.bundles import Bundle, open_bundle
from inspector.domain import fitness
from inspector.domain.fitness import Check, State

COLOURS = {"ok": "green", "warn": "yellow", "bad": "bold red"}


class Diagnosis(Struct, frozen=True):
    """What was found, as a machine reads it."""

    ok: bool
    verdict: str
    bundle: str
    takt_ms: float | None
    deadline_ms: float | None
    tolerance: float  # that differences must not exceed
    devices: list[Accelerator]
    measured: list[Measured]  # the first is what the station is configured for
    checks: list[Check]


def add(commands: Any) -> None:
    made = command(
        commands,
        "doctor",
        "is this box fit to inspect? devices, speed, parity, memory, disk, clock, cameras",
        "inspector doctor --root /srv/station",
    )
    add_root(made)
    made.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one in use")
    made.add_argument(
        "--takt-ms", type=_positive, metavar="MS", help="from part to part (default: the cameras')"
    )
    made.set_defaults(command=_doctor)


def _positive(text: str) -> float:
    """Milliseconds. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}: milliseconds above 0 are wanted")
    return value


def _doctor(arguments: argparse.Namespace) -> int:
    found = diagnose(arguments.root, arguments.bundle, arguments.takt_ms)
    if arguments.json:
        print_json(found)
    else:
        _show(found)
    return 0 if found.ok else 78


def diagnose(root: Path | None, folder: Path | None, takt_ms: float | None) -> Diagnosis:
    """Everything, measured now. What is wrong with the station is a line, never an exception."""
    station = read_station(root)
    devices = accelerators()
    checks = [
        Check("device", "ok", f"{one.name}: {one.full_name} ({' '.join(one.capabilities)})")
        for one in devices
    ]
    checks += station.checks
    bundle, opened = _bundle(station, folder)
    checks.append(opened)
    takt = takt_ms or station.takt_ms
    measured: list[Measured] = []
    if bundle and not station.live:
        measured = _measured(station, bundle, devices)
        checks += _judged(measured, bundle, takt, station.deadline_ms)
    elif station.live:
        checks += _from_line(station, takt)
    checks += fitness.clock(box.synchronised(), time.time_ns(), _built_ns())
    if station.paths:
        checks += care_checks(station.paths)
    return Diagnosis(
        ok=all(check.state != "bad" for check in checks),
        verdict=fitness.verdict(checks, _works(measured, takt)),
        bundle=bundle.manifest.id if bundle else "",
        takt_ms=takt,
        deadline_ms=station.deadline_ms,
        tolerance=bundle.manifest.proof.tolerance if bundle else 0.0,
        devices=devices,
        measured=measured,
        checks=checks,
    )


def _bundle(station: Station, folder: Path | None) -> tuple[Bundle | None, Check]:
    """The one to measure, and whether it is whole."""
    try:
        bundle = open_bundle(folder or station.bundle or samples.bundle())
    except InspectorError as error:
        return None, Check("bundle", "bad", str(error), "install a sound bundle")
    return bundle, Check("bundle", "ok", f"{bundle.manifest.id}: every file bears its hash")


def _measured(station: Station, bundle: Bundle, devices: list[Accelerator]) -> list[Measured]:
    """The configured device first, then the others; last the second look where there is one."""
    cache = cache_of_user()
    todo = list(variants(devices, station.detect))
    frame = frame_for(bundle, station.format)
    with progress() as bar:
        runs = bar.track(todo, description="measuring")
        found = [measure(bundle, settings, name, cache, frame) for settings, name in runs]
    if bundle.manifest.second:
        settings, name = todo[0]
        found.append(measure(bundle, settings, name, cache, frame, second=True))
    return found


def _judged(
    measured: list[Measured], bundle: Bundle, takt_ms: float | None, deadline_ms: float | None
) -> list[Check]:
    """What counts is the configured device; the others are told of."""
    first = measured[0]
    if first.problem:
        return [Check("model", "bad", first.problem, "mend [detect] or the bundle")]
    memory = box.memory()
    checks = [
        Check(
            "speed", "ok", f"{_name(first)}: p50 {first.p50_ms:.1f} ms, p99 {first.p99_ms:.1f} ms"
        ),
        *fitness.pace(first.p99_ms, takt_ms, deadline_ms),
        fitness.parity(first.difference, bundle.manifest.proof.tolerance),
        fitness.memory(memory.available if memory else None, first.memory_mb * box.MIB),
    ]
    second = [one for one in measured if one.look == "second"]
    return checks + [_second_look(one, first, bundle, deadline_ms) for one in second]


def _second_look(
    second: Measured, first: Measured, bundle: Bundle, deadline_ms: float | None
) -> Check:
    if second.problem:
        return Check(
            "second look", "bad", second.problem, "mend the bundle, or second_look = false"
        )
    proven = fitness.parity(second.difference, bundle.manifest.proof.tolerance)
    text = f"{second.p99_ms:.1f} ms (p99) more for a grey part"
    if proven.state != "ok":
        return Check("second look", proven.state, f"{text}; {proven.text}", proven.remedy)
    if deadline_ms and first.p99_ms + second.p99_ms + fitness.LINE_MS > deadline_ms:
        remedy = "a longer line.deadline_ms, or second_look = false in the recipe"
        return Check("second look", "warn", f"{text}: the deadline leaves no time for it", remedy)
    return Check("second look", "ok", text)


def _from_line(station: Station, takt_ms: float | None) -> list[Check]:
    """The line runs: to measure beside it would cost it parts, so its own figures count."""
    live = station.live
    assert live  # asked for only where there is one
    text = "runs; its own figures are told, stop it to measure every device"
    checks = [Check("line", "ok", text)]
    for service in live.services:
        beat = service.heartbeat
        if beat.state == "degraded" or service.age_ms > STALE_MS:
            checks.append(_ailing(service))
        elif beat.service == "detect" and beat.handled:
            checks += fitness.pace(beat.p99_ms, takt_ms, station.deadline_ms)
        elif beat.service == "detect":
            checks.append(Check("takt", "warn", "no part was inspected yet", "ask again later"))
    return checks


def _ailing(service: ServiceHealth) -> Check:
    """A process that does not do its work. Without publish no part goes uninspected."""
    beat, silent = service.heartbeat, service.age_ms > STALE_MS
    text = "nothing is heard of it" if silent else beat.note
    state: State = "warn" if beat.service == "publish" else "bad"
    return Check(beat.service, state, text, "see `inspector status`")


def _works(measured: list[Measured], takt_ms: float | None) -> str:
    """What the box does, in words."""
    if not measured or measured[0].problem:
        return "keeps up with its line"
    first = measured[0]
    if takt_ms is None:
        rate = 1000 / first.p99_ms
        return f"inspects up to {rate:.0f} parts a second on {_name(first)}"
    margin = fitness.times(takt_ms / first.p99_ms)
    return f"meets {takt_ms:g} ms takt with {margin} margin on {_name(first)}"


def _name(one: Measured) -> str:
    precision = f"{one.stored} model, {one.runs_as}" if one.stored == "INT8" else one.runs_as
    return f"{one.device} {precision}"


def _row(one: Measured, tolerance: float) -> tuple[str, ...]:
    name = _name(one) + (", second look" if one.look == "second" else "")
    if one.problem:
        return name, "-", "-", "-", "-", one.problem
    remark = "" if one.difference <= tolerance else "beyond the tolerance: must not decide"
    figures = (f"{one.p50_ms:.2f}", f"{one.p99_ms:.2f}", f"{one.difference:.2g}", one.memory_mb)
    return name, *map(str, figures), remark


def _built_ns() -> int:
    return Path(inspector.__file__).stat().st_mtime_ns


def _show(found: Diagnosis) -> None:
    if found.measured:
        head = ("device", "p50 ms", "p99 ms", "difference", "MiB", REMARK)
        title = f"{found.bundle}, from the frame to its inference"
        rows = [_row(one, found.tolerance) for one in found.measured]
        results.print(table(title, head, rows))
    for check in found.checks:
        line = Text(f"{check.state:<5}", COLOURS[check.state])
        line.append(f"{check.what}: {check.text}", "default")
        if check.remedy:
            line.append(f" -> {check.remedy}", "default")
        results.print(line, soft_wrap=True)
    results.print(Text(found.verdict, "bold"), soft_wrap=True)
