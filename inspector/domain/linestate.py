"""The line as one word, and a code of why: what somebody reads from three metres away.

Promises: never better than what is known: a service that is silent counts as gone; the gravest
truth comes first.
Never: reads a clock, or decides anything about a part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inspector.core.live import LineState, ServiceHealth
from inspector.core.terms import Mode
from inspector.domain.part_alarms import FAULTS

SILENT_MS = 1500  # for the screen; an alarm waits longer
START_MS = 15_000  # so long may a service take to its first word
CAPTURE = "capture-"


@dataclass(frozen=True)
class Facts:
    """What the line's state follows from."""

    mode: Mode
    services: Sequence[ServiceHealth]
    faults_in_row: int = 0


WHY = (
    "starting",
    "running",
    "challenge",
    "paused",
    "gate_silent",
    "camera_silent",
    "camera_ended",
    "one_camera_silent",
    "detect_silent",
    "no_model",
    "record_stalled",
    "output",
    "faults",
)


def line_state(facts: Facts) -> tuple[LineState, str]:
    """The state, and one of WHY."""
    line = _Line(facts)
    if why := line.stopped():
        return LineState.STOPPED, why
    if line.paused():
        return LineState.PAUSED, "paused"
    if line.ended():
        return LineState.STOPPED, "camera_ended"
    if line.starting():
        return LineState.STARTING, "starting"
    if why := line.degraded():
        return LineState.DEGRADED, why
    return LineState.RUNNING, "challenge" if facts.mode is Mode.CHALLENGE else "running"


class _Line:
    """The services that a part passes through."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._by_name = {one.heartbeat.service: one for one in facts.services}
        self._cameras = [one for name, one in self._by_name.items() if name.startswith(CAPTURE)]
        self._blind = [one for one in self._cameras if is_gone(one)]

    def stopped(self) -> str:
        if self._is("gate", is_gone):
            return "gate_silent"
        return "camera_silent" if self._blind and self._blind == self._cameras else ""

    def paused(self) -> bool:
        return self._facts.mode is Mode.PAUSED and not self._is("gate", is_starting)

    def ended(self) -> bool:
        """Every camera has shown all that it had."""
        states = {one.heartbeat.state for one in self._cameras}
        return states == {"ended"}

    def starting(self) -> bool:
        cameras = any(is_starting(one) for one in self._cameras)
        return cameras or self._is("gate", is_starting) or self._is("detect", is_starting)

    def degraded(self) -> str:
        """The gravest of what is wrong."""
        wrong = {
            "detect_silent": self._is("detect", is_gone),
            "no_model": self._is("detect", is_degraded),
            "record_stalled": self._is("record", is_degraded),
            "output": self._is("gate", is_degraded),
            "one_camera_silent": bool(self._blind),
            "faults": self._facts.faults_in_row >= FAULTS,
        }
        return next((why for why, so in wrong.items() if so), "")

    def _is(self, name: str, what: Callable[[ServiceHealth], bool]) -> bool:
        service = self._by_name.get(name)
        return service is not None and what(service)


def is_gone(service: ServiceHealth) -> bool:
    """It has spoken and is silent, has said that it stops, or should have spoken long ago."""
    if service.heartbeat.state in ("stopping", "stopped"):
        return True
    return service.age_ms > (SILENT_MS if service.heartbeat.pid else START_MS)


def is_starting(service: ServiceHealth) -> bool:
    """It has not spoken yet, or says that it is not ready."""
    return not is_gone(service) and service.heartbeat.state == "starting"


def is_degraded(service: ServiceHealth) -> bool:
    """It says of itself that it cannot do all that it should."""
    return service.heartbeat.state == "degraded"
