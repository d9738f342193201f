"""The product "cap": a turned aluminium flange cap with an O-ring, six bolt holes and a mark.

Promises: the same `Cap` always gives the same surface, and two caps that differ in one field
differ on the surface only where that field reaches. Never renders and never touches a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import Literal

import cv2
import numpy as np
from surface import CELLS, Map, Surface, cloud, grid, outward, polar, ramp, rings

Hole = Literal["full", "no_counterbore", "no_through", "absent"]
HOLES = 6
BOLT_CIRCLE = 19.8
EDGE = 25.0
FLANGE = 5.0
GROOVE_RADIUS, GROOVE_FLOOR, CORD = 12.4, 4.3, 1.32
MARK_RADIUS = 20.0
# Radius and height of the turned form, from the bore to the outer edge.
PROFILE = (
    (0, -1), (4.4, -1), (4.45, 7.5), (5.1, 8.15), (8.2, 8.2), (8.7, 7.7), (8.85, 6.4),
    (9.3, 6.0), (10.9, 6.0), (11.02, 5.88), (11.05, 4.3), (13.75, 4.3), (13.78, 5.88),
    (13.9, 6.0), (14.7, 6.0), (15.1, 5.6), (15.2, 5.2), (15.5, 5.0), (24.35, 5.0),
    (25.0, 4.35), (25.06, -1), (99, -1),
)  # fmt: skip


@dataclass(frozen=True)
class Cap:
    """One part: what was machined and fitted, and the seed of its own finish."""

    seed: int
    holes: tuple[Hole, ...] = ("full",) * HOLES
    ring_gap: tuple[float, float] = (0.0, 0.0)  # centre and half-width of a missing arc, radians
    ring_bulge: tuple[float, float] = (0.0, 0.0)  # angle and sideways shift of a pinched cord


def draw(rng: np.random.Generator) -> Cap:
    """A good part, unlike every other in its finish."""
    return Cap(seed=int(rng.integers(1, 2**31)))


def build(cap: Cap) -> Surface:
    """Machine, finish, fit and mark one cap."""
    rng = np.random.default_rng(cap.seed)
    surface = _finish(_turned_form(), rng)
    for index, hole in enumerate(cap.holes):
        _drill(surface, index, hole)
    _key_slot(surface)
    _laser_mark(surface, rng)
    _fit_ring(surface, cap)
    return surface


def _turned_form() -> Map:
    radius, _ = polar()
    r, z = np.array(PROFILE, np.float32).T
    return cv2.GaussianBlur(np.interp(radius, r, z).astype(np.float32), (0, 0), 0.8)


def _finish(height: Map, rng: np.random.Generator) -> Surface:
    """The marks that the lathe left, new for every part."""
    fine, broad = rings(rng, 0.045, 0.9), rings(rng, 0.25, 1.5)
    stain = cloud(rng, 9.0)
    across = 0.30 + 0.030 * rings(rng, 0.1, 1.0) + 0.012 * stain
    bare = 0.80 + 0.025 * rings(rng, 0.08, 0.7) + 0.012 * stain
    return Surface(
        height=height,
        slope=(0.030 * fine + 0.014 * broad)[..., None] * outward(),
        rough_along=np.clip(0.11 + 0.010 * broad + 0.006 * stain, 0.05, 0.5),
        rough_across=np.clip(across, 0.1, 0.6),
        tint=np.repeat(np.clip(bare, 0.4, 1.0)[..., None], 3, 2),
        coat=np.zeros_like(height),
        coat_rgb=np.zeros((CELLS, CELLS, 3), np.float32),
        coat_rough=np.full_like(height, 0.5),
    )


def hole_centre(index: int) -> tuple[float, float]:
    angle = 2 * pi * index / HOLES
    return BOLT_CIRCLE * cos(angle), BOLT_CIRCLE * sin(angle)


def _drill(surface: Surface, index: int, hole: Hole) -> None:
    """One bolt hole: a milled counterbore, then the through hole."""
    x, y = grid()
    cx, cy = hole_centre(index)
    away = np.hypot(x - cx, y - cy)
    if hole in ("full", "no_through"):
        surface.cut(away - 3.0, FLANGE - 1.3, 0.22)
        surface.roughen(ramp(away - 3.0), 0.24)
    if hole in ("full", "no_counterbore"):
        surface.cut(away - 1.7, -1.0, 0.2)


def _key_slot(surface: Surface) -> None:
    """The half-round slot in the edge that sets the part's angle."""
    x, y = grid()
    surface.cut(np.hypot(x, y + EDGE) - 1.7, -1.0, 0.25)


def _laser_mark(surface: Surface, rng: np.random.Generator) -> None:
    """The part number, burnt dark along the flange."""
    weight = np.clip(_mark_shape() * (0.84 + 0.05 * cloud(rng, 0.3)), 0, 1)
    surface.cover(weight.astype(np.float32), (0.030, 0.028, 0.026), 0.6)


def _mark_shape() -> Map:
    """The mark's strokes, bent along its circle: 1 where the laser passed."""
    scale = 40  # strip pixels per millimetre
    strip = np.zeros((5 * scale, 18 * scale), np.uint8)
    for text, base, size in (("CAP-50 A7", 2.3, 2.6), ("AL 6082", 4.4, 1.7)):
        (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size * 0.95, 9)
        at = ((strip.shape[1] - width) // 2, int(base * scale))
        cv2.putText(strip, text, at, cv2.FONT_HERSHEY_SIMPLEX, size * 0.95, 255, 9, cv2.LINE_AA)
    radius, angle = polar()
    along = ((pi / 2 - angle) * MARK_RADIUS + 9) * scale
    down = (MARK_RADIUS - radius + 2.5) * scale
    soft = cv2.GaussianBlur(strip, (0, 0), 2).astype(np.float32) / 255
    return cv2.remap(soft, along.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR)


def _fit_ring(surface: Surface, cap: Cap) -> None:
    """Lay the O-ring into its groove, whole, with a gap, or pinched aside."""
    radius, angle = polar()
    centre, half = cap.ring_gap
    at, shift = cap.ring_bulge
    middle = GROOVE_RADIUS + shift * np.exp(-((_turn(angle - at) / 0.16) ** 2))
    lift = 0.6 * abs(shift) * np.exp(-((_turn(angle - at) / 0.2) ** 2))
    inner = CORD**2 - (radius - middle) ** 2
    if half > 0:
        past_end = np.maximum(half - np.abs(_turn(angle - centre)), 0) * GROOVE_RADIUS
        inner = inner - (past_end / 0.2) ** 2
    top = GROOVE_FLOOR + CORD + lift + np.sqrt(np.maximum(inner, 0))
    cord = ramp(-inner / (2 * CORD)) * (top > surface.height)
    surface.height = np.where(cord > 0.5, top, surface.height).astype(np.float32)
    surface.cover((cord > 0.5).astype(np.float32), (0.012, 0.012, 0.013), 0.38)


def _turn(angle: Map) -> Map:
    """The same angle between -pi and pi."""
    return (np.mod(angle + pi, 2 * pi) - pi).astype(np.float32)
