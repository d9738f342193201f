"""An upgrade, step by step: what comes next, what a power cut leaves to do, when a release is fit.

Promises: the release that has inspected here stays until the new one does; at each step it is known
what to do after a cut; a release that does not inspect in time is returned from, and not tried
again by itself.
Never: looks at a clock, a disk or a process itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, structs

from inspector.core.terms import Frozen, WallTime

TRIAL_S = 60.0  # the line inspects again within a minute, or the previous release comes back
STEADY_S = 5.0  # for so long without a process starting anew
TRIALS = 2  # boots in the middle of a trial, before the release is held to be the cause


class Step(StrEnum):
    """Where an upgrade stands. Each is written down before it is done, and may be done again."""

    COPYING = "copying"  # the line is stopped and its ledger copied; nothing has changed yet
    SWITCHING = "switching"  # the copy is whole; the new release takes its place
    TRIAL = "trial"  # the new release runs, and has to show that it inspects
    RETURNING = "returning"  # the previous release and, where need be, its ledger come back
    TELLING = "telling"  # the line runs again; people have yet to be told of the return


class Upgrade(Frozen, frozen=True, kw_only=True):
    """An upgrade under way."""

    step: Step
    old: str  # releases, by the names of their folders
    new: str
    since_ns: WallTime
    ready: tuple[str, ...] = ()  # units that were ready before it
    boots: Annotated[int, Meta(ge=0)] = 0  # in the middle of the trial
    why: str = ""  # of the return


class Refused(Frozen, frozen=True, kw_only=True):
    """A release that was returned from."""

    release: str
    why: str
    wall_ns: WallTime


class Notes(Frozen, frozen=True, kw_only=True):
    """What is remembered of upgrades that are over."""

    refused: tuple[Refused, ...] = ()

    def refusal(self, release: str) -> Refused | None:
        return next((one for one in self.refused if one.release == release), None)


@dataclass(frozen=True)
class Seen:
    """One look at the station during a trial."""

    units: Mapping[str, str]  # state of each unit by its name: active, activating, failed...
    restarts: int  # of all units together, since they were started
    line: str  # the state of the line as `inspector status` tells it; "" while it tells nothing
    decided: int  # parts with an outcome other than fault, since the start
    faults: int


def after_boot(upgrade: Upgrade) -> Upgrade:
    """What to go on with when the box starts in the middle of an upgrade."""
    if upgrade.step is not Step.TRIAL:
        return upgrade
    boots = upgrade.boots + 1
    if boots < TRIALS:
        return structs.replace(upgrade, boots=boots)
    return give_up(upgrade, f"the box was started anew {boots} times during its trial")


def give_up(upgrade: Upgrade, why: str) -> Upgrade:
    """Return to the previous release."""
    return structs.replace(upgrade, step=Step.RETURNING, why=why)


def advanced(upgrade: Upgrade, step: Step) -> Upgrade:
    """The same upgrade, one step on."""
    return structs.replace(upgrade, step=step)


def lacking(ready_before: tuple[str, ...], seen: Seen) -> str:
    """What the line lacks to inspect as it did before; empty when it does.

    A station without parts is fit when it is ready for one; where parts come, one at least has to
    be decided. What was broken before is not asked for.
    """
    states = {unit: seen.units.get(unit, "gone") for unit in ready_before}
    down = [f"{unit} is {state}" for unit, state in states.items() if state != "active"]
    if down:
        return ", ".join(down)
    if seen.line in ("", "starting", "stopped"):
        return f"the line is {seen.line or 'silent'}"
    if seen.faults and not seen.decided:
        return f"{seen.faults} parts, all of them faults"
    return ""


class Trial:
    """Whether a release is fit: it lacks nothing for a while, with no process starting anew."""

    def __init__(self, ready_before: tuple[str, ...], began_s: float) -> None:
        self._ready, self._began, self._now = ready_before, began_s, began_s
        self._since: float | None = None
        self._restarts = 0
        self._lacks = "nothing has been seen of it"

    @property
    def verdict(self) -> str:
        """Why the release is not fit."""
        return f"it did not inspect within {self._now - self._began:.0f} s: {self._lacks}"

    def fit(self, seen: Seen, now_s: float) -> bool | None:
        """True or False once it is known."""
        self._lacks, self._now = lacking(self._ready, seen), now_s
        if self._lacks or seen.restarts != self._restarts:
            self._since, self._restarts = None, seen.restarts
        elif self._since is None:
            self._since = now_s
        if self._since is not None and now_s - self._since >= STEADY_S:
            return True
        given_up = any(seen.units.get(unit) == "failed" for unit in self._ready)
        if now_s - self._began < TRIAL_S and not given_up:
            return None
        self._lacks = self._lacks or "its processes start anew again and again"
        return False


def needs_old_ledger(before: int | None, now: int | None, whole: bool) -> bool:
    """Whether the previous release has to have its own ledger back: what lies there now has other
    tables, or is damaged. Otherwise nothing is lost by keeping it.

    `before`, `now`: versions of the tables; None without a ledger.
    """
    return before is not None and (now != before or not whole)
