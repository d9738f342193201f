"""inspector why: the whole story of one part, from its trigger to the message it went into."""

import argparse
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from msgspec import structs
from rich.text import Text

from inspector.cli.screen import add_root, command, print_json, results
from inspector.core.clock import SECOND
from inspector.core.config import StationConfig, load_station
from inspector.core.errors import InspectorError, OperatorError
from inspector.core.journal import part_name
from inspector.core.messages import Outcome
from inspector.core.paths import Paths, of_root
from inspector.core.terms import Kind
from inspector.devices.ledger.reader import RecordedPart
from inspector.devices.ledger.story import Counted, Finding, Story, StoryReader
from inspector.domain.keeping import evidence_name

Line = tuple[str, str]  # what it is about, and what there is to say
_NAMED = re.compile(r"(?P<who>[^/\s]+)/(?P<seq>[0-9]{1,18})")
_WIDTH = 9


def add(commands: Any) -> None:
    made = command(
        commands,
        "why",
        "the whole story of one part: trigger, frame, times, score, verdict, review, message",
        "inspector why last fault",
    )
    add_root(made)
    made.add_argument(
        "part",
        nargs="+",
        metavar="PART",
        help="CAMERA/SEQ, STREAM/SEQ, an id of the ledger, `last`, or `last fail` "
        "(fault, review, pass)",
    )
    made.set_defaults(command=_why)


def _why(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    with closing(StoryReader(paths.ledger)) as reader:
        part, others = find(reader, " ".join(arguments.part))
        story = reader.story(part, others)
    image = _image(paths, story.part.outcome)
    if arguments.json:
        print_json({"story": without_heat(story), "image": image})
        return 0
    for what, said in told(story, image, _config(paths)):
        results.print(Text(f"{what:<{_WIDTH}} {said}"), soft_wrap=True)
    return 0


def find(reader: StoryReader, name: str) -> tuple[RecordedPart, tuple[tuple[str, int], ...]]:
    """The part that is meant, and others of that name. Raises OperatorError where there is none."""
    words = name.split()
    if words[0] == "last" and len(words) <= 2:
        found = reader.parts(1, kinds=_kinds(words[1:]))
        if found:
            return _whole(reader, found[0]), ()
        raise OperatorError(f"{name}: no such part has been recorded yet")
    if name.isdecimal() and len(name) <= 18:
        found = reader.parts(1, before_id=int(name) + 1)
        if found and found[0].id == int(name):
            return _whole(reader, found[0]), ()
    if named := _NAMED.fullmatch(name):
        parts = reader.named(named["who"], int(named["seq"]))
        if parts and (part := reader.part(*parts[0])):
            return part, tuple(parts[1:])
    raise OperatorError(
        f"{name}: is not recorded (any more); give CAMERA/SEQ, STREAM/SEQ, an id of the ledger, "
        "`last` or `last fault`"
    )


def _kinds(words: list[str]) -> tuple[Kind, ...]:
    try:
        return tuple(map(Kind, words)) or tuple(Kind)
    except ValueError:
        kinds = ", ".join(Kind)
        raise OperatorError(f"last {words[0]}: one of {kinds} is wanted") from None


def _whole(reader: StoryReader, part: RecordedPart) -> RecordedPart:
    return reader.part(part.outcome.stream, part.outcome.seq) or part


def told(story: Story, image: str, config: StationConfig | None) -> Iterator[Line]:
    """The story in lines, in the order in which it happened."""
    outcome = story.part.outcome
    name = part_name(outcome.camera, outcome.seq)
    yield "part", f"{name}, stream {outcome.stream}, id {story.part.id} of the ledger"
    for stream, seq in story.others:
        yield "", f"an earlier run had one of this name: {stream[:8]}/{seq}"
    yield from _seen(outcome, image)
    yield from _times(outcome, config)
    yield "model", outcome.model or "none had judged it"
    yield "recipe", outcome.recipe + (f", lot {outcome.lot}" if outcome.lot else "")
    yield from _judged(outcome)
    yield "output", f"lane {outcome.lane.value}"
    for step in story.golden:
        right = "as it should" if step.ok else "NOT as it should"
        yield "golden", f"{step.part} of test {step.challenge}: {step.expected} expected, {right}"
    yield from _reviewed(story.findings)
    yield from _window(story)
    for counted in story.counted:
        yield from _sent(counted)
    for alarm in story.alarms:
        yield "alarm", f"stood since {when(alarm.wall_ns)}: {alarm.service}: {alarm.text}"
    for event in story.around:
        yield "event", f"{when(event.wall_ns)} {event.service}: {event.text} [{event.code}]"


def _seen(outcome: Outcome, image: str) -> Iterator[Line]:
    source = f", {outcome.source}" if outcome.source else ""
    yield "trigger", f"{when(outcome.trigger_wall_ns)}, camera {outcome.camera}{source}"
    frame = outcome.frame
    if frame is None:
        yield "frame", "none had come"
    else:
        where = f"slot {frame.slot}, generation {frame.generation}"
        yield "frame", f"{frame.format}, {where if frame.slot >= 0 else 'of another host'}"
    yield "image", image or "is not kept"


def _times(outcome: Outcome, config: StationConfig | None) -> Iterator[Line]:
    timing = outcome.timing
    steps = {
        "waited": timing.queue_us,
        "checked": timing.check_us,
        "inferred": timing.inference_us,
        "second look": timing.second_us,
    }
    said = ", ".join(f"{step} {us / 1000:.1f} ms" for step, us in steps.items() if us)
    deadline = f" (deadline now: {config.line.deadline_ms:g} ms)" if config else ""
    yield "times", f"settled {outcome.latency_us / 1000:.1f} ms after its trigger{deadline}"
    if said:
        yield "", said


def _judged(outcome: Outcome) -> Iterator[Line]:
    yield "score", "none" if outcome.score is None else f"{outcome.score:.4g}"
    for box in outcome.boxes:
        label = f"{box.label} " if box.label else ""
        size = f"{box.width}x{box.height} at {box.x},{box.y}"
        yield "", f"{label}{size}, peak {box.peak:.4g}"
    cause = f" ({outcome.cause.value})" if outcome.cause else ""
    yield "verdict", f"{outcome.kind.value}{cause}: {outcome.reason}"


def _reviewed(findings: tuple[Finding, ...]) -> Iterator[Line]:
    if not findings:
        yield "review", "nobody has looked at it"
    for one in findings:
        found = f"{one.verdict} {one.defect_class}".strip()
        reason = f": {one.reason}" if one.reason else ""
        yield "review", f"{when(one.wall_ns)} {one.who}: {found}{reason}"


def _window(story: Story) -> Iterator[Line]:
    start, end = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}" for at in story.window)
    still = "; is yet to be counted" if story.open else ""
    yield "window", f"{start} to {end[11:]} UTC{still}"


def _sent(counted: Counted) -> Iterator[Line]:
    row = counted.row
    counts = ", ".join(f"{kind.value} {count}" for kind, count in row.totals.counts.items())
    yield (
        "counted",
        f"{when(counted.counted_ns)} as row {row.row}, revision {row.revision}: {counts}",
    )
    for message in counted.messages:
        yield "message", f"{when(message.wall_ns)} on {message.topic}, {message.bytes} bytes"
    became = f"row {row.row}: {row.status}"
    if counted.status_ns is not None:
        became += f" at {when(counted.status_ns)}"
    elif counted.sent_ns is not None:
        became += f", sent at {when(counted.sent_ns)}"
    yield "", became + (f" ({counted.detail})" if counted.detail else "")


def when(wall_ns: int) -> str:
    """A moment in the box's own time zone, to the millisecond."""
    at = datetime.fromtimestamp(wall_ns // SECOND, UTC).astimezone()
    return f"{at:%Y-%m-%d %H:%M:%S}.{wall_ns % SECOND // 1_000_000:03d} {at:%z}"


def without_heat(story: Story) -> Story:
    """The story without the heatmap's bytes, which no reader of JSON wants."""
    outcome = story.part.outcome
    if outcome.heatmap is None:
        return story
    heatmap = structs.replace(outcome.heatmap, data=b"")
    part = replace(story.part, outcome=structs.replace(outcome, heatmap=heatmap))
    return replace(story, part=part)


def _image(paths: Paths, outcome: Outcome) -> str:
    """Where the part's image lies, or nothing."""
    for extension in ("jpg", "png"):
        moment = outcome.trigger_wall_ns
        name = evidence_name(moment, outcome.stream, outcome.seq, outcome.kind, extension)
        if (paths.evidence / name).is_file():
            return str(paths.evidence / name)
    return ""


def _config(paths: Paths) -> StationConfig | None:
    """The station's settings of now; a part's story is told without them as well."""
    try:
        return load_station(paths.station_file)
    except InspectorError:
        return None
