"""Damage done to a finished part, whatever the product.

Promises: damage changes the part's form or material before any picture is made; `level` runs
from 0 (subtle) to 1 (clear); the same seed gives the same damage. Never touches a picture.
"""

from __future__ import annotations

from math import cos, pi, sin

import cv2
import numpy as np
from shapes import Rng, bead, blob, distance, free_point, groove, wander
from surface import Map, Surface, cloud, grid, ramp


def scratch(surface: Surface, level: float, rng: Rng) -> None:
    """One to three strokes of a hard tip, with a raised burr along them."""
    start = free_point(surface, rng, 0.4)
    heading = rng.uniform(0, 2 * pi)
    for _ in range(int(rng.integers(1, 3 + (level > 0.6)))):
        path = wander(start, heading, 4 + 9 * level + rng.uniform(0, 4), 0.05, rng)
        groove(surface, path, 0.085 + 0.09 * level, 0.035 + 0.05 * level)
        start = (start[0] + rng.normal(0, 0.8), start[1] + rng.normal(0, 0.8))
        heading += rng.normal(0, 0.12)


def dent(surface: Surface, level: float, rng: Rng) -> None:
    """A blow: a shallow pit, longer one way, with its metal pushed up around it."""
    radius = 0.8 + 1.1 * level
    x0, y0 = free_point(surface, rng, radius)
    x, y = grid()
    turn, stretch = rng.uniform(0, pi), rng.uniform(1.0, 1.5)
    along = ((x - x0) * cos(turn) + (y - y0) * sin(turn)) / stretch
    across = (y - y0) * cos(turn) - (x - x0) * sin(turn)
    away = np.hypot(along, across) / radius * (1 + 0.05 * cloud(rng, 1.5))
    depth = 0.06 + 0.22 * level
    rim = 0.22 * depth * np.exp(-(((away - 1.05) / 0.2) ** 2))
    surface.height += (rim - depth * np.exp(-((away / 0.72) ** 4))).astype(np.float32)
    surface.roughen(ramp(away - 0.8, 0.2) * 0.7, 0.22)


def chip(surface: Surface, edge: Map, side: Map, level: float, rng: Rng) -> None:
    """Break a piece out of the edge; the fracture is rough and bright.

    `edge` is the distance outside the part's outline, `side` the distance along it.
    """
    reach, width = 0.55 + 1.3 * level, 1.0 + 2.2 * level
    ragged = 0.14 * cloud(rng, 0.9) + 0.05 * cloud(rng, 0.3)
    lean = side / width * rng.uniform(-0.3, 0.3)
    front = reach * (1 - np.abs(side / width + lean) ** 2.2) + 0.35 * reach * ragged
    inside = front + edge
    floor = 5.0 - (0.35 + 2.2 * np.clip(inside, 0, None) + 0.25 * ragged)
    broken = (inside > 0) & (surface.height > 0)
    lowered = np.where(broken, np.minimum(surface.height, floor), surface.height)
    surface.height = lowered.astype(np.float32)
    surface.roughen(ramp(-inside, 0.1), 0.34)


def contamination(surface: Surface, level: float, rng: Rng) -> None:
    """Something left on the part: sealant, a fibre, a metal chip, oil; they take turns."""
    [_sealant, _fibre, _swarf, _oil][int(level * 7.99) % 4](surface, level, rng)


def _sealant(surface: Surface, level: float, rng: Rng) -> None:
    colour = [(0.35, 0.06, 0.04), (0.06, 0.14, 0.32), (0.55, 0.52, 0.44)][int(rng.integers(3))]
    away = blob(surface, 0.6 + 1.0 * level, rng)
    bead(surface, away, 0.5)
    surface.cover(ramp(away, 0.06), colour, 0.35)


def _oil(surface: Surface, level: float, rng: Rng) -> None:
    away = blob(surface, 1.2 + 1.6 * level, rng)
    bead(surface, away, 0.12)
    film = ramp(away, 0.25) * (0.45 + 0.3 * level)
    surface.cover(film, (0.055, 0.034, 0.012), 0.12)


def _fibre(surface: Surface, level: float, rng: Rng) -> None:
    start = free_point(surface, rng, 0.5)
    path = wander(start, rng.uniform(0, 2 * pi), 5 + 7 * level, 0.22, rng)
    thick = 0.07 + 0.05 * level
    away = distance(path)
    over = ramp(away - thick)
    lifted = cv2.dilate(surface.height, np.ones((25, 25))) + thick
    surface.height = np.where(over > 0.5, lifted, surface.height).astype(np.float32)
    surface.cover(over, [(0.03, 0.05, 0.14), (0.5, 0.48, 0.44)][int(rng.integers(2))], 0.7)


def _swarf(surface: Surface, level: float, rng: Rng) -> None:
    """A curl of metal from the lathe: a thin ribbon standing on the face."""
    x0, y0 = free_point(surface, rng, 0.8)
    size, turns = 0.7 + 0.6 * level, rng.uniform(0.9, 1.7)
    t = np.linspace(0, turns * 2 * pi, 160)
    drift, phase = rng.uniform(0.12, 0.26), rng.uniform(0, 2 * pi)
    path = np.stack([x0 + size * np.cos(t + phase) + drift * t, y0 + size * np.sin(t + phase)], 1)
    away, width = distance(path), 0.13 + 0.08 * level
    over = ramp(away - width)
    wave = 0.25 * np.sqrt(np.clip(1 - (away / width) ** 2, 0, 1))
    top = surface.height + 0.25 + wave
    surface.height = np.where(over > 0.5, top, surface.height).astype(np.float32)
    surface.coat *= 1 - over
    surface.roughen(over, 0.12)
    surface.dye(over, (1.0, 1.0, 1.0))
