"""Whether a box is fit to inspect: facts in, lines of `ok`, `warn` or `bad` out.

Promises: a line that is not ok says what to do; `bad` means that parts would go uninspected,
wrongly timed or unrecorded, `warn` that there is little in reserve.
Never: measures anything, or calls what is unknown ok.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from inspector.core.clock import SECOND

State = Literal["ok", "warn", "bad"]

MIB = 2**20
MARGIN = 2.0  # below, a second task on the box may cost parts
FEWEST_MIB = 256  # of memory that has to stay free besides the model
EASY_MIB = 1024
LINE_MS = 5.0  # from camera to gate and from gate to output, besides the model


class Check(Struct, frozen=True):
    """One line. `remedy` is empty where all is well."""

    what: str
    state: State
    text: str
    remedy: str = ""


def pace(p99_ms: float, takt_ms: float | None, deadline_ms: float | None) -> list[Check]:
    """Whether one part every `takt_ms` can be inspected, each within `deadline_ms`."""
    lines = []
    remedy = "a faster device or precision, an INT8 model, more threads, or a longer time"
    for what, limit, spent in (
        ("takt", takt_ms, p99_ms),
        ("deadline", deadline_ms, p99_ms + LINE_MS),
    ):
        if limit is None:
            continue
        margin = limit / spent
        state: State = "bad" if margin < 1 else "warn" if margin < MARGIN else "ok"
        text = f"{spent:.1f} ms (p99) of {limit:g} ms, {times(margin)} margin"
        lines.append(Check(what, state, text, "" if state == "ok" else remedy))
    return lines


def times(margin: float) -> str:
    """`14x`, or `1.4x` where it matters."""
    return f"{margin:.0f}x" if margin >= 10 else f"{margin:.1f}x"


def combined(takts_ms: Iterable[float]) -> float | None:
    """The takt of one model that serves cameras of these; None where none has one (0)."""
    rates = [1 / takt for takt in takts_ms if takt > 0]
    return 1 / sum(rates) if rates else None


def parity(difference: float, tolerance: float) -> Check:
    """Whether the model says here what it said where it was made."""
    text = f"references differ by {difference:.2g} at most (tolerance {tolerance:g})"
    if difference <= tolerance:
        return Check("parity", "ok", text)
    return Check("parity", "bad", text, "use the precision it was made for, or export it again")


def memory(available: int | None, model: int) -> Check:
    """Bytes free, and bytes that the model took."""
    if available is None:
        return Check("memory", "warn", "cannot be learned", "look at /proc/meminfo")
    text = f"{available // MIB} MiB free, the model took {model // MIB} MiB"
    if available < model + FEWEST_MIB * MIB:
        return Check("memory", "bad", text, "stop what else runs here, or add memory")
    if available < model + EASY_MIB * MIB:
        return Check("memory", "warn", text, "stop what else runs here, or add memory")
    return Check("memory", "ok", text)


def disk(free: int | None, used: int, quota_mb: int, keep_free_mb: int) -> Check:
    """Room for the evidence: bytes free and used, against the quota and what must stay free."""
    if free is None:
        return Check("disk", "bad", "cannot be learned", "mount the state folder")
    wanted = max(0, quota_mb - used // MIB)
    text = f"{free // MIB} MiB free; evidence may take {wanted} MiB more, {keep_free_mb} stay free"
    remedy = "make room, or lower evidence.quota_mb"
    if free // MIB < max(keep_free_mb, 64):
        return Check("disk", "bad", text, remedy)
    if free // MIB < wanted + keep_free_mb:
        return Check("disk", "warn", text, remedy)
    return Check("disk", "ok", text)


def shared_memory(free: int | None, frames_mb: int) -> Check:
    """Room for the cameras' rings."""
    text = f"{'?' if free is None else free // MIB} MiB free for {frames_mb} MiB of frames"
    if free is None or free // MIB < frames_mb:
        return Check("frames", "bad", text, "enlarge /dev/shm, or lower ring.budget_mb")
    return Check("frames", "ok", text)


def clock(synchronised: bool | None, wall_ns: int, built_ns: int) -> list[Check]:
    """The clock whose time stands in every outcome. `built_ns`: no true clock is before that."""
    remedy = "switch on systemd-timesyncd, chrony or PTP"
    words = {True: "follows a time server", False: "follows no time server", None: "is unknown"}
    state: State = "ok" if synchronised else "warn"
    lines = [Check("clock", state, words[synchronised], "" if synchronised else remedy)]
    if wall_ns < built_ns:
        now, built = (_day(moment) for moment in (wall_ns, built_ns))
        text = f"says {now}, before this program was built ({built})"
        lines.append(Check("date", "bad", text, f"set the clock; {remedy}"))
    return lines


def verdict(checks: Sequence[Check], works: str) -> str:
    """One plain sentence. `works`: what the box does where nothing is bad."""
    bad = [check for check in checks if check.state == "bad"]
    if bad:
        reasons = "; ".join(f"{check.what}: {check.text}" for check in bad)
        return f"This box is not fit to inspect: {reasons}."
    warned = [check.what for check in checks if check.state == "warn"]
    rest = f" Look at: {', '.join(dict.fromkeys(warned))}." if warned else ""
    return f"This box {works}.{rest}"


def _day(moment_ns: int) -> str:
    return datetime.fromtimestamp(moment_ns // SECOND, UTC).strftime("%Y-%m-%d")
