"""What the line makes, as its recorded parts say it: recipe, lot and model, and when it changes.

Promises: a change is told once, with the first part that shows it, however many cameras there
are: one that still sends parts from before the change does not turn it back. A fault shows no
model, since none has decided on it.
Never: looks at anything but recorded parts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from inspector.core.messages import Outcome
from inspector.core.terms import Kind


@dataclass(frozen=True, slots=True)
class Made:
    """What one part was made as, and judged with."""

    recipe: str = ""
    lot: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest part of one camera."""

    stream: str
    seq: int
    made: Made


@dataclass(frozen=True, slots=True)
class Change:
    """From this part on, something else is made."""

    wall_ns: int
    made: Made


@dataclass(frozen=True, slots=True)
class Making:
    """`now`: what is made; None before the first part of all."""

    now: Made | None = None
    cameras: Mapping[str, Seen] = field(default_factory=dict)


def follow(making: Making, recorded: Iterable[Outcome]) -> tuple[Making, list[Change]]:
    """What is made after these parts, and the changes among them, in their order."""
    now, cameras, changes = making.now, dict(making.cameras), []
    for part in recorded:
        seen = cameras.get(part.camera)
        if seen and seen.stream == part.stream and part.seq < seen.seq:
            continue  # settled late: parts after it have told already
        before = seen.made if seen else now
        made = _made(part, before)
        cameras[part.camera] = Seen(part.stream, part.seq, made)
        # A camera that has yet to follow a change that another has shown changes nothing.
        if now is None or made not in (before, now):
            now = made
            changes.append(Change(part.trigger_wall_ns, made))
    return replace(making, now=now, cameras=cameras), changes


def _made(part: Outcome, before: Made | None) -> Made:
    model = before.model if before and part.kind is Kind.FAULT else part.model
    return Made(part.recipe, part.lot, model)
