"""Changing over to another recipe, which detect has to load before it is in force.

Promises: the recipe in force is the last one that detect confirmed; a change that was asked for
outlives record and detect, and is asked of detect again until there is an answer; the gate hears
of it when it is asked for, so that recipe and lot change together, and again how it ended. The
mode is in the file before the gate hears of it, and each gate that starts is told it again.
Never: asks for ever for a recipe at which detect dies or falls dumb.
"""

from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from inspector.core.clock import SECOND
from inspector.core.current import Asked, Current, write_current
from inspector.core.errors import MaintainerError
from inspector.core.messages import Event, Heartbeat, SetMode, SwitchRecipe
from inspector.core.terms import Mode
from inspector.devices.bus import Outlet

PATIENCE_NS = 60 * SECOND  # a model is loaded, or refused, in far less
TRIES = 3
VAIN = f"detect was asked {TRIES} times and ended or fell silent; see its log, mend the model"


@dataclass(frozen=True)
class Answer:
    """What became of a change; `refused`: why it was not made."""

    asked: Asked
    refused: str = ""


class Changeover:
    """What is in force, and what is under way."""

    def __init__(self, path: Path, current: Current, detect: Outlet, gate: Outlet) -> None:
        self.current = current
        self.problem = ""  # why the file does not say what is in force
        self._path = path
        self._detect = detect
        self._gate = gate
        self._untold: SwitchRecipe | None = None  # what the gate has yet to hear
        self._mode_untold = True
        self._gate_known = -1  # the gate last heard of, by its start
        self._known = -1  # the detect last heard of, by its start
        self._tries = 0
        self._reached = False
        self._asked_ns = 0  # 0: nothing in this run

    def change_lot(self, command: SwitchRecipe, now: int) -> None:
        """Another lot of the recipe in force: at once. Raises MaintainerError."""
        self._write(Current(command.recipe, command.lot, mode=self.current.mode))
        self._tell_gate(command)
        self._send(command, now)  # detect reads the recipe's file again: its limits may differ

    def ask(self, command: SwitchRecipe, fall_back: str, now: int) -> bool:
        """Another recipe: once detect has it. `fall_back`: the recipe to begin with if detect
        starts before. True when detect has been asked. Raises MaintainerError."""
        asked = Asked(command.recipe, command.lot, command.who)
        self._write(structs.replace(self.current, recipe=fall_back, asked=asked))
        self._tries = 0
        self._tell_gate(command)
        return self._send(command, now)

    def set_mode(self, mode: Mode) -> None:
        """Another mode: from the next part on. Raises MaintainerError, and all stays as it was."""
        self._write(structs.replace(self.current, mode=mode))
        self._tell_mode()

    def meet(self, heartbeat: Heartbeat) -> None:
        """The gate is there: one that has just started may have read the file too early."""
        if heartbeat.started_ns != self._gate_known:
            self._gate_known = heartbeat.started_ns
            self._tell_mode()

    def hear(self, event: Event) -> Answer | None:
        """An event of detect; what it means for the change under way."""
        if event.code not in ("recipe_changed", "recipe_refused"):
            return None
        name, asked = _recipe_of(event), self.current.asked
        if asked and name == asked.recipe:
            return self._end(asked, event.text if event.code == "recipe_refused" else "")
        if event.code == "recipe_changed" and name and name != self.current.recipe:
            # The answer to an earlier change, or detect fell back: it decides with this one now.
            self._take_up(structs.replace(self.current, recipe=name))
        return None

    def care(self, heartbeat: Heartbeat, now: int) -> Answer | None:
        """Detect is there: see to it that it knows what was asked. An answer when that is vain."""
        fresh, self._known = heartbeat.started_ns != self._known, heartbeat.started_ns
        asked, waited = self.current.asked, now - self._asked_ns
        if asked and (fresh or not self._reached or waited > PATIENCE_NS):
            if self._tries >= TRIES:
                return self._end(asked, f"recipe {asked.recipe}: {VAIN}")
            self._send(_command(asked), now)
        elif fresh and self._asked_ns and waited < PATIENCE_NS:
            # It may have begun with what was in force before.
            self._send(_command(self.current), now)
        return None

    def tidy(self) -> None:
        """Try again what did not reach the gate or the file."""
        if self._untold and self._gate.send(self._untold):
            self._untold = None
        if self._mode_untold:
            self._tell_mode()
        if self.problem:
            self._take_up(self.current)

    def _end(self, asked: Asked, refused: str) -> Answer:
        if refused:
            self._take_up(structs.replace(self.current, asked=None))
        else:
            self._take_up(Current(asked.recipe, asked.lot, mode=self.current.mode))
        self._tell_gate(_command(self.current))
        return Answer(asked, refused)

    def _take_up(self, fresh: Current) -> None:
        """What detect does is in force whether or not the file can be written."""
        try:
            self._write(fresh)
        except MaintainerError as error:
            self.current, self.problem = fresh, str(error)

    def _write(self, fresh: Current) -> None:
        try:
            write_current(self._path, fresh)
        except OSError as error:
            raise MaintainerError(
                f"{self._path}: cannot be written ({error.strerror}); make room or mend its folder"
            ) from None
        self.current, self.problem = fresh, ""

    def _send(self, command: SwitchRecipe, now: int) -> bool:
        self._reached = self._detect.send(command)
        self._tries += self._reached
        self._asked_ns = now
        return self._reached

    def _tell_gate(self, command: SwitchRecipe) -> None:
        self._untold = None if self._gate.send(command) else command

    def _tell_mode(self) -> None:
        self._mode_untold = not self._gate.send(SetMode(mode=self.current.mode))


def _command(wanted: Asked | Current) -> SwitchRecipe:
    who = wanted.who if isinstance(wanted, Asked) else "record"
    return SwitchRecipe(recipe=wanted.recipe, lot=wanted.lot, who=who)


def _recipe_of(event: Event) -> str:
    """Detect's events on recipes begin with `recipe NAME`."""
    words = event.text.split()
    return words[1] if len(words) > 1 and words[0] == "recipe" else ""
