"""The sole arbiter's rules: one trigger, one outcome, and no answer is never good.

Promises: every seq of a stream up to the highest that a trigger or a beat has named is settled
exactly once; only a sound PASS decision that came before the deadline reaches the accept lane
(or a REVIEW, where the line is configured so), and none that came while the line was paused or
took golden parts; memory and the work of one call are bounded; a count that no camera can have
reached is refused.
Never: reads a clock, waits, raises on a message, or lets a second answer change a settled part.
"""

import heapq
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from inspector.core.clock import MS, SECOND
from inspector.core.messages import Decision, StreamBeat, Trigger
from inspector.core.terms import Cause, Kind, Lane, Mode
from inspector.domain.gaps import Gaps, Missing
from inspector.domain.settlement import Settlement, flaw
from inspector.domain.streams import SeqSet, Stream, Streams

Key = tuple[str, int]  # (stream, seq)


@dataclass(frozen=True)
class Limits:
    """How long, how many, and where a review goes. Times in nanoseconds."""

    deadline_ns: int  # trigger to output
    review_lane: Lane = Lane.REJECT
    max_open: int = 4096  # parts waiting for a decision; one more is a fault (overload)
    max_early: int = 1024  # decisions waiting for their trigger; one more drops the oldest
    max_lost_at_once: int = 256  # a wide gap is settled in portions, so the loop stays short


@dataclass(frozen=True, slots=True)
class _Part:
    camera: str
    stream: str
    seq: int
    trigger_ns: int
    wall_ns: int
    source: str
    deadline_ns: int
    mode: Mode


class Gatekeeper:
    """Takes triggers, beats, decisions and time; gives back the parts that these settle."""

    def __init__(
        self,
        limits: Limits,
        settled: Mapping[str, SeqSet] | None = None,
        remote: Collection[str] = (),
    ) -> None:
        """`settled`: per stream, what is settled already, also by an earlier run of the gate;
        looked up when a stream is heard of. `remote`: the cameras on other hosts."""
        self._limits = limits
        self._streams = Streams(settled or {}, remote)
        self._open: dict[Key, _Part] = {}
        self._deadlines: list[tuple[int, str, int]] = []
        self._early: OrderedDict[Key, tuple[int, Decision]] = OrderedDict()
        self._gaps = Gaps()
        self._accepting = True
        self._tidied = 0
        self.mode = Mode.INSPECT  # of the parts that come from now on
        self.triggers = 0  # of this gatekeeper, lost ones included
        self.counts: dict[Kind, int] = dict.fromkeys(Kind, 0)

    @property
    def open(self) -> int:
        """Parts whose timer runs."""
        return len(self._open)

    @property
    def idle(self) -> bool:
        """Nothing is open and no gap is left to be settled."""
        return not self._open and not self._gaps

    def balanced(self) -> bool:
        """Triggers = pass + fail + review + fault + open. False is a defect of the program."""
        return self.triggers == sum(self.counts.values()) + len(self._open)

    @property
    def refused(self) -> int:
        """Triggers and beats that cannot be true."""
        return self._streams.refused

    def is_settled(self, stream: str, seq: int) -> bool:
        return self._streams.is_settled(stream, seq)

    def all_settled(self, stream: str, last_seq: int) -> bool:
        """Every part of the stream up to `last_seq` is settled, and none is open."""
        known = self._streams.get(stream)
        return known is not None and known.complete and known.settled.floor > last_seq

    def stop_accepting(self) -> None:
        """From now on every new trigger is a fault at once; open parts run on."""
        self._accepting = False

    def on_trigger(self, trigger: Trigger, now: int) -> list[Settlement]:
        """A part is there; or, told again with a cause, it will get no frame. Settles what its
        seq shows to be lost, and itself where it must."""
        stream = self._streams.hear(trigger.camera, trigger.stream, trigger.seq, now)
        if stream is None:
            return []
        if trigger.seq < stream.next:
            return self._hear_again(trigger, now)
        self._gaps.note(trigger.stream, stream, trigger.seq, trigger.wall_ns)
        stream.next = trigger.seq + 1
        done = self._settle_gaps()
        if trigger.seq not in stream.settled:
            done += self._admit(trigger, stream, now)
        return done

    def on_beat(self, beat: StreamBeat, now: int) -> list[Settlement]:
        """How far a stream has counted. Triggers and beats come over one connection, in order,
        so a seq that a beat names and no trigger has brought is lost."""
        stream = self._streams.hear(beat.camera, beat.stream, beat.last_seq, now)
        if stream is None:
            return []
        stream.ended = beat.ended
        self._gaps.note(beat.stream, stream, beat.last_seq + 1, beat.wall_ns)
        return self._settle_gaps()

    def on_decision(self, decision: Decision, now: int) -> list[Settlement]:
        """A verdict; kept for a while when its trigger is still on the way."""
        key = (decision.stream, decision.seq)
        part = self._take(key)
        if part is not None:
            return [self._decide(part, decision, now)]
        stream = self._streams.get(decision.stream)
        if stream is None or decision.seq >= stream.next:
            self._early.setdefault(key, (now, decision))
            while len(self._early) > self._limits.max_early:
                self._early.popitem(last=False)
        return []

    def expire(self, now: int) -> list[Settlement]:
        """Settle every part whose deadline has come, and a portion of the gaps."""
        done = self._settle_gaps()
        while (deadline := self._first()) is not None and deadline <= now:
            part = self._take(self._deadlines[0][1:])
            if part is not None:
                done.append(self._late(part, now))
        if now - self._tidied >= SECOND:
            self._tidy(now)
        return done

    def next_deadline(self) -> int | None:
        """When `expire` has something to do: monotonic ns, 0 for at once, None for never."""
        return 0 if self._gaps else self._first()

    def _first(self) -> int | None:
        while self._deadlines and self._deadlines[0][1:] not in self._open:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def _hear_again(self, trigger: Trigger, now: int) -> list[Settlement]:
        """Of a part already known only a cause is news; else it is a copy, or came too late."""
        if trigger.cause is None:
            return []
        part = self._take((trigger.stream, trigger.seq))
        return [self._fault(part, trigger.cause, trigger.reason, now)] if part else []

    def _admit(self, trigger: Trigger, stream: Stream, now: int) -> list[Settlement]:
        trigger_ns = stream.clock.local_ns(trigger.trigger_ns, now)
        part = _Part(
            trigger.camera,
            trigger.stream,
            trigger.seq,
            trigger_ns,
            trigger.wall_ns,
            trigger.source,
            trigger_ns + self._limits.deadline_ns,
            self.mode,
        )
        self.triggers += 1
        decision = self._early_decision((part.stream, part.seq), now)
        if trigger.cause is not None:
            return [self._fault(part, trigger.cause, trigger.reason, now)]
        if refused := self._refusal():
            return [self._fault(part, Cause.OVERLOAD, refused, now)]
        if decision is not None or part.deadline_ns <= now:
            return [self._decide(part, decision, now)]
        stream.open += 1
        self._open[part.stream, part.seq] = part
        heapq.heappush(self._deadlines, (part.deadline_ns, part.stream, part.seq))
        return []

    def _early_decision(self, key: Key, now: int) -> Decision | None:
        arrived, decision = self._early.pop(key, (now, None))
        return decision if now - arrived < self._limits.deadline_ns else None

    def _refusal(self) -> str:
        if not self._accepting:
            return "the gate is stopping"
        if len(self._open) >= self._limits.max_open:
            return f"{len(self._open)} parts are already waiting for a decision"
        return ""

    def _take(self, key: Key) -> _Part | None:
        part = self._open.pop(key, None)
        if part is not None:
            self._streams[part.stream].open -= 1
        return part

    def _decide(self, part: _Part, decision: Decision | None, now: int) -> Settlement:
        if decision is None or now >= part.deadline_ns:
            return self._late(part, now)
        if why := flaw(decision):
            return self._fault(part, Cause.ENGINE, why, now, decision)
        if decision.verdict is Kind.FAULT:
            cause = decision.cause or Cause.ENGINE
            return self._fault(part, cause, decision.reason, now, decision)
        lane = self._lane(decision.verdict)
        return self._settle(part, decision.verdict, None, decision.reason, lane, now, decision)

    def _lane(self, verdict: Kind) -> Lane:
        if verdict is Kind.PASS:
            return Lane.ACCEPT
        return self._limits.review_lane if verdict is Kind.REVIEW else Lane.REJECT

    def _late(self, part: _Part, now: int) -> Settlement:
        reason = f"no decision within {self._limits.deadline_ns / MS:g} ms"
        return self._fault(part, Cause.LATE, reason, now)

    def _fault(
        self, part: _Part, cause: Cause, reason: str, now: int, decision: Decision | None = None
    ) -> Settlement:
        return self._settle(part, Kind.FAULT, cause, reason, Lane.REJECT, now, decision)

    def _settle(
        self,
        part: _Part,
        kind: Kind,
        cause: Cause | None,
        reason: str,
        lane: Lane,
        now: int,
        decision: Decision | None,
    ) -> Settlement:
        if part.mode is Mode.PAUSED:
            kind, cause, lane, reason = Kind.FAULT, Cause.PAUSED, Lane.REJECT, f"paused; {reason}"
        elif part.mode is Mode.CHALLENGE:
            lane = Lane.REJECT
        settled = self._streams[part.stream].settled
        settled.add(part.seq)
        self.counts[kind] += 1
        return Settlement(
            part.camera,
            part.stream,
            part.seq,
            part.wall_ns,
            kind,
            cause,
            reason,
            lane,
            max(0, now - part.trigger_ns) // 1000,
            part.source,
            decision,
            part.deadline_ns,
            settled.floor,
            part.mode,
        )

    def _settle_gaps(self) -> list[Settlement]:
        return [self._lost(part) for part in self._gaps.take(self._limits.max_lost_at_once)]

    def _lost(self, missing: Missing) -> Settlement:
        self.triggers += 1
        self._early.pop((missing.stream, missing.seq), None)
        part = _Part(
            missing.camera, missing.stream, missing.seq, 0, missing.wall_ns, "", 0, self.mode
        )
        return self._fault(part, Cause.LOST, "its trigger never arrived", 0)

    def _tidy(self, now: int) -> None:
        """Drop decisions that can no longer be in time."""
        self._tidied = now
        while self._early and next(iter(self._early.values()))[0] <= now - self._limits.deadline_ns:
            self._early.popitem(last=False)
