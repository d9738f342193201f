"""What a station's messages weigh where none has left yet: typical ones, made as real ones are.

Promises: the sizes are those of the very types that leave, through the one way they leave by.
"""

from dataclasses import dataclass

from inspector.core.clock import SECOND
from inspector.core.live import LineState, LineStatus, ServiceWord
from inspector.core.terms import Kind, Mode, Severity
from inspector.domain.egress.event import event_of
from inspector.domain.egress.letter import Leaving, letter
from inspector.domain.egress.state import Box, Outgoing, state_of
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.totals import totals_of
from inspector.domain.egress.words import Online
from inspector.domain.notice import Notice, What
from inspector.domain.tally import Cycle, Latency, Totals, TotalsRow

HEX32 = "0123456789abcdef" * 2
WALL_NS = 1_760_000_000 * SECOND
MODEL = "product@0123456789ab"
DAILY = 1000  # windows so far, for numbers of the length that they usually have


@dataclass(frozen=True)
class Sizes:
    """Bytes of one message of each kind."""

    totals: int
    state: int
    event: int


def sizes(device: str, parts: int) -> Sizes:
    """Of a station of this DeviceId with so many parts in a window."""
    return Sizes(_bytes(_totals(device, parts)), _bytes(_state(device)), _bytes(_event(device)))


def _bytes(message: Leaving) -> int:
    return letter(message, Topics(message.device).totals).bytes


def _totals(device: str, parts: int) -> Leaving:
    failed = max(1, parts // 50)
    counts = {Kind.PASS: max(1, parts - failed), Kind.FAIL: failed}
    row = TotalsRow(
        ledger=HEX32,
        row=DAILY,
        start_s=WALL_NS // SECOND,
        end_s=WALL_NS // SECOND + 60,
        recipe="product",
        lot="L-2024-001",
        model=MODEL,
        revision=1,
        totals=Totals(
            counts=counts,
            defect_classes={"scratch": failed},
            first_pass=counts[Kind.PASS],
            latency=Latency(10_123, 20_123, 30_123),
            cycle=Cycle(200_123, 300_123),
        ),
        cumulative={kind: DAILY * count for kind, count in counts.items()},
    )
    return totals_of(device, row, ("scratch",))


def _state(device: str) -> Leaving:
    services = ("record", "gate", "detect", "publish", "capture-cam0", "workshop", "ui")
    status = LineStatus(
        wall_ns=WALL_NS,
        state=LineState.RUNNING,
        why="running",
        mode=Mode.INSPECT,
        recipe="product",
        lot="L-2024-001",
        model=MODEL,
        services=tuple(ServiceWord(service=name, state="running") for name in services),
        alarms=(),
    )
    outgoing = Outgoing(waiting=1, set_aside=0, events=0)
    versions = {"inspector": "0.1.0", "openvino": "2026.4.1"}
    box = Box(
        disk_free_mb=78_211,
        images_free_mb=402_117,
        memory_mb=612,
        load=0.71,
        temperature_c=54.0,
        restarts=0,
        backup_age_h=9,
        clock_ahead_s=0.0,
    )
    known = status, outgoing, versions, HEX32
    return state_of(device, HEX32, Online.ONLINE, WALL_NS, *known, box=box)


def _event(device: str) -> Leaving:
    notice = Notice(
        ledger=HEX32,
        id=DAILY,
        wall_ns=WALL_NS,
        what=What.MAKING_CHANGED,
        severity=Severity.INFO,
        recipe="product",
        lot="L-2024-001",
        model=MODEL,
        mode="inspect",
    )
    return event_of(device, notice)
