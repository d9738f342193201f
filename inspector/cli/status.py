"""inspector status: the line's state and alarms, its processes, and how the box is cared for."""

import argparse
import time
from datetime import datetime
from typing import Any

from msgspec import to_builtins
from rich.console import Group
from rich.live import Live as LiveView
from rich.table import Table
from rich.text import Text

from inspector.cli.care import Care, care_of, told
from inspector.cli.screen import REMARK, add_root, command, print_json, remarks, results, table
from inspector.core.clock import SECOND
from inspector.core.errors import MaintainerError
from inspector.core.live import Alarm, LineState, Live, ServiceHealth
from inspector.core.messages import Outcome
from inspector.core.paths import of_root
from inspector.core.terms import Kind, Severity
from inspector.core.topology import LIVE
from inspector.devices.bus import Bus, Inbox, newest_live

ANSWER_S = 3.0
STALE_MS = 3000


def add(commands: Any) -> None:
    made = command(
        commands,
        "status",
        "show the line's state, alarms, each process, rates and the last outcome",
        "inspector status --root /srv/station --once",
    )
    add_root(made)
    made.add_argument("--once", action="store_true", help="print once instead of following")
    made.set_defaults(command=_status)


def _status(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    with Bus() as bus:
        inbox = bus.listen(paths.socket(LIVE))
        live = newest_live(inbox, ANSWER_S * 1000)
        care = care_of(paths)
        if arguments.json:
            print_json((to_builtins(live) if live else {}) | {"station": to_builtins(care)})
        elif live is None:
            results.print(care_lines(care))
        elif arguments.once or not results.is_terminal:
            results.print(picture(live), care_lines(care), sep="\n")
        else:
            follow(inbox, live)
    if live is None:
        raise MaintainerError(f"{paths.run}: no line is running here (nothing heard in 3 s)")
    return 0


def care_lines(care: Care) -> Group:
    """How the station is looked after, a line each; bold what is not as it should be."""
    return Group(*(Text(said, "" if good else "bold red") for said, good in told(care)))


def follow(inbox: Inbox, live: Live) -> None:
    """Show the newest state until Ctrl-C; what is old is said to be old."""
    heard = time.monotonic()
    with LiveView(picture(live), console=remarks, auto_refresh=False) as view:
        while True:
            newest = newest_live(inbox, 500)
            if newest is not None:
                live, heard = newest, time.monotonic()
            silent = time.monotonic() - heard
            view.update(picture(live, silent_s=silent), refresh=True)


def picture(live: Live, silent_s: float = 0.0) -> Group:
    """The state of the line: its word and alarms, then the processes, then the last part."""
    head = (
        f"recipe {live.recipe}   lot {live.lot or '-'}   committed {live.committed}   "
        + "   ".join(f"{kind.value} {live.counts.get(kind, 0)}" for kind in Kind)
    )
    parts: list[Text | Table] = [state_line(live), Text(head)]
    if silent_s > STALE_MS / 1000:
        parts.append(Text(f"nothing heard for {silent_s:.0f} s: what follows is old", "bold red"))
    parts.append(table("", _COLUMNS, (_row(service) for service in live.services)))
    parts.append(Text(last_outcome(live.last)))
    parts += [alarm_line(alarm) for alarm in live.alarms]
    return Group(*parts)


def state_line(live: Live) -> Text:
    """What the line does, why, and in which mode."""
    why = f" ({live.why})" if live.why not in ("", live.state.value) else ""
    calm = live.state in (LineState.RUNNING, LineState.STARTING)
    return Text(f"{live.state.value}{why}   mode {live.mode.value}", "bold" if calm else "bold red")


def alarm_line(alarm: Alarm) -> Text:
    """An alarm with its number and time, and who has seen it."""
    at = datetime.fromtimestamp(alarm.raised_wall_ns // SECOND).astimezone()
    seen = f", acknowledged by {alarm.acknowledged_by}" if alarm.acknowledged_by else ""
    over = "" if alarm.active else ", over"
    said = f"{alarm.severity.value} {alarm.id} {at:%Y-%m-%d %H:%M:%S} {alarm.service}: {alarm.text}"
    grave = alarm.active and alarm.severity is Severity.ALARM and not alarm.acknowledged_by
    return Text(f"{said} [{alarm.code}{over}{seen}]", "bold red" if grave else "")


def last_outcome(outcome: Outcome | None) -> str:
    """The newest outcome in one line."""
    if outcome is None:
        return "no part yet"
    cause = f" ({outcome.cause.value})" if outcome.cause else ""
    return (
        f"last: {outcome.kind.value}{cause} -> {outcome.lane.value}, "
        f"{outcome.latency_us / 1000:.1f} ms, {outcome.reason}"
    )


_COLUMNS = ("process", "state", "parts", "parts/s", "queue", "p50 ms", "p99 ms", "pid", REMARK)


def _row(service: ServiceHealth) -> tuple[object, ...]:
    beat = service.heartbeat
    state = beat.state if service.age_ms < STALE_MS else f"silent {service.age_ms // 1000} s"
    return (
        beat.service,
        state,
        beat.handled,
        f"{beat.per_s:.1f}",
        beat.queue,
        f"{beat.p50_ms:.1f}",
        f"{beat.p99_ms:.1f}",
        beat.pid,
        beat.note,
    )
