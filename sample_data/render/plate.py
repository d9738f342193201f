"""The product "plate": a dyed valve plate with a bushing, bolt holes and a two-colour print.

Promises: the same `Plate` always gives the same surface, and two plates that differ in one field
differ on the surface only where that field reaches. Never renders and never touches a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import stencil
from stencil import Print
from surface import CELL, CELLS, Map, Surface, cloud, grid, outward, polar, ramp, rings

Hole = Literal["full", "no_sink", "no_through", "absent"]
TOP = 5.0
SIDE = (22.0, 16.0)  # half length and half width
CORNER = 6.0
CUT_CORNER = 29.0  # x + y of the corner that is cut off: it tells the plate's angle
BORE = (-8.5, 0.0)
BOLTS = ((-17.0, 11.0), (-17.0, -11.0), (17.0, -11.0), (13.2, 10.0))
DOWELS = ((4.0, -12.3), (1.5, 12.3))
SLOT_X, SLOT_Y, SLOT_HALF = 17.6, -0.5, 4.0
BLUE = (0.045, 0.15, 0.50)
BARE = (0.80, 0.80, 0.80)
BRASS = (0.86, 0.66, 0.30)
PRINT = Print()


@dataclass(frozen=True)
class Plate:
    """One part: how it was drilled, dyed and printed, and the seed of its own finish."""

    seed: int
    dye: float = 1.0  # strength of the dye's reflectance, relative to nominal
    print: Print = PRINT
    holes: tuple[Hole, ...] = ("full",) * len(BOLTS)


def draw(rng: np.random.Generator) -> Plate:
    """A good part: its finish, dye lot and print drawn anew within tolerance."""
    return Plate(
        seed=int(rng.integers(1, 2**31)),
        dye=float(rng.normal(1, 0.04)),
        print=Print(
            shift=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))),
            turn=float(rng.normal(0, 0.7)),
            ink=float(rng.uniform(0.88, 0.98)),
        ),
    )


def build(plate: Plate) -> Surface:
    """Mill, dye, drill, fit and print one plate."""
    rng = np.random.default_rng(plate.seed)
    surface = _dyed(_milled_form(), plate.dye, rng)
    _seat(surface, rng)
    for centre, hole in zip(BOLTS, plate.holes, strict=True):
        _drill(surface, centre, hole)
    for x0, y0 in DOWELS:
        surface.cut(polar((x0, y0))[0] - 1.1, -1.0, 0.18)
    for weight, colour in stencil.layers(plate.print, rng):
        on_top = ramp(TOP - 0.12 - surface.height, 0.05)
        surface.cover(weight * on_top, colour, 0.42)
    return surface


def outline() -> Map:
    """Distance of every cell outside (positive) or inside the plate's outline."""
    x, y = grid()
    over_x, over_y = np.abs(x) - SIDE[0] + CORNER, np.abs(y) - SIDE[1] + CORNER
    out = np.hypot(np.maximum(over_x, 0), np.maximum(over_y, 0))
    rounded = out + np.minimum(np.maximum(over_x, over_y), 0) - CORNER
    return np.maximum(rounded, (x + y - CUT_CORNER) / np.float32(2**0.5))


def _milled_form() -> Map:
    """The blank: top, broken edge and sides, with the slot milled through."""
    edge = np.interp(outline(), (-0.45, 0, 0.06), (TOP, TOP - 0.45, -1)).astype(np.float32)
    x, y = grid()
    along = np.maximum(np.abs(y - SLOT_Y) - SLOT_HALF, 0)
    slot = np.interp(np.hypot(x - SLOT_X, along) - 1.6, (-0.06, 0, 0.3, 0.4), (-1, 4.7, 5, 9))
    return np.minimum(edge, slot).astype(np.float32)


def _dyed(height: Map, dye: float, rng: np.random.Generator) -> Surface:
    """The face mill's arcs under a matt dyed layer, new for every part."""
    tool = (float(rng.uniform(-7, 7)), -24.0 + float(rng.uniform(-3, 3)))
    arcs = 0.016 * rings(rng, 0.06, 1.2, tool) + 0.012 * rings(rng, 0.35, 2.0, tool)
    tone = dye * (1 + 0.02 * cloud(rng, 8.0) + 0.02 * cloud(rng, 0.2))
    rough = np.clip(0.26 + 0.012 * cloud(rng, 6.0) + 0.012 * cloud(rng, 0.3), 0.1, 0.5)
    return Surface(
        height=height,
        slope=arcs[..., None] * outward(tool),
        rough_along=rough,
        rough_across=rough.copy(),
        tint=tone[..., None] * np.asarray(BLUE, np.float32),
        coat=np.zeros_like(height),
        coat_rgb=np.zeros((CELLS, CELLS, 3), np.float32),
        coat_rough=np.full_like(height, 0.5),
    )


def _seat(surface: Surface, rng: np.random.Generator) -> None:
    """Turn the seat around the bore to bright metal and press the brass bushing into it."""
    radius, _ = polar(BORE)
    turned = ramp(radius - 9.0)
    surface.cut(radius - 9.0, TOP - 0.32, 0.2)
    bare = ramp(radius - 9.2)
    surface.dye(bare, BARE)
    surface.roughen(bare, 0.2)
    marks = 0.030 * rings(rng, 0.05, 0.9, BORE) + 0.014 * rings(rng, 0.25, 1.5, BORE)
    surface.slope += (turned * marks)[..., None] * outward(BORE)
    bushing = ramp(radius - 6.4)
    crown = TOP + 0.5 - 0.5 * np.clip(np.abs(radius - 5.7) - 0.35, 0, 1)
    surface.height += bushing * (crown - surface.height)
    surface.height -= 0.25 * np.exp(-(((radius - 6.5) / (1.5 * CELL)) ** 2))
    surface.dye(bushing, BRASS)
    surface.cut(radius - 5.0, -1.0, 0.3)


def _drill(surface: Surface, centre: tuple[float, float], hole: Hole) -> None:
    """One bolt hole, drilled and countersunk through the dye."""
    away, _ = polar(centre)
    if hole == "absent":
        return
    drill, sink = 1.7, 0.15 if hole == "no_sink" else 1.25
    surface.cut(away - drill, TOP - sink - 0.3 if hole == "no_through" else -1.0, sink)
    bare = ramp(away - drill - sink - 0.05)
    surface.dye(bare, BARE)
    surface.roughen(bare, 0.24)
