"""What a line of the log is about, as fields that a maintainer can filter on.

Promises: one line per event; the fields are `INSPECTOR_` and one of NAMES (`journalctl
INSPECTOR_PART=cam0/17`); a value never breaks out of its field, however it is spelled.
Never: opens a socket, or holds more than LONGEST bytes of a value.

The protocol is journald's own (systemd.io/JOURNAL_NATIVE_PROTOCOL): `NAME=value` and a line feed,
or, where the value has line feeds, the name, a line feed, its length in 8 bytes (little-endian),
the value and a line feed.
"""

from collections.abc import Mapping
from typing import Literal

from inspector.core.clock import SECOND
from inspector.core.messages import Event, Outcome
from inspector.core.terms import Severity

Name = Literal[
    "EVENT",  # a code of events, or of alarms
    "ALARM",  # the code, where it is an alarm or a note
    "SERVICE",  # who it is about
    "PART",  # CAMERA/SEQ, as `inspector why` takes it
    "STREAM",
    "CAMERA",
    "VERDICT",
    "CAUSE",
    "LANE",
    "RECIPE",
    "LOT",
    "MODEL",
]
Fields = Mapping[Name, str]

LONGEST = 4096
ABOUT = "inspector"  # the attribute of a logging record that has the fields
PRIORITIES = {Severity.INFO: 6, Severity.WARNING: 4, Severity.ALARM: 3}  # as syslog's
LEVELS = {Severity.INFO: 20, Severity.WARNING: 30, Severity.ALARM: 40}  # as logging's


class Sparing:
    """What lasts is told once a minute, however often it is met with."""

    def __init__(self, every_ns: int = 60 * SECOND) -> None:
        self._every_ns = every_ns
        self._told: dict[str, int] = {}

    def due(self, code: str, now_ns: int) -> bool:
        """True when this was not told for so long; it is taken to be told then."""
        told = self._told.get(code)
        if told is not None and now_ns - told < self._every_ns:
            return False
        self._told[code] = now_ns
        return True


def about(fields: Fields) -> dict[str, Fields]:
    """The `extra` of a call of logging."""
    return {ABOUT: {name: value for name, value in fields.items() if value}}


def about_event(event: Event) -> dict[str, Fields]:
    """The `extra` of the line that tells of an event."""
    alarm = "" if event.severity is Severity.INFO else event.code
    return about({"EVENT": event.code, "ALARM": alarm, "SERVICE": event.service})


def about_part(outcome: Outcome, event: str) -> dict[str, Fields]:
    """The `extra` of a line that tells of one part."""
    return about(
        {
            "EVENT": event,
            "PART": part_name(outcome.camera, outcome.seq),
            "STREAM": outcome.stream,
            "CAMERA": outcome.camera,
            "VERDICT": outcome.kind.value,
            "CAUSE": outcome.cause.value if outcome.cause else "",
            "LANE": outcome.lane.value,
            "RECIPE": outcome.recipe,
            "LOT": outcome.lot,
            "MODEL": outcome.model,
        }
    )


def part_name(camera: str, seq: int) -> str:
    """A part as people name it; unique within the run of its camera."""
    return f"{camera}/{seq}"


def datagram(identifier: str, priority: int, message: str, fields: Fields) -> bytes:
    """One entry of the journal. `priority`: 0 (the house burns) to 7 (of no interest)."""
    named = {f"INSPECTOR_{name}": value for name, value in fields.items()}
    head = {"MESSAGE": message, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": identifier}
    return b"".join(_field(name, value) for name, value in (head | named).items())


def _field(name: str, value: str) -> bytes:
    whole = value.encode("utf-8", "backslashreplace")[:LONGEST]
    data = whole.decode("utf-8", "ignore").encode()  # no half of a character at the end
    if b"\n" not in data:
        return b"%b=%b\n" % (name.encode(), data)
    return b"%b\n%b%b\n" % (name.encode(), len(data).to_bytes(8, "little"), data)
