"""Outcomes as a gate makes them, and a gate that sends them until they are acknowledged."""

import uuid
from typing import Any

from inspector.core.messages import Delivered, Event, Outcome, Recorded
from inspector.core.paths import Paths
from inspector.core.terms import Cause, Kind, Lane, Timing
from inspector.core.topology import LINE, MESSAGES
from inspector.devices.bus import Bus

WALL = 1_700_000_000 * 10**9
STREAM = "0" * 31 + "1"


def outcome(seq: int, kind: Kind = Kind.PASS, **changes: Any) -> Outcome:
    """One outcome of stream STREAM; its number is its seq unless `changes` says otherwise."""
    fields: dict[str, Any] = {
        "number": seq,
        "camera": "cam0",
        "stream": STREAM,
        "seq": seq,
        "trigger_wall_ns": WALL + seq * 1_000_000,
        "kind": kind,
        "cause": Cause.LATE if kind is Kind.FAULT else None,
        "reason": "score 0.3 below 0.7",
        "lane": Lane.ACCEPT if kind is Kind.PASS else Lane.REJECT,
        "score": None if kind is Kind.FAULT else 0.25,
        "boxes": (),
        "heatmap": None,
        "model": "tiny@0123456789ab",
        "recipe": "plain",
        "lot": "L1",
        "latency_us": 10_000 + seq % 1000,
        "timing": Timing(queue_us=100, check_us=200, inference_us=3000, second_us=400),
        "frame": None,
        "source": f"good/{seq:05}.png",
    }
    return Outcome(**(fields | changes))


def mixed(seq: int, **changes: Any) -> Outcome:
    """Mostly passes, and every other kind now and then."""
    kinds = {7: Kind.FAIL, 11: Kind.REVIEW, 13: Kind.FAULT}
    return outcome(seq, kinds.get(seq % 20, Kind.PASS), **changes)


def mark(ledger: str, rows: int | tuple[int, ...] = (), **changes: Any) -> Delivered:
    """publish's word that these totals rows are delivered, or what `changes` say."""
    numbers = (rows,) if isinstance(rows, int) else rows
    fields: dict[str, Any] = {"lane": "totals", "rows": numbers, "status": "delivered"}
    return Delivered(ledger=ledger, **(fields | changes))


class FakeGate:
    """Keeps the gate's side of the protocol: ascending order, again from the first that is not
    acknowledged on a new session, after a loss of connection, or a second of silence."""

    def __init__(self, paths: Paths, bus: Bus) -> None:
        self.inbox = bus.inbox(paths.socket("gate"), depth=MESSAGES)
        self.record = bus.outlet(paths.socket(LINE), MESSAGES)
        self.pending: list[Outcome] = []
        self.acked: list[Outcome] = []
        self.sessions: list[str] = []
        self._sent = 0
        self._silent_ms = 0.0
        self.window = 2000

    def add(self, *outcomes: Outcome) -> None:
        self.pending.extend(outcomes)

    def step(self, ms: float = 5.0) -> None:
        """Send what is due, then hear for `ms`."""
        if not self.record.connected(0):
            self._sent = 0
        while self._sent < min(len(self.pending), self.window):
            if not self.record.send(self.pending[self._sent]):
                break
            self._sent += 1
        if not self.inbox.wait(ms):
            self._silent_ms = self._silent_ms + ms if self._sent else 0.0
            if self._silent_ms >= 1000:
                self._sent, self._silent_ms = 0, 0.0
            return
        for message, _ in self.inbox.drain():
            if isinstance(message, Recorded):
                self._hear(message)

    def settle(self, ms: float = 30_000) -> None:
        """Step until nothing is pending, at most about `ms` of waiting."""
        for _ in range(int(ms / 5)):
            if not self.pending:
                return
            self.step()

    def report(self, event: Event) -> None:
        assert self.record.connected(5000)
        assert self.record.send(event)

    def _hear(self, message: Recorded) -> None:
        self._silent_ms = 0.0
        if message.session not in self.sessions[-1:]:
            self.sessions.append(message.session)
            self._sent = 0
        through = sum(outcome.number <= message.through for outcome in self.pending)
        self.acked += self.pending[:through]
        self.pending = self.pending[through:]
        self._sent = max(0, self._sent - through)


def stream() -> str:
    return uuid.uuid4().hex
