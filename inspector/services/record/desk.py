"""The desk: who comes to record's control socket, and what they are told.

Promises: an order is carried out for somebody whose session is known, whose role is high enough,
and who gives a reason where the recipe in force asks for one; everybody else is refused, answered
and noted, whatever they send. A PIN that is being checked holds up nothing. The orders of the
plant's MES are `plant`'s.
Never: takes anything but a login, a logout, a renewal or an order.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from inspector.core.clock import MS, SECOND, Clock
from inspector.core.errors import InspectorError
from inspector.core.orders import (
    AnyOrder,
    Login,
    Logout,
    Order,
    Person,
    PlantOrder,
    Renew,
    Reply,
    Role,
)
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Desk as Socket
from inspector.devices.ledger import Damaged, Ledger
from inspector.domain.permissions import NEEDS, may
from inspector.domain.sessions import TOKEN_BYTES
from inspector.services.record.access import Access
from inspector.services.record.commands import Commands, tag_of, values_of
from inspector.services.record.pin_checks import PinCheck, PinChecks
from inspector.services.record.plant import MES, NOTHING, Plant, PlantDesk
from inspector.services.record.refusals import STRANGER, Refusals

# Taken in one turn: a flood must not hold up the commits. Refusals cost next to nothing, each order
# that is carried out at least one write to the disk.
AT_ONCE = 50
AT_MOST_NS = 50 * MS
CONSOLE = "console"
WRONG = "the name or the PIN is wrong"


@dataclass(frozen=True)
class Done:
    """An order that was carried out."""

    order: AnyOrder
    who: Person
    text: str


class Desk:
    """Takes what comes to the control socket."""

    def __init__(
        self,
        socket: Socket,
        access: Access,
        commands: Commands,
        clock: Clock,
        plant: Plant = NOTHING,
    ) -> None:
        self._socket, self._commands, self._clock = socket, commands, clock
        self._plant = PlantDesk(plant, commands, clock)
        self._access = access
        self._checks = PinChecks()
        self._refusals = Refusals(clock)

    def turn(self, ledger: Ledger) -> list[Done]:
        """Answer what has come and what has been checked. Returns the orders carried out. Raises
        Damaged."""
        self._end_sessions(self._access.listing.look())
        began = self._clock.monotonic_ns()
        if checked := self._checks.turn(began):
            check, right = checked
            self._socket.answer(check.address, self._checked(ledger, check, right))
        done: list[Done] = []
        for _ in range(AT_ONCE):
            late = self._clock.monotonic_ns() - began > AT_MOST_NS
            if late or (asked := self._socket.receive()) is None:
                break
            reply = self._take(ledger, *asked, done)
            if reply is not None:
                self._socket.answer(asked[0], reply)
        return done

    def tidy(self, ledger: Ledger) -> None:
        """Once a second. Raises Damaged."""
        self._refusals.tidy(ledger)
        self._plant.tidy(ledger)

    def close(self) -> None:
        self._checks.close()

    def _take(
        self, ledger: Ledger, address: bytes, asked: AnyMessage | None, done: list[Done]
    ) -> Reply | None:
        """The answer; None when it comes later."""
        if isinstance(asked, Order):
            return self._order(ledger, asked, done)
        if isinstance(asked, PlantOrder):
            return self._plant_order(ledger, asked, done)
        if isinstance(asked, Login):
            return self._login(ledger, address, asked)
        if isinstance(asked, Renew):
            return self._renew(asked)
        if isinstance(asked, Logout):
            return self._logout(ledger, asked)
        what = type(asked).__name__ if asked is not None else "what was sent"
        detail = {"code": "no_order", "message": what}
        self._refusals.note(ledger, STRANGER, "refused", detail)
        return _no(f"{what} is no order; send an Order with the session of a login")

    def _order(self, ledger: Ledger, asked: Order, done: list[Done]) -> Reply:
        order, reason = asked.order, asked.reason.strip()
        who = self._whose(asked.session)
        if who is None:
            return self._refuse(ledger, None, order, _no("log in first", "no_session"))
        if not may(who.role, order):
            text = f"{tag_of(order)} needs the role {NEEDS[type(order)].value} or higher"
            return self._refuse(ledger, who, order, _no(text, "low_role", who))
        if not reason and self._commands.wants_reason(order):
            text = f"{tag_of(order)} needs a reason while this recipe is made; give one"
            return self._refuse(ledger, who, order, _no(text, "reason_wanted", who))
        try:
            text = self._commands.carry_out(ledger, order, who, reason)
        except Damaged:
            raise
        except InspectorError as error:
            return self._refuse(ledger, who, order, _no(str(error), "refused", who))
        done.append(Done(order, who, text))
        return Reply(ok=True, text=text, person=who)

    def _plant_order(self, ledger: Ledger, asked: PlantOrder, done: list[Done]) -> Reply:
        reply = self._plant.take(ledger, asked)
        if reply.ok:
            done.append(Done(asked.order, MES, reply.text))
        return reply

    def _refuse(self, ledger: Ledger, who: Person | None, order: AnyOrder, reply: Reply) -> Reply:
        name, group = STRANGER, STRANGER
        if who is not None:
            name, group = who.name, CONSOLE if who.role is Role.MAINTAINER else who.name
        detail = {"order": tag_of(order), "code": reply.code, **values_of(order)}
        if who is not None:
            detail |= {"role": who.role.value, "why": reply.text}
        self._refusals.note(ledger, name, "refused", detail, group)
        return reply

    def _whose(self, session: str) -> Person | None:
        console = self._access.console.whose(session)
        return console or self._access.sessions.renew(session, self._clock.monotonic_ns())

    def _end_sessions(self, names: Collection[str]) -> None:
        for name in names:
            self._access.sessions.end_all_of(name)

    def _renew(self, asked: Renew) -> Reply:
        who = self._whose(asked.session)
        if who is None:
            return _no("log in first", "no_session")
        return Reply(ok=True, text=f"{who.name}, {who.role.value}", person=who)

    def _logout(self, ledger: Ledger, asked: Logout) -> Reply:
        who = self._access.sessions.end(asked.session)
        if who is None:
            return _no("nobody is logged in here", "no_session")
        try:
            ledger.audit(who.name, "logout", {"role": who.role.value}, self._clock.wall_ns())
        except Damaged:
            raise
        except InspectorError as error:  # they are logged out all the same
            return Reply(ok=True, text=str(error))
        return Reply(ok=True, text=f"{who.name} is logged out")

    def _login(self, ledger: Ledger, address: bytes, asked: Login) -> Reply | None:
        listing, now = self._access.listing, self._clock.monotonic_ns()
        if wait := self._access.lockout.wait_ns(asked.name, now):
            return self._refuse_login(ledger, asked.name, _locked(wait))
        if listing.problem:
            return _no(f"nobody can log in: {listing.problem}")
        if not listing.people:
            return _no("nobody can log in yet; `inspector user add NAME` adds people")
        if self._checks.full:
            return _no("too many log in at once; try again")
        self._access.lockout.tried(asked.name, now, listing.people)
        listed = listing.people.get(asked.name)
        kept = listed.pin if listed else None
        self._checks.add(PinCheck(address, asked.name, asked.pin, kept))
        return None

    def _checked(self, ledger: Ledger, check: PinCheck, right: bool) -> Reply:
        """The PIN was right or wrong."""
        access, now = self._access, self._clock.monotonic_ns()
        listed = access.listing.people.get(check.name)
        if not right or listed is None or listed.pin != check.kept:
            wait = access.lockout.wait_ns(check.name, now)
            reply = Reply(ok=False, text=WRONG, code="wrong_pin", wait_s=_seconds(wait))
            return self._refuse_login(ledger, check.name, reply, always=listed is not None)
        access.lockout.right(check.name)
        person = Person(name=listed.name, role=Role(listed.role))
        try:
            ledger.audit(person.name, "login", {"role": person.role.value}, self._clock.wall_ns())
        except Damaged:
            raise
        except InspectorError as error:
            return _no(str(error))
        token = secrets.token_hex(TOKEN_BYTES)
        access.sessions.begin(token, person, now)
        return Reply(ok=True, text=f"{person.name} is logged in", session=token, person=person)

    def _refuse_login(self, ledger: Ledger, name: str, reply: Reply, always: bool = False) -> Reply:
        """`always`: a wrong PIN of somebody who is listed, which has to outlast a restart; the
        delays keep these few."""
        group = name if name in self._access.listing.people else STRANGER
        self._refusals.note(ledger, name, "login_refused", {"code": reply.code}, group, always)
        return reply


def _no(text: str, code: str = "refused", person: Person | None = None) -> Reply:
    return Reply(ok=False, text=text, code=code, person=person)


def _locked(wait_ns: int) -> Reply:
    wait_s = _seconds(wait_ns)
    text = f"too many wrong PINs; try again in {wait_s} s"
    return Reply(ok=False, text=text, code="locked", wait_s=wait_s)


def _seconds(wait_ns: int) -> int:
    """Rounded up: who waits so long has waited long enough."""
    return -(-wait_ns // SECOND)
