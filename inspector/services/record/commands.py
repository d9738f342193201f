"""What a person asks for: another recipe or lot, a finding on a part.

Promises: every change is in the audit chain before it takes effect, and every command is answered
with what became of it.
Never: lets a recipe that cannot be loaded reach the line.
"""

import re
from pathlib import Path

from inspector.core.clock import Clock
from inspector.core.config import load_recipe
from inspector.core.current import Current, write_current
from inspector.core.errors import InspectorError, MaintainerError, OperatorError
from inspector.core.messages import AnyMessage, Reply, Review, SwitchRecipe
from inspector.core.paths import Paths
from inspector.devices.bus import Outlet
from inspector.devices.ledger import Damaged, Ledger

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Commands:
    """Carries commands out, one at a time."""

    def __init__(self, paths: Paths, current: Current, line: list[Outlet], clock: Clock) -> None:
        """`line`: the services that take up another recipe."""
        self.current = current
        self._paths = paths
        self._line = line
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

    def _switch(self, ledger: Ledger, command: SwitchRecipe) -> str:
        _named(command.who)
        check_recipe(self._paths.recipes, command.recipe)
        detail = {
            "recipe": command.recipe,
            "lot": command.lot,
            "recipe_before": self.current.recipe,
            "lot_before": self.current.lot,
        }
        ledger.audit(command.who, "switch_recipe", detail, self._clock.wall_ns())
        self._keep(ledger, command, detail)
        reached = [outlet.send(command) for outlet in self._line]
        later = "" if all(reached) else "; a service that is not running takes it up at its start"
        return f"recipe {command.recipe}, lot {command.lot or 'none'}{later}"

    def _keep(self, ledger: Ledger, command: SwitchRecipe, detail: dict[str, str]) -> None:
        fresh = Current(recipe=command.recipe, lot=command.lot)
        try:
            write_current(self._paths.current, fresh)
        except OSError as error:
            wall = self._clock.wall_ns()
            ledger.audit(command.who, "switch_recipe_failed", detail, wall)
            raise MaintainerError(
                f"{self._paths.current}: cannot be written ({error.strerror}); "
                f"recipe {self.current.recipe} stays"
            ) from None
        self.current = fresh

    def _review(self, ledger: Ledger, command: Review) -> str:
        _named(command.who)
        revision = ledger.review(command, self._clock.wall_ns())
        return f"part {command.seq}: {command.verdict}, review {revision}"


def check_recipe(recipes: Path, name: str) -> None:
    """Raises OperatorError when there is no such recipe, MaintainerError when it cannot be used."""
    if not _NAME.fullmatch(name) or not (recipes / f"{name}.toml").is_file():
        known = ", ".join(sorted(path.stem for path in recipes.glob("*.toml"))) or "none"
        raise OperatorError(f"recipe {name!r}: is not known; choose one of: {known}")
    load_recipe(recipes / f"{name}.toml")


def _named(who: str) -> None:
    if not who.strip():
        raise OperatorError("who = '': a change needs the name of whoever makes it; give one")
