"""The state of the line as every screen shows it, whole.

Promises: the newest state is all there is to know; whoever misses one misses nothing.
Never: text in one language only where a person is to act: alarms and states have codes.
"""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta

from inspector.core.messages import Heartbeat, Outcome
from inspector.core.terms import (
    Cause,
    Count,
    FrameRef,
    Frozen,
    Identifier,
    Kind,
    Lane,
    Message,
    Mode,
    Severity,
    WallTime,
)

Share = Annotated[float, Meta(ge=0, le=1)]
# Upper bounds of the latency histogram's buckets, in milliseconds; one more bucket has the rest.
LATENCY_MS = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
RECENT = 12  # parts shown in small


class LineState(StrEnum):
    """The line as one word."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    DEGRADED = "degraded"  # parts are rejected that might be good, or something is not looked after
    STOPPED = "stopped"  # nothing is inspected


class ServiceHealth(Frozen, frozen=True, kw_only=True):
    """A service as the screen shows it."""

    heartbeat: Heartbeat
    age_ms: Count
    restarts: Count = 0  # seen by record


class Alarm(Frozen, frozen=True, kw_only=True):
    """Something a person must know of. `code` has cause and remedy in every language; `text` is
    what exactly happened. Gone once it has ended and, if `latched`, been acknowledged."""

    id: Count
    code: Identifier
    service: Identifier
    severity: Severity  # ALARM, or WARNING for a note
    text: str
    raised_wall_ns: WallTime
    active: bool
    acknowledged_by: Identifier = ""


class RecentPart(Frozen, frozen=True, kw_only=True):
    """One of the last parts, in small."""

    camera: Identifier
    stream: Identifier
    seq: Count
    kind: Kind
    cause: Cause | None
    lane: Lane
    score: float | None
    trigger_wall_ns: WallTime
    latency_us: Count
    frame: FrameRef | None

    @classmethod
    def of(cls, outcome: Outcome) -> "RecentPart":
        return cls(
            camera=outcome.camera,
            stream=outcome.stream,
            seq=outcome.seq,
            kind=outcome.kind,
            cause=outcome.cause,
            lane=outcome.lane,
            score=outcome.score,
            trigger_wall_ns=outcome.trigger_wall_ns,
            latency_us=outcome.latency_us,
            frame=outcome.frame,
        )


class Tally(Frozen, frozen=True, kw_only=True):
    """Parts counted since `since_wall_ns`, reviews taken in. Parts of a challenge are not in it,
    and paused ones are in `paused` alone."""

    since_wall_ns: WallTime
    counts: dict[Kind, int]
    first_pass: Count
    rejected: Count
    paused: Count

    @property
    def inspected(self) -> int:
        return sum(self.counts.values())


class ChallengeStep(Frozen, frozen=True, kw_only=True):
    """One golden part: what is expected of it, and what the line said."""

    number: Count  # from 1
    part: Identifier
    expected: Literal["pass", "fail"]
    kind: Kind | None = None
    ok: bool | None = None
    stream: Identifier = ""
    seq: Count = 0


class ChallengeState(Frozen, frozen=True, kw_only=True):
    """The challenge test of the recipe in force."""

    steps: tuple[ChallengeStep, ...]
    step: Count = 0  # the one that is on, from 1; 0: no test is under way
    waiting: bool = False  # the golden part is there, its outcome is awaited
    last_result: Literal["", "passed", "failed", "abandoned"] = ""
    last_wall_ns: WallTime = 0
    due_wall_ns: WallTime = 0  # 0: never
    overdue: bool = False


class Taught(Frozen, frozen=True, kw_only=True):
    """What teaching gave: limits, and the scores they rest on (parts the memory had not seen)."""

    model: Identifier
    review: float
    fail: float
    good_scores: tuple[float, ...]
    defect_scores: tuple[float, ...]
    notes: tuple[str, ...]
    seconds: float


class Shadow(Frozen, frozen=True, kw_only=True):
    """A model tried beside the present one, on the same parts of the running line."""

    model: Identifier
    parts: Count = 0
    agree: Count = 0
    only_shadow_rejects: Count = 0
    only_line_rejects: Count = 0
    last_differences: tuple[RecentPart, ...] = ()


class WorkshopState(Message, tag="workshop", frozen=True, kw_only=True):
    """workshop -> record, and on to every screen: what is done beside the line."""

    job: Literal["idle", "collecting", "teaching", "shadow", "proving", "switching"]
    product: Identifier = ""
    label: Identifier = ""  # of what is collected now: good, defective
    good: Count = 0
    defective: Count = 0
    wanted: Count = 0
    warnings: tuple[str, ...] = ()
    step: str = ""
    progress: Share = 0.0
    taught: Taught | None = None
    shadow: Shadow | None = None
    error: str = ""  # why the last errand failed


class ServiceWord(Frozen, frozen=True, kw_only=True):
    """A service in one word: its heartbeat's state, or `silent`."""

    service: Identifier
    state: Identifier


class AlarmWord(Frozen, frozen=True, kw_only=True):
    """An alarm that stands, without its text."""

    code: Identifier
    service: Identifier
    severity: Severity
    raised_wall_ns: WallTime
    acknowledged: bool


class LineStatus(Message, tag="line_status", frozen=True, kw_only=True):
    """record -> publish, when it changes and once a second: the line in words and numbers. Unlike
    `Live` it holds nothing that was made from pixels."""

    wall_ns: WallTime
    state: LineState
    why: Identifier
    mode: Mode
    recipe: Identifier
    lot: Identifier
    model: str  # of the last part
    services: tuple[ServiceWord, ...]
    alarms: tuple[AlarmWord, ...]  # the gravest and newest first, at most 10


class Live(Message, tag="live", frozen=True, kw_only=True):
    """record -> any screen: the state of the line, several times a second. Newest wins."""

    sent_ns: int
    wall_ns: WallTime
    state: LineState
    why: Identifier  # a code: what the state comes from, and so what to do
    mode: Mode
    recipe: Identifier
    lot: Identifier
    coming: Identifier  # the recipe that is being loaded, or nothing
    counts: dict[Kind, int]  # of this run of record, as all up to latency_sum_us
    causes: dict[Cause, int]
    latency: tuple[Count, ...]  # a histogram by LATENCY_MS
    latency_sum_us: Count
    committed: Count
    services: tuple[ServiceHealth, ...]
    last: Outcome | None
    recent: tuple[RecentPart, ...]  # newest first, at most RECENT
    alarms: tuple[Alarm, ...]  # the gravest and newest first
    shift: Tally
    lot_tally: Tally
    per_minute: float
    to_review: Count
    drift: float | None  # population stability index of the scores against those at teaching
    challenge: ChallengeState | None
    workshop: WorkshopState | None
    pixel_bytes: Count  # inspected by this ledger, ever
    departed: Count  # messages that left
    departed_bytes: Count
