"""What a person asks for: another recipe or lot, a finding on a part.

Promises: every change is in the audit chain before it takes effect, and every command is answered
with what became of it.
Never: asks the line for a recipe whose file or model is not in order.
"""

import re

from inspector.core.clock import Clock
from inspector.core.config import load_recipe
from inspector.core.errors import InspectorError, MaintainerError, OperatorError
from inspector.core.messages import AnyMessage, Reply, Review, SwitchRecipe
from inspector.core.paths import Paths
from inspector.devices.bundles import find, open_bundle
from inspector.devices.ledger import Damaged, Ledger
from inspector.services.record.changeover import Answer, Changeover

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Commands:
    """Carries commands out, one at a time."""

    def __init__(self, paths: Paths, changeover: Changeover, clock: Clock) -> None:
        self._paths = paths
        self._changeover = changeover
        self._clock = clock

    def carry_out(self, ledger: Ledger, command: AnyMessage) -> Reply:
        """Do it, or say why not. Raises Damaged alone."""
        try:
            if isinstance(command, SwitchRecipe):
                return Reply(ok=True, text=self._switch(ledger, command))
            if isinstance(command, Review):
                return Reply(ok=True, text=self._review(ledger, command))
        except Damaged:
            raise
        except InspectorError as error:
            return Reply(ok=False, text=str(error))
        return Reply(ok=False, text=f"{type(command).__name__} is no command; ask for another")

    def note_refusal(self, ledger: Ledger, answer: Answer) -> None:
        """Add to the audit chain that a change was not made. Raises CannotWrite or Damaged."""
        asked = answer.asked
        detail = {"recipe": asked.recipe, "lot": asked.lot, "reason": answer.refused}
        ledger.audit(asked.who, "switch_recipe_failed", detail, self._clock.wall_ns())

    def _switch(self, ledger: Ledger, command: SwitchRecipe) -> str:
        _named(command.who)
        check_recipe(self._paths, command.recipe)
        before = self._changeover.current
        detail = {
            "recipe": command.recipe,
            "lot": command.lot,
            "recipe_before": before.recipe,
            "lot_before": before.lot,
        }
        ledger.audit(command.who, "switch_recipe", detail, self._clock.wall_ns())
        try:
            return self._change(command)
        except MaintainerError as error:
            failed = detail | {"reason": str(error)}
            ledger.audit(command.who, "switch_recipe_failed", failed, self._clock.wall_ns())
            raise

    def _change(self, command: SwitchRecipe) -> str:
        now, current = self._clock.monotonic_ns(), self._changeover.current
        recipe, lot = command.recipe, command.lot or "none"
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

    def _review(self, ledger: Ledger, command: Review) -> str:
        _named(command.who)
        revision = ledger.review(command, self._clock.wall_ns())
        return f"part {command.seq}: {command.verdict}, review {revision}"


def check_recipe(paths: Paths, name: str) -> None:
    """Raises OperatorError when there is no such recipe, MaintainerError when it or its model
    cannot be used."""
    file = paths.recipes / f"{name}.toml"
    if not _NAME.fullmatch(name) or not file.is_file():
        known = ", ".join(sorted(path.stem for path in paths.recipes.glob("*.toml"))) or "none"
        raise OperatorError(f"recipe {name!r}: is not known; choose one of: {known}")
    open_bundle(find(load_recipe(file).model, paths.models))


def _named(who: str) -> None:
    if not who.strip():
        raise OperatorError("who = '': a change needs the name of whoever makes it; give one")
