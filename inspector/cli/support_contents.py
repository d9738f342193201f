"""What goes into a support bundle: each thing by its name, gathered when it is asked for.

Promises: no picture, no heatmap, nobody's name but those who log in, and no file that is a secret.
Never: holds up or changes the line.
"""

import json
import platform
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import tomli_w
from msgspec import structs, to_builtins

from inspector.cli.care import care_of
from inspector.cli.care_checks import care_checks
from inspector.cli.check import problems
from inspector.cli.station_checks import Station, read_station
from inspector.core.errors import InspectorError
from inspector.core.messages import Outcome
from inspector.core.paths import INSTALLED, Paths
from inspector.core.terms import Kind
from inspector.devices.ledger import LedgerReader
from inspector.domain.redaction import Redaction

Item = tuple[str, Callable[[], str]]

FAULTS, EVENTS, WINDOWS = 200, 500, 100
LINES = 20_000  # of the journal
PATIENCE_S = 60
HOST = ("/etc/os-release", "/proc/cmdline", "/proc/meminfo", "/proc/loadavg", "/proc/mounts")
KEPT = ("__REALTIME_TIMESTAMP", "_SYSTEMD_UNIT", "_PID", "SYSLOG_IDENTIFIER", "PRIORITY", "MESSAGE")


def contents(paths: Paths, hours: int, redaction: Redaction) -> Iterator[Item]:
    """All but images, without secrets. Each call may raise InspectorError or OSError."""
    station = read_station_of(paths)
    yield "versions.json", lambda: _json(_versions())
    yield "host.txt", lambda: redaction.text(_host())
    for path in [paths.station_file, *map(paths.recipe, paths.recipe_names())]:
        yield f"config/{path.name}", partial(_toml, path, redaction)
    yield "config/people.json", lambda: _json(redaction.value(_people(paths.people)))
    yield "status.json", lambda: _json(redaction.value(_status(paths, station)))
    yield "checks.json", lambda: _json(redaction.value(_checks(paths, station)))
    yield "metrics.json", lambda: _json(_metrics(paths))
    yield "faults.json", lambda: _json(redaction.value(_faults(paths)))
    yield "events.json", lambda: _json(redaction.value(_events(paths)))
    yield "totals.json", lambda: _json(redaction.value(_totals(paths)))
    if paths == INSTALLED:
        ours = ("-u", "inspector*", f"--since=-{hours}h")
        yield "journal.jsonl", lambda: _journal(redaction, *ours)
        yield "kernel.jsonl", lambda: _journal(redaction, "-k", "-p", "warning", "-b")
        yield "units.txt", lambda: redaction.text(_said("systemctl", "cat", "inspector*"))
        timers = ("systemctl", "list-timers", "--all", "--no-pager", "inspector*")
        yield "timers.txt", lambda: redaction.text(_said(*timers))


def read_station_of(paths: Paths) -> Station:
    """The station's checks; those of cameras only where no line runs."""
    return read_station(None if paths == INSTALLED else paths.config.parent)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _versions() -> dict[str, Any]:
    packages = {one.metadata["Name"]: one.version for one in metadata.distributions()}
    return {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "packages": dict(sorted(packages.items())),
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _host() -> str:
    """What the kernel tells of the box."""
    return "\n".join(f"--- {name}\n{_read(Path(name))}" for name in HOST)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        return f"({error.strerror})\n"


def _toml(path: Path, redaction: Redaction) -> str:
    """A file of the configuration, read and written anew: comments, which may hold anything, do
    not come along."""
    try:
        return tomli_w.dumps(redaction.value(tomllib.loads(path.read_text(encoding="utf-8"))))
    except ValueError as error:
        return redaction.text(f"# cannot be read: {error}\n")


def _people(path: Path) -> list[dict[str, Any]]:
    """Who may log in, without the PINs."""
    if not path.exists():
        return []
    listed = tomllib.loads(path.read_text(encoding="utf-8")).get("person", [])
    return [{key: one.get(key) for key in ("name", "role")} for one in listed]


def _status(paths: Paths, station: Station) -> dict[str, Any]:
    live = station.live
    if live and live.last:
        live = structs.replace(live, last=_without_heat(live.last))
    return {"line": to_builtins(live) if live else None, "station": to_builtins(care_of(paths))}


def _without_heat(outcome: Outcome) -> Outcome:
    return structs.replace(outcome, heatmap=None)


def _checks(paths: Paths, station: Station) -> dict[str, Any]:
    found = [] if station.live else problems(paths)  # it opens the cameras
    checks = station.checks + care_checks(paths)
    return {"doctor": to_builtins(checks), "check_config": found}


def _metrics(paths: Paths) -> Any:
    with closing(LedgerReader(paths.ledger)) as reader:
        return to_builtins(reader.metrics())


def _faults(paths: Paths) -> Any:
    with closing(LedgerReader(paths.ledger)) as reader:
        parts = reader.parts(FAULTS, kinds=[Kind.FAULT])
    return [{"id": one.id, **to_builtins(_without_heat(one.outcome))} for one in parts]


def _events(paths: Paths) -> Any:
    with closing(LedgerReader(paths.ledger)) as reader:
        return to_builtins(reader.events(EVENTS))


def _totals(paths: Paths) -> Any:
    with closing(LedgerReader(paths.ledger)) as reader:
        return to_builtins(
            {
                "pending": reader.pending_count(),
                "newest": reader.totals(WINDOWS),
                "sums": reader.sums(),
            }
        )


def _journal(redaction: Redaction, *choice: str) -> str:
    """Entries of the journal, a line of JSON each, oldest first."""
    command = ("journalctl", "--no-pager", "-q", "-o", "json", "-n", str(LINES), *choice)
    lines = (json.loads(line) for line in _said(*command).splitlines())
    return "".join(f"{json.dumps(redaction.value(_entry(one)))}\n" for one in lines)


def _entry(fields: dict[str, Any]) -> dict[str, Any]:
    """What matters of an entry."""
    wanted = {key: one for key, one in fields.items() if key in KEPT or key.startswith("INSPECTOR")}
    return {key: _value(one) for key, one in wanted.items()}


def _value(said: Any) -> Any:
    """A field: what was no text is bytes as numbers, and one that came twice a list."""
    if not isinstance(said, list):
        return said
    if all(isinstance(one, int) for one in said):
        return bytes(said).decode(errors="replace")
    return "\n".join(str(_value(one)) for one in said)


def _said(*command: str) -> str:
    """What a command prints. Raises OSError."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"{command[0]}: no answer for {PATIENCE_S} s") from None
    return done.stdout.decode(errors="replace")


def explained(error: Exception) -> str:
    """Why something is not in the bundle."""
    return f"{error if isinstance(error, InspectorError) else f'{type(error).__name__}: {error}'}\n"
