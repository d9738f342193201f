"""What the plant's MES orders: read, checked, passed on to record, and answered.

Promises: what is not allowed, retained, expired, used before or no command changes nothing and is
refused with a code; one order at a time is put to record, which checks it again; each is answered
once, with the sender's own correlation data. A flood is answered a bounded number of times.
Never: carries an order out itself, or answers anywhere but below the station's own `reply`.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from inspector.core.clock import SECOND
from inspector.core.config_mqtt import PlantCommands
from inspector.core.errors import MaintainerError
from inspector.core.orders import PlantOrder, Reply
from inspector.core.orders import SetRecipe as RecipeOrder
from inspector.core.terms import Severity
from inspector.devices.broker import Heard, Result
from inspector.devices.bus import Asker
from inspector.devices.console import plant_session
from inspector.domain.egress.letter import LONGEST_CORRELATION, letter
from inspector.domain.egress.reply import Became, CommandReply, Why
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.words import rfc3339
from inspector.domain.ingress import Command, RequestState, SetRecipe, read_command
from inspector.domain.rate_limit import RateLimit
from inspector.services.publish.lane import Context
from inspector.services.publish.link import Link

LANE = "replies"
BURST = 10
EVERY_NS = 6 * SECOND  # one command: 10 a minute
PATIENCE_NS = 3 * SECOND  # for record's answer
EXPIRY_S = 60  # of a reply
MOST_WAITING = 10
AHEAD_NS = 60 * SECOND  # so far the sender's clock may be ahead of ours
REMEMBERED = 1000

ANSWERS = {
    "done": (Became.DONE, Why.NONE),
    "accepted": (Became.ACCEPTED, Why.NONE),
    "no_session": (Became.REFUSED, Why.BUSY),  # record has begun anew meanwhile
    **{
        why.value: (Became.REFUSED, why)
        for why in (Why.NOT_ALLOWED, Why.EXPIRED, Why.REPLAYED, Why.REASON_WANTED, Why.REFUSED)
    },
}


@dataclass(frozen=True)
class _Asked:
    """A command as it came."""

    command: Command
    issued_ns: int  # wall
    topic: str  # of its reply
    correlation: bytes


class Commands:
    """The lane of replies, and what they answer."""

    name = LANE

    def __init__(
        self,
        context: Context,
        link: Link,
        allowed: PlantCommands,
        asker: Asker,
        key: Path,
        request_state: Callable[[], None],
    ) -> None:
        """`key`: the file with the session that record has written for publish."""
        self._context = context
        self._link = link
        self._allowed = allowed
        self._asker = asker
        self._key = key
        self._request_state = request_state
        self._topics = Topics(context.device)
        now = context.clock.monotonic_ns()
        self._commands = RateLimit(BURST, EVERY_NS, now)
        self._too_many = RateLimit(BURST, EVERY_NS, now)
        self._waiting: deque[_Asked] = deque()
        self._asked: _Asked | None = None
        self._asked_ns = 0
        self._used: OrderedDict[str, None] = OrderedDict()
        self._number = 0

    def up(self, now: int) -> None:
        """Commands come with the connection."""

    def down(self) -> None:
        """Whoever asked is not there any more."""
        self._context.door.forget(LANE)

    def answered(self, key: Hashable, result: Result, now: int) -> None:
        """A reply that was lost is not repeated: the command may be, and is told as replayed."""

    def turn(self, now: int) -> bool:
        if self._link.connected:
            for key, found in self._context.door.collect(LANE):
                self._link.send(self, key, found, now)
        self._hear_record(now)
        if self._asked is None and self._waiting:
            self._ask(self._waiting.popleft(), now)
        return False

    def hear(self, heard: Heard, now: int) -> None:
        """Somebody's message on the topic of commands. An empty one only clears a retained one."""
        if not heard.payload:
            return
        topic = self._topics.reply_to(heard.response_topic)
        correlation = heard.correlation
        if len(correlation) > LONGEST_CORRELATION:
            correlation = b""
        if not self._commands.take(now):
            self._refuse_flood(topic, correlation, now)
            return
        command = read_command(heard.payload)
        issued = _wall_ns(command.issued) if command else None
        if topic is None or command is None or issued is None:
            self._say("", Became.REFUSED, Why.MALFORMED, topic, correlation)
            return
        asked = _Asked(command, issued, topic, correlation)
        if why := self._objection(asked, heard.retained):
            self._answer(asked, Became.REFUSED, why)
        else:
            self._take(asked)

    def _objection(self, asked: _Asked, retained: bool) -> Why | None:
        """What speaks against a command before record is asked."""
        order = asked.command.order
        name = "set_recipe" if isinstance(order, SetRecipe) else "request_state"
        age_ns = self._context.clock.wall_ns() - asked.issued_ns
        if retained:
            return Why.RETAINED
        if name not in self._allowed.allow:
            return Why.NOT_ALLOWED
        if not -AHEAD_NS <= age_ns <= self._allowed.expires_s * SECOND:
            return Why.EXPIRED
        if asked.command.id in self._used:
            return Why.REPLAYED
        return Why.BUSY if len(self._waiting) >= MOST_WAITING else None

    def _take(self, asked: _Asked) -> None:
        if isinstance(asked.command.order, RequestState):
            self._use(asked)
            self._request_state()
            self._answer(asked, Became.DONE, Why.NONE)
        else:
            self._waiting.append(asked)

    def _use(self, asked: _Asked) -> None:
        """Its identifier is not taken again. Of an order record remembers that over a restart."""
        self._used[asked.command.id] = None
        while len(self._used) > REMEMBERED:
            self._used.popitem(last=False)

    def _ask(self, asked: _Asked, now: int) -> None:
        order = asked.command.order
        assert isinstance(order, SetRecipe)
        try:
            key = plant_session(self._key)
        except MaintainerError as error:
            self._context.teller.tell(Severity.WARNING, "plant_key", str(error))
            self._answer(asked, Became.REFUSED, Why.BUSY)
            return
        self._asker.ask(
            PlantOrder(
                session=key,
                id=asked.command.id,
                issued_wall_ns=asked.issued_ns,
                order=RecipeOrder(recipe=order.recipe, lot=order.lot),
                reason=asked.command.reason,
            )
        )
        self._asked, self._asked_ns = asked, now

    def _hear_record(self, now: int) -> None:
        asked = self._asked
        if asked is None:
            return
        reply = self._asker.answer()
        if isinstance(reply, Reply):
            became, why = ANSWERS.get(reply.code, (Became.REFUSED, Why.REFUSED))
            if became is not Became.REFUSED:
                self._use(asked)
        elif now - self._asked_ns >= PATIENCE_NS:
            became, why = Became.REFUSED, Why.BUSY
        else:
            return
        self._asker.drop()
        self._asked = None
        self._answer(asked, became, why)

    def _refuse_flood(self, topic: str | None, correlation: bytes, now: int) -> None:
        text = "the plant sends more commands than are taken; some are refused"
        self._context.teller.tell(Severity.WARNING, "plant_flood", text)
        if self._too_many.take(now):
            self._say("", Became.REFUSED, Why.BUSY, topic, correlation)

    def _answer(self, asked: _Asked, became: Became, why: Why) -> None:
        self._say(asked.command.id, became, why, asked.topic, asked.correlation)

    def _say(
        self, id: str, became: Became, why: Why, topic: str | None, correlation: bytes
    ) -> None:
        """Answer, where the station may; `topic` None: where it always may."""
        reply = CommandReply(
            schema=1,
            device=self._context.device,
            id=id,
            at=rfc3339(max(0, self._context.clock.wall_ns()) // SECOND),
            status=became,
            why=why,
        )
        self._number += 1
        found = letter(
            reply, topic or self._topics.reply, expiry_s=EXPIRY_S, correlation=correlation
        )
        self._context.door.offer(LANE, self._number, found)


def _wall_ns(instant: str) -> int | None:
    """The time in nanoseconds since 1970, or None where there is no such day or hour."""
    try:
        return int(datetime.fromisoformat(instant).timestamp()) * SECOND
    except (ValueError, OverflowError):
        return None
