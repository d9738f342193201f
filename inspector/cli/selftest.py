"""inspector selftest: does the station keep what it promises? Looked at once a day beside the line.

Promises: the totals are recounted, the audit chain is proven, models and recipes are opened, disk,
clock and the newest backup are looked at; the result is told to record, which calls a person when
it is bad and stops when it is good again.
Never: opens a camera, infers, or writes: the line goes on beside it.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from rich.text import Text

from inspector.cli import check
from inspector.cli.doctor import COLOURS
from inspector.cli.screen import REMARK, add_root, command, print_json, results, say, table
from inspector.core.clock import SECOND
from inspector.core.config import StationConfig, load_station
from inspector.core.errors import InspectorError
from inspector.core.messages import Event
from inspector.core.paths import Paths, of_root
from inspector.core.terms import Severity
from inspector.devices import box
from inspector.devices.bus import Bus
from inspector.devices.ledger.backup import backups, prove, read_backup
from inspector.devices.ledger.chain import entries
from inspector.devices.ledger.opening import find_damage
from inspector.devices.ledger.recount import recount
from inspector.domain import fitness
from inspector.domain.audit import first_break
from inspector.domain.fitness import Check
from inspector.services.record.backups import backups_folder

DAYS = 2  # of windows that are recounted: a test each day looks at each twice
OLDEST_H = 72  # one is made each day
NAMED = 3  # windows that do not agree, in the text
CONNECTED_S = 2.0  # within so long, or record does not run


class Tested(Struct, frozen=True):
    """What was found, as a machine reads it."""

    ok: bool
    told: bool  # record was told of it
    seconds: float
    checks: list[Check]


def add(commands: Any) -> None:
    made = command(
        commands,
        "selftest",
        "recount the totals, prove the audit chain, look at models, disk, clock and backups",
        "inspector selftest",
    )
    add_root(made)
    made.set_defaults(command=_selftest)


def _selftest(arguments: argparse.Namespace) -> int:
    paths, begun = of_root(arguments.root), time.monotonic()
    checks = list(test(paths, time.time_ns()))
    bad = [one for one in checks if one.state == "bad"]
    told = _tell(paths, bad, len(checks))
    found = Tested(not bad, told, round(time.monotonic() - begun, 2), checks)
    if arguments.json:
        print_json(found)
    else:
        _show(found)
    return 78 if bad else 0


def test(paths: Paths, wall_ns: int) -> Iterator[Check]:
    """Each thing that was looked at. What cannot be looked at is a line, never an exception."""
    try:
        config = load_station(paths.station_file)
    except InspectorError as error:
        yield Check("configuration", "bad", str(error), "mend the file")
        return
    yield _each("recipes and models", lambda: _models(paths, config))
    yield _each("ledger", lambda: _ledger(paths.ledger))
    yield _each("totals", lambda: _totals(paths.ledger, wall_ns))
    yield _each("audit chain", lambda: _audit(paths.ledger))
    yield _each("backup", lambda: _backup(backups_folder(config, paths), wall_ns))
    evidence, used = config.evidence, box.used(paths.evidence)
    yield fitness.disk(box.free(paths.state), used, evidence.quota_mb, evidence.keep_free_mb)
    yield from fitness.clock(box.synchronised(), wall_ns, 0)


def _each(what: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except (InspectorError, OSError) as error:
        return Check(what, "bad", str(error), "see the text; then `inspector selftest` again")


def _models(paths: Paths, config: StationConfig) -> Check:
    """Every recipe with its model, each file of which bears its digest."""
    lines = check.recipes(paths, config)
    if lines:
        more = f" (and {len(lines) - 1} more)" if lines[1:] else ""
        remedy = "mend the recipe, or install its model again"
        return Check("recipes and models", "bad", f"{lines[0]}{more}", remedy)
    return Check("recipes and models", "ok", f"{len(paths.recipe_names())} recipes are whole")


def _ledger(path: Path) -> Check:
    """SQLite's own check, for ten seconds at most."""
    damage = find_damage(path)
    if damage:
        remedy = "restart inspector-record: it goes back to the newest backup by itself"
        return Check("ledger", "bad", damage, remedy)
    return Check("ledger", "ok", "its file is whole")


def _totals(path: Path, wall_ns: int) -> Check:
    found = recount(path, wall_ns // SECOND - DAYS * 86_400)
    text = f"{found.windows} windows of {found.parts} parts recounted"
    if found.wrong:
        some = "; ".join(found.wrong[:NAMED])
        text = f"{len(found.wrong)} of {text} do not agree: {some}"
        return Check("totals", "bad", text, "keep a backup and a support bundle, and call us")
    return Check("totals", "ok", text)


def _audit(path: Path) -> Check:
    broken = first_break(entries(path))
    if broken:
        text = f"entry {broken.entry.id}: {broken.what}"
        remedy = "see `inspector audit verify`: somebody has changed what people did"
        return Check("audit chain", "bad", text, remedy)
    return Check("audit chain", "ok", "unbroken")


def _backup(folder: Path, wall_ns: int) -> Check:
    """The newest, read to its last byte."""
    found = backups(folder, wall_ns)
    if not found:
        return Check("backup", "warn", f"{folder}: holds none yet", "`inspector backup`")
    newest = read_backup(found[-1])
    prove(newest)
    hours = (wall_ns - newest.manifest.made_ns) // (3600 * SECOND)
    text = f"{newest.name}: {hours} h old, every file bears its digest"
    if hours > OLDEST_H:
        return Check("backup", "bad", text, "look at inspector-backup.timer and at its disk")
    return Check("backup", "ok", text)


def _tell(paths: Paths, bad: list[Check], looked_at: int) -> bool:
    """Record's inbox: an alarm, or the end of one. False when it cannot be told."""
    text = "; ".join(f"{one.what}: {one.text}" for one in bad)
    event = Event(
        service="selftest",
        severity=Severity.ALARM if bad else Severity.INFO,
        code="selftest_failed" if bad else "selftest_passed",
        text=text[:1000] or f"{looked_at} checks",
        wall_ns=time.time_ns(),
    )
    try:
        with Bus() as bus:
            outlet = bus.outlet(paths.socket("record"), 10)
            return outlet.connected(CONNECTED_S * 1000) and outlet.send(event)
    except InspectorError:
        return False


def _show(found: Tested) -> None:
    rows = [
        (Text(one.state, style=COLOURS[one.state]), one.what, one.text, one.remedy)
        for one in found.checks
    ]
    results.print(table("", ("", "what", REMARK, "what to do"), rows))
    if not found.told:
        say("record was not told: it is not running")
