"""What people order, and what record does about it: one table.

Promises: what cannot be done is refused before anything is noted or changed; every change is in the
audit chain, with who, why, the old and the new value, before it takes effect, and once more if it
then fails.
Never: decides who may order what (the desk has), or asks the line for a recipe whose file or model
is not in order.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_args

from msgspec import structs

from inspector.core import orders
from inspector.core.clock import Clock
from inspector.core.errors import InspectorError, MaintainerError, OperatorError
from inspector.core.messages import SwitchRecipe
from inspector.core.orders import AnyOrder, Errand, ErrandDone, ErrandOrder, Person, Role, SetRecipe
from inspector.core.paths import Paths
from inspector.core.recipe import load_recipe
from inspector.core.terms import Mode
from inspector.devices.bundles import Store, find, open_bundle
from inspector.devices.bus import Outlet
from inspector.devices.ledger import Damaged, Ledger
from inspector.domain.challenge import LOT
from inspector.services.record.alarms import Alarms
from inspector.services.record.backups import Backups
from inspector.services.record.challenge import Challenges
from inspector.services.record.changeover import Answer, Changeover

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
WORKSHOP_WAIT_MS = 50.0  # it may just have started

Detail = dict[str, str]
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Rooms:
    """Who carries orders out."""

    changeover: Changeover
    workshop: Outlet
    alarms: Alarms
    challenges: Challenges
    backups: Backups


@dataclass(frozen=True)
class Deed:
    """One kind of order. `before`: what is noted besides the order's own values; it raises
    InspectorError when the order cannot be carried out. `act`: does it, and says what it did."""

    before: Callable[[Any], Detail]
    act: Callable[[Ledger, Any, str, str], str]
    notes_itself: bool = False  # in the same transaction as what it changes


class Commands:
    """Carries orders out, one at a time."""

    def __init__(self, paths: Paths, rooms: Rooms, clock: Clock) -> None:
        self._paths, self._rooms, self._clock = paths, rooms, clock
        self._changeover = rooms.changeover
        self.table: Mapping[type[AnyOrder], Deed] = {
            orders.SetRecipe: Deed(self._before_recipe, self._set_recipe),
            orders.Pause: self._mode_deed(Mode.PAUSED, "parts are rejected until it is resumed"),
            orders.Resume: self._mode_deed(Mode.INSPECT, "parts are inspected"),
            orders.AcknowledgeAlarm: Deed(self._before_alarm, self._acknowledge),
            orders.ReviewPart: Deed(lambda _: {}, self._review, notes_itself=True),
            orders.BeginChallenge: Deed(self._before_begin, self._begin),
            orders.PresentGolden: Deed(self._before_present, self._present),
            orders.AbandonChallenge: Deed(self._before_abandon, self._abandon),
            orders.MakeBackup: Deed(self._before_backup, self._backup),
            **{kind: Deed(self._before_errand, self._send) for kind in get_args(Errand)},
            orders.AdoptProduct: Deed(self._before_adoption, self._send),
            orders.UseModel: Deed(self._before_use, self._send),
            orders.BackModel: Deed(self._before_back, self._send),
        }

    def carry_out(
        self,
        ledger: Ledger,
        order: AnyOrder,
        who: Person,
        reason: str,
        more: Mapping[str, str] = NOTHING_MORE,
    ) -> str:
        """Do it, and note it with what `more` says of it. Returns what was done. Raises
        InspectorError when it was not, and Damaged."""
        deed, tag = self.table[type(order)], tag_of(order)
        detail = values_of(order) | deed.before(order) | {"role": who.role.value, "reason": reason}
        detail |= more
        if not deed.notes_itself:
            ledger.audit(who.name, tag, detail, self._clock.wall_ns())
        try:
            return deed.act(ledger, order, who.name, reason)
        except Damaged:
            raise
        except InspectorError as error:
            if not deed.notes_itself:
                failed = detail | {"why": str(error)}
                ledger.audit(who.name, f"{tag}_failed", failed, self._clock.wall_ns())
            raise

    @property
    def is_loading(self) -> bool:
        """True while a recipe that was asked for is not in force yet."""
        return self._changeover.current.asked is not None

    def wants_reason(self, order: AnyOrder) -> bool:
        """True when the recipe in force asks for one. A recipe that is no longer in order asks
        for nothing: it must be possible to leave it."""
        try:
            recipe = load_recipe(self._paths.recipe(self._changeover.current.recipe))
        except InspectorError:
            return False
        return tag_of(order) in recipe.reason_for

    def note_refusal(self, ledger: Ledger, answer: Answer) -> None:
        """Add to the audit chain that a change was not made. Raises CannotWrite or Damaged."""
        asked = answer.asked
        detail = {"recipe": asked.recipe, "lot": asked.lot, "why": answer.refused}
        ledger.audit(asked.who, "set_recipe_failed", detail, self._clock.wall_ns())

    def is_underway(self, ledger: Ledger, done: ErrandDone) -> bool:
        """True when the chain has this errand as ordered and not ended, and what it gives the line
        is its own product or the one in force: many may write to record's inbox."""
        ends = (f"{done.order}_done", f"{done.order}_failed")
        ordered = ledger.latest_action(done.who, (done.order, *ends)) == done.order
        return ordered and done.recipe in ("", done.product, self._changeover.current.recipe)

    def errand_done(self, ledger: Ledger, done: ErrandDone) -> None:
        """Note the end of an errand. Raises CannotWrite or Damaged."""
        detail = {"product": done.product, "text": done.text, "recipe": done.recipe}
        action = f"{done.order}_{'done' if done.ok else 'failed'}"
        ledger.audit(done.who, action, detail, self._clock.wall_ns())

    def take_up(self, ledger: Ledger, done: ErrandDone) -> str:
        """Ask the line for the recipe that an errand has made. Raises as `carry_out` does."""
        _, lot = self._changeover.current.newest
        order = SetRecipe(recipe=done.recipe, lot=lot)
        who = Person(name=done.who, role=Role.ENGINEER)
        return self.carry_out(ledger, order, who, f"{done.order} {done.product}")

    def _before_recipe(self, order: SetRecipe) -> Detail:
        self._refuse_in_challenge()
        if order.lot == LOT:
            raise OperatorError(f"lot {LOT!r}: is kept for golden parts; choose another")
        check_recipe(self._paths, order.recipe)
        current = self._changeover.current
        return {"recipe_before": current.recipe, "lot_before": current.lot}

    def _set_recipe(self, _ledger: Ledger, order: SetRecipe, who: str, _reason: str) -> str:
        now, current = self._clock.monotonic_ns(), self._changeover.current
        command = SwitchRecipe(recipe=order.recipe, lot=order.lot, who=who)
        recipe, lot = order.recipe, order.lot or "none"
        if recipe == current.recipe and not current.asked:
            self._changeover.change_lot(command, now)
            return f"recipe {recipe}, lot {lot}"
        # A recipe that has become unusable is nothing to begin with.
        fall_back = current.recipe if self._usable(current.recipe) else recipe
        if self._changeover.ask(command, fall_back, now):
            return f"loading recipe {recipe}; it takes effect between two parts, with lot {lot}"
        return f"recipe {recipe}, lot {lot}: detect is not running, it loads them once it is"

    def _usable(self, recipe: str) -> bool:
        try:
            check_recipe(self._paths, recipe)
        except InspectorError:
            return False
        return True

    def _mode_deed(self, mode: Mode, text: str) -> Deed:
        def before(_order: AnyOrder) -> Detail:
            self._refuse_in_challenge()
            if mode is Mode.INSPECT and (stops := self._rooms.challenges.stops):
                raise OperatorError(stops)
            return {"mode": mode.value, "mode_before": self._changeover.current.mode.value}

        def act(_ledger: Ledger, _order: AnyOrder, _who: str, _reason: str) -> str:
            self._changeover.set_mode(mode)
            return text

        return Deed(before, act)

    def _refuse_in_challenge(self) -> None:
        """The test gives back the mode that it found, and is of one recipe."""
        if self._changeover.current.mode is Mode.CHALLENGE:
            raise OperatorError("a challenge test is on; show its last part, or abandon it first")

    def _before_alarm(self, order: orders.AcknowledgeAlarm) -> Detail:
        found = [alarm for alarm in self._rooms.alarms.shown() if alarm.id == order.alarm]
        if not found:
            raise OperatorError(f"alarm {order.alarm}: is not shown any more")
        before = found[0].acknowledged_by
        return {"code": found[0].code, "text": found[0].text, "acknowledged_by_before": before}

    def _acknowledge(
        self, ledger: Ledger, order: orders.AcknowledgeAlarm, who: str, _reason: str
    ) -> str:
        wall = self._clock.wall_ns()
        return self._rooms.alarms.acknowledge(ledger, order.alarm, who, wall)

    def _review(self, ledger: Ledger, order: orders.ReviewPart, who: str, reason: str) -> str:
        revision = ledger.review(order, who, reason, self._clock.wall_ns())
        return f"part {order.seq}: {order.verdict}, review {revision}"

    def _before_begin(self, _order: AnyOrder) -> Detail:
        self._rooms.challenges.check_begin()
        return {"recipe": self._changeover.current.recipe}

    def _before_present(self, order: orders.PresentGolden) -> Detail:
        return {"recipe": self._rooms.challenges.check_present(order.step).recipe}

    def _before_abandon(self, _order: AnyOrder) -> Detail:
        return {"recipe": self._rooms.challenges.check_under_way().recipe}

    def _begin(self, ledger: Ledger, _order: AnyOrder, who: str, _reason: str) -> str:
        return self._rooms.challenges.begin(ledger, who)

    def _present(self, ledger: Ledger, order: orders.PresentGolden, who: str, _reason: str) -> str:
        return self._rooms.challenges.present(ledger, order.step, who)

    def _abandon(self, ledger: Ledger, _order: AnyOrder, who: str, reason: str) -> str:
        return self._rooms.challenges.abandon(ledger, who, reason)

    def _before_backup(self, _order: AnyOrder) -> Detail:
        self._rooms.backups.check()
        return {"folder": str(self._rooms.backups.folder)}

    def _backup(self, _ledger: Ledger, _order: AnyOrder, _who: str, _reason: str) -> str:
        return self._rooms.backups.begin()

    def _before_errand(self, _order: Errand) -> Detail:
        if not self._rooms.workshop.connected(WORKSHOP_WAIT_MS):
            raise MaintainerError(
                "the workshop cannot be reached; give station.toml a [ui] section, or see its log"
            )
        return {}

    def _before_adoption(self, order: orders.AdoptProduct) -> Detail:
        before = self._before_errand(order) | self._version_in_use(order.product)
        try:
            limits = load_recipe(self._paths.recipe(order.product)).limits
        except InspectorError:  # a new product
            return before
        return before | {"review_before": f"{limits.review:g}", "fail_before": f"{limits.fail:g}"}

    def _before_use(self, order: orders.UseModel) -> Detail:
        return self._before_errand(order) | self._version_in_use(order.name)

    def _before_back(self, order: orders.BackModel) -> Detail:
        version = Store(self._paths.models).before(order.name).name
        before = self._before_errand(order) | self._version_in_use(order.name)
        return before | {"version": version}

    def _version_in_use(self, model: str) -> Detail:
        try:
            return {"version_before": find(model, self._paths.models).name}
        except InspectorError:
            return {"version_before": ""}

    def _send(self, _ledger: Ledger, order: Errand, who: str, _reason: str) -> str:
        if not self._rooms.workshop.send(ErrandOrder(errand=order, who=who)):
            raise MaintainerError("the workshop has too much to do; try again")
        return f"{tag_of(order)}: begun"


def tag_of(order: AnyOrder) -> str:
    """The order's name, as in messages, recipes and the audit chain."""
    return str(type(order).__struct_config__.tag)


def values_of(order: AnyOrder) -> Detail:
    """The order's own values as text."""
    return {key: str(value) for key, value in structs.asdict(order).items()}


def check_recipe(paths: Paths, name: str) -> None:
    """Raises OperatorError when there is no such recipe, MaintainerError when it or its model
    cannot be used."""
    file = paths.recipe(name)
    if not _NAME.fullmatch(name) or not file.is_file():
        known = ", ".join(paths.recipe_names()) or "none"
        raise OperatorError(f"recipe {name!r}: is not known; choose one of: {known}")
    open_bundle(find(load_recipe(file).model, paths.models))
