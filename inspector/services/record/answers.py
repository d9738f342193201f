"""What came of an order that took its time: a recipe that detect has loaded, an errand that ended.

Promises: how it ended is told, and noted in the audit chain; what cannot be noted is told too.
Never: decides whether it was ordered; the chain says so.
"""

from inspector.core.errors import InspectorError
from inspector.core.orders import ErrandDone
from inspector.core.terms import Severity
from inspector.devices.ledger import CannotWrite, Damaged, Ledger
from inspector.services.record.board import Board
from inspector.services.record.changeover import Answer, Changeover
from inspector.services.record.commands import Commands
from inspector.services.record.events import Events


class Answers:
    """Takes them, one at a time. All raise Damaged."""

    def __init__(
        self, commands: Commands, changeover: Changeover, events: Events, board: Board
    ) -> None:
        self._commands, self._changeover = commands, changeover
        self._events, self._board = events, board

    def tell_recipe(self, text: str) -> None:
        """A change of recipe or lot that was ordered."""
        code = "recipe_asked" if self._changeover.current.asked else "recipe_switched"
        self._events.tell(Severity.INFO, code, text)

    def end_errand(self, ledger: Ledger, done: ErrandDone) -> None:
        """The workshop has ended what it was sent; what it made is taken up by the line."""
        self._board.touch()
        try:
            underway = self._commands.is_underway(ledger, done)
        except CannotWrite as error:
            self._events.tell(Severity.WARNING, "audit_missed", str(error))
            return
        if not underway:
            text = f"{done.order} of {done.product} by {done.who}: ended, and nobody ordered it"
            self._events.tell(Severity.WARNING, "errand_unknown", text)
            return
        try:
            self._commands.errand_done(ledger, done)
        except CannotWrite as error:
            self._events.tell(Severity.WARNING, "audit_missed", str(error))
        if done.recipe and done.ok:
            self._take_up(ledger, done)

    def answer(self, ledger: Ledger, answer: Answer | None) -> None:
        """A change was made, or it is known why not."""
        if answer is None:
            return
        asked = answer.asked
        self._board.touch()
        if not answer.refused:
            text = f"recipe {asked.recipe}, lot {asked.lot or 'none'}, by {asked.who}"
            self._events.tell(Severity.INFO, "recipe_switched", text)
            return
        text = f"{answer.refused}; recipe {self._changeover.current.recipe} stays"
        self._events.tell(Severity.ALARM, "recipe_not_switched", text)
        try:
            self._commands.note_refusal(ledger, answer)
        except CannotWrite as error:
            self._events.tell(Severity.WARNING, "audit_missed", str(error))

    def _take_up(self, ledger: Ledger, done: ErrandDone) -> None:
        try:
            self.tell_recipe(f"{self._commands.take_up(ledger, done)}, by {done.who}")
        except Damaged:
            raise
        except InspectorError as error:
            self._events.tell(Severity.ALARM, "recipe_not_switched", str(error))
