"""The connection to the plant's broker: what goes over it, and what is heard.

Promises: every answer reaches the lane whose letter it is of; what a person should know of the
connection is said once; refusals, losses and letters that nobody reads are counted.
Never: sends a letter that the door has not let go.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from inspector.core.clock import Clock
from inspector.core.terms import Severity
from inspector.devices.broker import Broker, Down, Happening, Heard, Result, Up
from inspector.domain.egress.letter import Letter
from inspector.services.publish.lane import Sender
from inspector.services.publish.teller import Teller

AT_ONCE = 1000  # happenings of one turn
SAID = {
    "refused": "refused by the broker",
    "lost": "lost on the way and sent again",
    "resent": "sent again for the receiver",
    "unread": "read by nobody",
}
COUNTED = {"refused": "refused", "lost": "lost", "timeout": "lost", "broke": "lost"}


@dataclass(frozen=True)
class _Sent:
    lane: Sender
    key: Hashable
    at_ns: int


class Link:
    """The broker, and the lanes that go over it. `totals`: the name of the lane whose readers
    count."""

    def __init__(self, broker: Broker, teller: Teller, clock: Clock, totals: str) -> None:
        self.connected = False
        self.in_flight = 0  # letters that the broker takes at once
        self.counts: Counter[str] = Counter()
        self.took: Callable[[int], None] = lambda _ns: None
        self.heard: Callable[[Heard, int], None] = lambda _heard, _now: None
        self.came_up: Callable[[], object] = lambda: None
        self._broker = broker
        self._teller = teller
        self._clock = clock
        self._totals = totals
        self._lanes: list[Sender] = []
        self._sent: dict[int, _Sent] = {}
        self._down = ""  # why there is no connection any more
        self._refusals: dict[str, str] = {}  # lane (or `subscriptions`) -> the broker's words
        self._unread = ""

    def join(self, lane: Sender) -> None:
        self._lanes.append(lane)

    @property
    def on_the_way(self) -> int:
        return len(self._sent)

    @property
    def state(self) -> tuple[str, str]:
        """As the heartbeat says it: a state, and a note."""
        if not self.connected:
            return ("degraded", self._down) if self._down else ("starting", "not connected yet")
        if self._refusals:
            return "degraded", next(iter(self._refusals.values()))
        counts = ", ".join(
            f"{self.counts[name]} {words}" for name, words in SAID.items() if self.counts[name]
        )
        since = f"since the start: {counts}" if counts else ""
        return "running", "; ".join(filter(None, (self._unread, since)))

    def send(self, lane: Sender, key: Hashable, letter: Letter, now: int) -> None:
        """Hand over a letter that the door has let go."""
        self._sent[self._broker.publish(letter)] = _Sent(lane, key, now)

    def turn(self, timeout_s: float) -> None:
        """Take what has happened; wait at most so long for the first of it."""
        happening = self._broker.poll(timeout_s)
        for _ in range(AT_ONCE):
            if happening is None:
                return
            self._take(happening, self._clock.monotonic_ns())
            happening = self._broker.poll(0)
        if happening:
            self._take(happening, self._clock.monotonic_ns())

    def close(self, farewell: Letter | None) -> None:
        self._broker.close(farewell)

    def _take(self, happening: Happening, now: int) -> None:
        match happening:
            case Up():
                self._come_up(happening, now)
            case Down():
                self._go_down(happening)
            case Result():
                self._answer(happening, now)
            case Heard():
                self.heard(happening, now)

    def _come_up(self, up: Up, now: int) -> None:
        self.came_up()
        self.connected, self.in_flight, self._down, self._refusals = True, up.in_flight, "", {}
        self._teller.tell(Severity.INFO, "broker_up", "connected to the broker", "line")
        if up.denied:
            topics = ", ".join(up.denied)
            self._refuse("subscriptions", f"the broker does not let us hear {topics}")
        for lane in self._lanes:
            lane.up(now)

    def _go_down(self, down: Down) -> None:
        self.connected, self._down = False, down.text
        if down.code == "identity_taken":
            self._teller.tell(Severity.ALARM, "identity_taken", down.text, "line")
        else:
            self._teller.tell(Severity.WARNING, "broker_down", down.text, "line")
        if self._refusals or self._unread:
            self._teller.forget("answers")  # whoever cares thinks that this is over too
        for lane in self._lanes:
            lane.down()

    def _answer(self, result: Result, now: int) -> None:
        sent = self._sent.pop(result.token, None)
        if sent is None:
            return
        name = sent.lane.name
        if result.status == "acked":
            self.took(now - sent.at_ns)
            self._taken(name, result.detail)
        elif result.status == "refused":
            self._refuse(name, f"the broker refuses {name}: {result.detail}")
        if counted := COUNTED.get(result.status):
            self.counts[counted] += 1
        sent.lane.answered(sent.key, result, now)

    def _refuse(self, what: str, text: str) -> None:
        self._refusals[what] = f"{text}; mend its access list"
        self._say()

    def _taken(self, lane: str, detail: str) -> None:
        """The broker took it; whether anybody reads it is another question."""
        if lane == self._totals:
            self._unread = f"the broker takes the totals, but {detail} them" if detail else ""
            self.counts["unread"] += bool(detail)
        elif lane not in self._refusals:
            return
        self._refusals.pop(lane, None)
        self._say()

    def _say(self) -> None:
        if self._refusals:
            text = next(iter(self._refusals.values()))
            self._teller.tell(Severity.WARNING, "publish_refused", text, "answers")
        elif self._unread:
            self._teller.tell(Severity.WARNING, "publish_unread", self._unread, "answers")
        else:
            self._teller.tell(Severity.INFO, "publish_taken", "the broker takes totals", "answers")
