"""What the parts themselves call a person for: rejects in a row, too many faults, a blind camera.

Promises: each of these is said once when it begins and once when it is over; parts that a person
had rejected (paused, or shown as golden ones) count for none of them.
Never: reads a clock, or holds more than the last `fault_parts` parts.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from inspector.core.config import Alarms
from inspector.core.messages import Outcome
from inspector.core.terms import Cause, Kind, Lane
from inspector.core.topology import capture
from inspector.domain.challenge import LOT

BLIND = 3  # parts in a row without a frame that can be judged; a single one may be bad luck
FAULTS = 3  # in a row, and the line no longer looks after its parts
CALM = 0.5  # of the limit: so few faults end the alarm, or it would come and go
UNSEEN = (Cause.CAMERA, Cause.FRAME)


@dataclass(frozen=True)
class Word:
    """An alarm that begins (with a text) or is over."""

    code: str
    service: str
    text: str = ""

    @property
    def begins(self) -> bool:
        return bool(self.text)


@dataclass
class PartAlarms:
    """Over the outcomes of this run, in the order in which they were recorded."""

    settings: Alarms
    faults_in_row: int = 0
    _rejects: int = 0
    _rejects_told: bool | None = None  # None: it may stand from an earlier run
    _faults: deque[bool] = field(init=False)
    _fault_count: int = 0
    _rate_told: bool | None = None
    _blind: dict[str, int] = field(default_factory=dict)  # parts in a row, by camera
    _sees: set[str] = field(default_factory=set)  # cameras, as told in this run

    def __post_init__(self) -> None:
        self._faults = deque(maxlen=self.settings.fault_parts)

    def hear(self, outcome: Outcome) -> Iterator[Word]:
        """One more recorded part; what begins or is over with it."""
        if outcome.cause is Cause.PAUSED:
            return
        yield from self._camera(outcome)
        if outcome.lot == LOT:
            return
        self.faults_in_row = self.faults_in_row + 1 if outcome.kind is Kind.FAULT else 0
        yield from self._in_a_row(outcome)
        yield from self._rate(outcome)

    def _camera(self, outcome: Outcome) -> Iterator[Word]:
        name, service = outcome.camera, capture(outcome.camera)
        if outcome.cause in UNSEEN:
            self._blind[name] = self._blind.get(name, 0) + 1
            if self._blind[name] == BLIND:
                self._sees.discard(name)
                yield Word("camera", service, f"{name}: {outcome.reason}")
        elif outcome.kind is not Kind.FAULT:
            self._blind[name] = 0
            if name not in self._sees:
                self._sees.add(name)
                yield Word("camera", service)

    def _in_a_row(self, outcome: Outcome) -> Iterator[Word]:
        limit = self.settings.consecutive_rejects
        self._rejects = self._rejects + 1 if outcome.lane is Lane.REJECT else 0
        if not self._rejects and self._rejects_told is not False:
            self._rejects_told = False
            yield Word("consecutive_rejects", "record")
        if limit and self._rejects >= limit and not self._rejects_told:
            self._rejects_told = True
            yield Word("consecutive_rejects", "record", f"{limit} parts rejected in a row")

    def _rate(self, outcome: Outcome) -> Iterator[Word]:
        window = self._faults
        limit = self.settings.fault_percent / 100 * self.settings.fault_parts
        if len(window) == window.maxlen:
            self._fault_count -= window[0]
        window.append(outcome.kind is Kind.FAULT)
        self._fault_count += window[-1]
        if self._fault_count >= limit and not self._rate_told:
            self._rate_told = True
            text = f"{self._fault_count} of the last {len(window)} parts were faults"
            yield Word("fault_rate", "record", text)
        elif (
            len(window) == window.maxlen
            and self._fault_count <= CALM * limit
            and self._rate_told is not False
        ):
            self._rate_told = False
            yield Word("fault_rate", "record")
