"""From one product to the next: which recipe and lot a part belongs to while the line changes.

Promises: another recipe and its lot take effect together, with the first decision that carries the
recipe; another lot of the same recipe takes effect at once; a part that was decided before the
change and settled after it stays with the recipe and lot before.
Never: stamps a part with another recipe than the one it was decided with.
"""

from inspector.core.current import Current


class Changeover:
    """What is being made, and what is announced to come."""

    def __init__(self, current: Current) -> None:
        self._current = Current(recipe=current.recipe, lot=current.lot)
        self._coming: Current | None = None
        self._before = self._current
        if current.asked:
            self.switch(current.asked.recipe, current.asked.lot)

    def switch(self, recipe: str, lot: str) -> None:
        """Somebody has ordered this recipe and lot; detect may still be loading."""
        ordered = Current(recipe=recipe, lot=lot)
        if recipe == self._current.recipe:
            self._current, self._coming = ordered, None
        else:
            self._coming = ordered

    def decided(self, recipe: str) -> None:
        """detect has just decided with this recipe. Its decisions come in the order in which it
        made them, so one that nobody announced means that it fell back to another recipe."""
        if recipe == self._current.recipe:
            return
        if self._coming is not None and recipe == self._coming.recipe:
            self._before, self._current, self._coming = self._current, self._coming, None
        else:
            self._current = self._before = Current(recipe=recipe, lot=self._current.lot)

    def stamp(self, recipe: str) -> Current:
        """Recipe and lot of a part that was decided with `recipe`; "" for one that was not."""
        if recipe in ("", self._current.recipe):
            return self._current
        if recipe == self._before.recipe:
            return self._before
        return Current(recipe=recipe, lot=self._current.lot)
