"""What can be wrong with a cap: damage, a missing hole, a faulty O-ring.

Promises: `level` runs from 0 (subtle) to 1 (clear); the same seed gives the same defect. Never
touches a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import cos, pi, sin

import damage
from cap import EDGE, HOLES, Cap, Hole
from shapes import Rng
from surface import Surface, grid


def chipped_edge(surface: Surface, level: float, rng: Rng) -> None:
    """A piece broken out of the outer edge."""
    angle = _edge_angle(rng)
    x, y = grid()
    out = x * cos(angle) + y * sin(angle) - EDGE
    side = y * cos(angle) - x * sin(angle)
    damage.chip(surface, out + side**2 / (2 * EDGE), side, level, rng)


def _edge_angle(rng: Rng) -> float:
    """An angle on the outer edge away from the key slot at -90 degrees."""
    return float(rng.uniform(-pi / 2 + 0.3, 3 * pi / 2 - 0.3))


def missing_hole(cap: Cap, level: float, rng: Rng) -> Cap:
    """A bolt hole without counterbore (subtle), not through, or not there at all."""
    step: tuple[Hole, ...] = ("no_counterbore", "no_through", "absent")
    holes = list(cap.holes)
    holes[int(rng.integers(HOLES))] = step[min(int(level * 3), 2)]
    return replace(cap, holes=tuple(holes))


def faulty_o_ring(cap: Cap, level: float, rng: Rng) -> Cap:
    """An O-ring nicked through, pinched out of its groove, torn, or not fitted."""
    at = float(rng.uniform(-pi, pi))
    if level > 0.9:
        return replace(cap, ring_gap=(at, 4.0))
    if rng.random() < 0.5:
        side = 1.0 if rng.random() < 0.5 else -1.0
        return replace(cap, ring_bulge=(at, side * (0.45 + 0.6 * level)))
    return replace(cap, ring_gap=(at, 0.025 + 0.30 * level**2))


DAMAGE: dict[str, Callable[[Surface, float, Rng], None]] = {
    "scratch": damage.scratch,
    "dent": damage.dent,
    "chipped_edge": chipped_edge,
    "contamination": damage.contamination,
}
MISMADE: dict[str, Callable[[Cap, float, Rng], Cap]] = {
    "missing_hole": missing_hole,
    "faulty_o_ring": faulty_o_ring,
}
