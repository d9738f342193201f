"""configs/mqtt: the JSON Schema of every message, and the examples in its README, made from the
types: `python -m support.mqtt_schemas`, run in tests/, writes both anew.

Promises: JSON Schema Draft 2020-12, one file for each topic; patterns as ECMA 262 has them;
the examples are made by the functions that make what leaves.
Never: says anything that the types do not.
"""

import dataclasses
import inspect
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from inspector.core.live import AlarmWord, LineState, LineStatus, ServiceWord
from inspector.core.terms import Cause, Kind, Mode, Severity
from inspector.domain.egress.event import Event, event_of
from inspector.domain.egress.letter import Leaving, letter
from inspector.domain.egress.reply import Became, CommandReply, Why
from inspector.domain.egress.state import Box, Outgoing, State, state_of
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.totals import Totals, VoidTotals, totals_of, void_of
from inspector.domain.egress.words import Online
from inspector.domain.ingress import Ack, Command, SetRecipe
from inspector.domain.notice import Notice, What
from inspector.domain.tally import Part, TotalsRow, tally

FOLDER = Path(__file__).parents[2] / "configs" / "mqtt"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
# By the last level of the topic.
TYPES: dict[str, tuple[type, ...]] = {
    "totals": (Totals, VoidTotals),
    "state": (State,),
    "events": (Event,),
    "reply": (CommandReply,),
    "ack": (Ack,),
    "command": (Command,),
}

DEVICE = "acme/lyon/press/line1/cell7"
LEDGER = "6f1c0d5be0a94c8f8f0d7c0b3f6a1e22"
RUN = "b7a0c6de41f24a35a7f0c9d1e2b3a4f5"
MODEL = "cap@3f9c2d7a1b04"
AT_S = 1_764_576_000  # 2025-12-01T08:00:00Z
SECOND = 1_000_000_000
EXAMPLE = re.compile(r"(<!-- example: ([a-z ]+) -->\n```json\n).*?(\n```)", re.DOTALL)


def schema(topic: str) -> dict[str, Any]:
    """What a message on this topic looks like."""
    kinds = TYPES[topic]
    references, found = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    made = [reference["$ref"] for reference in references]
    head = {"$schema": DRAFT, "$id": f"urn:inspector:vision:v1:{topic}", "title": topic}
    body = {"$ref": made[0]} if len(made) == 1 else {"oneOf": [{"$ref": one} for one in made]}
    return {**head, **body, "$defs": _tidy(_commented(found, kinds))}


def schema_text(topic: str) -> str:
    """The file, whole."""
    return json.dumps(schema(topic), indent=2) + "\n"


def examples() -> dict[str, bytes]:
    """One real message of each kind, as it leaves or comes in."""
    topics = Topics(DEVICE)
    leaving: dict[str, tuple[Leaving, str]] = {
        "totals": (totals_of(DEVICE, _row(), ("scratch",)), topics.totals),
        "totals void": (void_of(DEVICE, _row()), topics.totals),
        "state": (_state(), topics.state),
        "state will": (_will(), topics.state),
        "events": (event_of(DEVICE, _alarm()), topics.events),
        "events change": (event_of(DEVICE, _change()), topics.events),
        "reply": (_reply(), topics.reply),
    }
    coming: dict[str, Ack | Command] = {
        "ack": Ack(schema=1, stream=LEDGER, through_seq=1412),
        "command": _command(),
    }
    found = {name: letter(message, topic).payload for name, (message, topic) in leaving.items()}
    return {**found, **{name: msgspec.json.encode(one) for name, one in coming.items()}}


def readme(text: str) -> str:
    """The page with its examples made anew."""
    made = {name: spelled(data) for name, data in examples().items()}
    return EXAMPLE.sub(lambda hit: hit[1] + made[hit[2]] + hit[3], text)


def spelled(data: bytes) -> str:
    """JSON for a reader: a line for each member."""
    members = json.loads(data).items()
    return "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in members) + "\n}"


def main() -> None:
    for topic in TYPES:
        (FOLDER / f"{topic}.schema.json").write_text(schema_text(topic), encoding="utf-8")
    page = FOLDER / "README.md"
    page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8")


def _tidy(node: Any) -> Any:
    """Python's `\\Z` as `$`, which ECMA 262 has in its place; descriptions in one line; and
    nothing that only OpenAPI knows."""
    if isinstance(node, dict):
        return {
            key: _words(value) if key == "description" else _tidy(value)
            for key, value in node.items()
            if key != "discriminator"
        }
    if isinstance(node, list):
        return [_tidy(one) for one in node]
    return node.replace("\\Z", "$") if isinstance(node, str) else node


def _words(text: Any) -> Any:
    return " ".join(text.split()) if isinstance(text, str) else _tidy(text)


def _commented(found: Mapping[str, Any], kinds: Iterable[type]) -> Mapping[str, Any]:
    """Each member with the comment that stands beside it in the source."""
    modules = [inspect.getmodule(kind) for kind in kinds]
    for name, made in found.items():
        source = next((vars(one)[name] for one in modules if name in vars(one)), None)
        for field, comment in _comments(source):
            if field in made.get("properties", {}):
                # Beside a $ref, which Draft 2020-12 allows.
                made["properties"][field]["description"] = comment
    return found


def _comments(kind: Any) -> list[tuple[str, str]]:
    if kind is None:
        return []
    return re.findall(r"^    (\w+): .*?  #\s*(.+)$", inspect.getsource(kind), re.MULTILINE)


def _row() -> TotalsRow:
    parts = [_part(number, Kind.PASS) for number in range(57)]
    parts += [_part(57, Kind.FAIL, 7300, "scratch"), _part(58, Kind.FAIL, 9100)]
    parts += [dataclasses.replace(_part(59, Kind.REVIEW), finding=Kind.FAIL, defect_class="dent")]
    parts += [dataclasses.replace(_part(60, Kind.FAULT, 40_000), cause=Cause.LATE)]
    return TotalsRow(
        ledger=LEDGER,
        row=1412,
        start_s=AT_S,
        end_s=AT_S + 60,
        recipe="cap",
        lot="L-2025-118",
        model=MODEL,
        revision=2,
        totals=tally(parts),
        cumulative={Kind.PASS: 80_231, Kind.FAIL: 911, Kind.REVIEW: 14, Kind.FAULT: 38},
    )


def _part(number: int, kind: Kind, latency_us: int = 6100, found: str = "") -> Part:
    """One of a camera's parts, a little less than a second after the one before."""
    wall_ns = AT_S * SECOND + number * 980_000_000
    return Part(kind, None, latency_us, defect_class=found, stream=1, seq=number, wall_ns=wall_ns)


def _status() -> LineStatus:
    return LineStatus(
        wall_ns=(AT_S + 61) * SECOND,
        state=LineState.RUNNING,
        why="running",
        mode=Mode.INSPECT,
        recipe="cap",
        lot="L-2025-118",
        model=MODEL,
        services=tuple(
            ServiceWord(service=name, state="running")
            for name in ("capture-cam0", "detect", "gate", "publish", "record")
        ),
        alarms=(
            AlarmWord(
                code="drift",
                service="record",
                severity=Severity.ALARM,
                raised_wall_ns=(AT_S - 300) * SECOND,
                acknowledged=True,
            ),
        ),
    )


def _state() -> State:
    return state_of(
        DEVICE,
        RUN,
        Online.ONLINE,
        (AT_S + 61) * SECOND,
        _status(),
        Outgoing(waiting=1, set_aside=0, events=0),
        {"inspector": "0.5.0", "python": "3.11.2"},
        LEDGER,
        box=_box(),
    )


def _box() -> Box:
    return Box(
        disk_free_mb=78_211,
        images_free_mb=402_117,
        memory_mb=612,
        load=0.71,
        temperature_c=54.0,
        restarts=0,
        backup_age_h=9,
        clock_ahead_s=0.0,
    )


def _will() -> State:
    nothing = Outgoing(waiting=0, set_aside=0, events=0)
    versions = {"inspector": "0.5.0", "python": "3.11.2"}
    return state_of(DEVICE, RUN, Online.LOST, AT_S * SECOND, None, nothing, versions)


def _alarm() -> Notice:
    at = (AT_S - 300) * SECOND
    severity = Severity.ALARM
    return Notice(LEDGER, 88, at, What.ALARM_RAISED, "drift", "record", severity)


def _change() -> Notice:
    at = (AT_S + 95) * SECOND
    return Notice(LEDGER, 89, at, What.MAKING_CHANGED, recipe="cap", lot="L-2025-119", model=MODEL)


def _command() -> Command:
    return Command(
        schema=1,
        id="mes-20251201-0042",
        issued="2025-12-01T08:01:30Z",
        order=SetRecipe(recipe="cap", lot="L-2025-119"),
        reason="order 4711",
    )


def _reply() -> CommandReply:
    return CommandReply(
        schema=1,
        device=DEVICE,
        id="mes-20251201-0042",
        at="2025-12-01T08:01:30Z",
        status=Became.DONE,
        why=Why.NONE,
    )


if __name__ == "__main__":
    main()
