"""What can be wrong with a plate: damage through its dye, stains, faded dye, holes and print.

Promises: `level` runs from 0 (subtle) to 1 (clear); the same seed gives the same defect. Never
touches a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import damage
import numpy as np
from plate import BARE, BOLTS, Hole, Plate, outline
from shapes import Rng, blob, distance, free_point, wander
from stencil import RED
from surface import CELL, Map, Surface, grid, ramp

DYE_DEPTH = 0.03  # a stroke that takes more metal than this leaves it bare, millimetres
COOLANT, RUST, VIOLET = (0.16, 0.30, 0.02), (0.24, 0.075, 0.015), (0.16, 0.01, 0.20)
FELT = ((0.50, 0.01, 0.02), (0.01, 0.01, 0.012), (0.02, 0.30, 0.06))


def scratch(surface: Surface, level: float, rng: Rng) -> None:
    """Strokes of a hard tip through dye and print to the bright metal."""
    before = surface.height.copy()
    damage.scratch(surface, level, rng)
    _bare(surface, before)


def chipped_edge(surface: Surface, level: float, rng: Rng) -> None:
    """A piece broken out of the outline."""
    before, edge = surface.height.copy(), outline()
    rows, columns = np.nonzero(np.abs(edge) < CELL)
    pick = int(rng.integers(len(rows)))
    row, column = int(rows[pick]), int(columns[pick])
    slope_y, slope_x = (float(g[row, column]) for g in np.gradient(edge, CELL))
    x, y = (axis - float(axis[row, column]) for axis in grid())
    near = np.where((np.hypot(x, y) < 7) & (edge < 0.1), edge, -9).astype(np.float32)
    damage.chip(surface, near, (y * slope_x - x * slope_y).astype(np.float32), level, rng)
    _bare(surface, before)


def stain(surface: Surface, level: float, rng: Rng) -> None:
    """A dried film of coolant, rust or ink, or a stroke of a felt pen; they take turns."""
    turn = int(level * 7.99) % 4
    if turn == 3:
        path = wander(free_point(surface, rng, 0.6), rng.uniform(0, 2 * pi), 6.0, 0.12, rng)
        stroke = ramp(distance(path) - 0.55, 0.15) * (surface.height > 0)
        surface.cover(0.8 * stroke, FELT[int(rng.integers(3))], 0.45)
        return
    away = blob(surface, 1.1 + 1.3 * level, rng)
    rim = np.exp(-(((away + 0.18) / 0.22) ** 2))
    film = ramp(away, 0.2) * (0.28 + 0.27 * level + 0.25 * rim)
    surface.cover(film.astype(np.float32), (RUST, COOLANT, VIOLET)[turn], 0.3)


def discoloured(surface: Surface, level: float, rng: Rng) -> None:
    """Dye that faded to a paler blue, or turned violet from heat, in a soft-edged patch."""
    away = blob(surface, 2.0 + 2.2 * level, rng)
    dyed = surface.tint[..., 0] < 0.3
    patch = ramp(away, 1.6) * dyed * (0.65 + 0.30 * level)
    pale, violet = (0.16, 0.31, 0.56), (0.20, 0.09, 0.36)
    surface.dye(patch.astype(np.float32), pale if rng.random() < 0.5 else violet)


def missing_hole(plate: Plate, level: float, rng: Rng) -> Plate:
    """A bolt hole without countersink (subtle), not through, or not there at all."""
    step: tuple[Hole, ...] = ("no_sink", "no_through", "absent")
    holes = list(plate.holes)
    holes[int(rng.integers(len(BOLTS)))] = step[min(int(level * 3), 2)]
    return replace(plate, holes=tuple(holes))


def wrong_print(plate: Plate, level: float, rng: Rng) -> Plate:
    """From a wrong digit to no print at all, one mistake for each level."""
    made = plate.print
    side = 1.0 if rng.random() < 0.5 else -1.0
    mistakes = (
        replace(made, lines=("VP-41", made.lines[1])),
        replace(made, smear=0.9),
        replace(made, bald=0.35),
        replace(made, turn=made.turn + 7 * side, shift=(0.7 * side, -0.5)),
        replace(made, lines=(made.lines[0], "")),
        replace(made, arrow_ink=RED),
        replace(made, arrow="left"),
        replace(made, present=False),
    )
    return replace(plate, print=mistakes[min(int(level * len(mistakes)), len(mistakes) - 1)])


DAMAGE: dict[str, Callable[[Surface, float, Rng], None]] = {
    "scratch": scratch,
    "dent": damage.dent,
    "chipped_edge": chipped_edge,
    "stain": stain,
    "discoloured": discoloured,
}
MISMADE: dict[str, Callable[[Plate, float, Rng], Plate]] = {
    "missing_hole": missing_hole,
    "wrong_print": wrong_print,
}


def _bare(surface: Surface, before: Map) -> None:
    """Take dye and print off wherever metal was lost."""
    lost = np.clip((before - surface.height) / DYE_DEPTH - 0.5, 0, 1).astype(np.float32)
    dyed = surface.tint[..., 0] < 0.3
    surface.dye(lost * dyed, BARE)
    surface.coat *= 1 - lost
