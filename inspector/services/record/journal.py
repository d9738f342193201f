"""What waits to be committed, and what the gate may be told of it.

Promises: a number is acknowledged after its outcome is synced to the disk, never before; while
the disk refuses, what was gathered stays and what comes is left to the gate, which is asked to
send it again as soon as there is room.
Never: holds more than one batch of outcomes.
"""

import uuid
from collections import deque
from dataclasses import dataclass, field

from inspector.core.clock import SECOND
from inspector.core.messages import Delivered, Departed, Event, LaneAt, Outcome, Recorded
from inspector.core.metrics import Sample
from inspector.devices.bus import Outlet
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.domain.acknowledge import Acknowledgement

MOST = 500  # outcomes in one transaction
MOST_EVENTS = 1000  # kept while the disk refuses; the oldest go
MOST_SAMPLES = 60  # as well
RETRY_S = 1.0
REPEAT_S = 1.0


@dataclass
class Batch:
    """What one transaction takes."""

    outcomes: list[tuple[Outcome, bool]] = field(default_factory=list)  # with: keep its detail?
    passes: list[int] = field(default_factory=list)  # of the acknowledgement, one per outcome
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=MOST_EVENTS))
    delivered: list[Delivered] = field(default_factory=list)
    departed: list[Departed] = field(default_factory=list)
    lanes: list[LaneAt] = field(default_factory=list)
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=MOST_SAMPLES))

    @property
    def empty(self) -> bool:
        waiting = (self.outcomes, self.events, self.delivered, self.departed, self.lanes)
        return not (any(waiting) or self.samples)

    @property
    def full(self) -> bool:
        return max(len(self.outcomes), len(self.delivered), len(self.departed)) >= MOST


class Journal:
    """From a start of record to its end. A session of it ends when the disk refuses: outcomes
    are left out from there on, and a new session lets the gate begin again."""

    def __init__(self, gate: Outlet) -> None:
        self.session = uuid.uuid4().hex
        self.stalled = ""  # why nothing can be written now
        self._gate = gate
        self._batch = Batch()
        self._ack = Acknowledgement()
        self._retry_at = 0
        self._told = -1
        self._told_at = 0
        self._introduced = False

    @property
    def full(self) -> bool:
        """True when a commit is due before more is taken. While the disk refuses nothing is
        taken, so there is nothing to wait for."""
        return self._batch.full and not self.stalled

    def take(self, outcome: Outcome, detailed: bool) -> bool:
        """Note an outcome. False when it is left to the gate for now."""
        in_pass = self._ack.arrived(outcome.number)
        if self.stalled:
            return False
        self._batch.outcomes.append((outcome, detailed))
        self._batch.passes.append(in_pass)
        return True

    def event(self, event: Event) -> None:
        self._batch.events.append(event)

    def sample(self, sample: Sample) -> None:
        """The station in figures, once a second; it is committed with what else there is."""
        self._batch.samples.append(sample)

    def stall(self, why: str, now: int) -> None:
        """Nothing can be written from now on: what is gathered is left to the gate."""
        self.stalled = why
        self._retry_at = now + int(RETRY_S * SECOND)

    def outgoing(self, word: Delivered | Departed | LaneAt) -> None:
        """Note what publish tells of what leaves. It waits until what it tells of as leaving is
        committed, and does or tells again whatever is lost here."""
        if self.stalled:
            return
        if isinstance(word, Delivered):
            self._batch.delivered.append(word)
        elif isinstance(word, Departed):
            self._batch.departed.append(word)
        else:
            self._batch.lanes.append(word)

    def commit(self, ledger: Ledger, now: int, wall_ns: int) -> list[Outcome]:
        """Commit what is there and acknowledge it. Returns what was not recorded before.

        Nothing happens while the disk refuses, but for one attempt a second. Raises Damaged.
        """
        batch = self._batch
        if batch.empty or (self.stalled and now < self._retry_at):
            return []
        try:
            fresh = ledger.commit(
                batch.outcomes,
                batch.events,
                batch.delivered,
                wall_ns,
                batch.departed,
                batch.lanes,
                batch.samples,
            )
        except CannotWrite as error:
            self.stall(str(error), now)
            return []
        if self.stalled:
            self.stalled = ""
            self.session, self._introduced = uuid.uuid4().hex, False
        for (outcome, _), in_pass in zip(batch.outcomes, batch.passes, strict=True):
            self._ack.committed(outcome.number, in_pass)
        self._batch = Batch()
        # The same word again, over a gap, would keep the gate from sending what is missing.
        if batch.outcomes and (self._ack.through != self._told or self._ack.complete):
            self._acknowledge(now)
        return fresh

    def speak(self, now: int) -> None:
        """Introduce the session once the gate is heard, so that it begins anew from the first
        outcome it holds; later repeat an acknowledgement that may have been lost."""
        if not self._introduced:
            if self._ack.heard:
                self._introduced = self._tell(-1, now)
        elif self._ack.complete and now - self._told_at >= REPEAT_S * SECOND:
            self._acknowledge(now)

    def _acknowledge(self, now: int) -> None:
        if self._ack.through is not None:
            self._tell(self._ack.through, now)

    def _tell(self, through: int, now: int) -> bool:
        self._told, self._told_at = through, now
        return self._gate.send(Recorded(session=self.session, through=through))
