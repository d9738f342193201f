"""What can be wrong with a part: each defect is cut, pressed or laid into the part itself.

Promises: a defect changes the part's form or material before any picture is made; `level` runs
from 0 (subtle) to 1 (clear); the same seed gives the same defect. Never touches a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import cos, pi, sin

import cv2
import numpy as np
from cap import EDGE, FLANGE, HOLES, Cap, Hole, build
from surface import CELL, CELLS, HALF, Map, Surface, cloud, grid, ramp

Rng = np.random.Generator
Points = np.ndarray


def defective(cap: Cap, kind: str, level: float, rng: Rng) -> tuple[Surface, Surface, Map]:
    """The part as it should be, the same part with the defect, and the cells that differ."""
    clean = build(cap)
    if kind in MISMADE:
        broken = build(MISMADE[kind](cap, level, rng))
    else:
        broken = clean.copy()
        DAMAGE[kind](broken, level, rng)
    return clean, broken, changed(clean, broken, 0.06 if kind in MISMADE else 0.02)


def changed(clean: Surface, broken: Surface, step: float) -> Map:
    """1 in every cell whose form (by `step`), finish or cover differs enough to be seen."""
    before, after = (s.coat_rgb * s.coat[..., None] for s in (clean, broken))
    differs = (
        (np.abs(clean.height - broken.height) > step)
        | (np.abs(clean.rough_along - broken.rough_along) > 0.06)
        | (np.abs(clean.tint - broken.tint) > 0.06)
        | (np.abs(clean.coat - broken.coat) > 0.15)
        | (np.abs(before - after).max(-1) > 0.02)
    )
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    closed = cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    return _without_specks(closed).astype(np.float32)


def _without_specks(cells: np.ndarray, least: int = 14) -> np.ndarray:
    """Drop patches of fewer cells than a picture can show."""
    _, label, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= least
    large[0] = False
    return large[label]


# ---- damage: done to a finished part


def scratch(surface: Surface, level: float, rng: Rng) -> None:
    """One to three strokes of a hard tip, with a raised burr along them."""
    start = _free_point(surface, rng, 0.4)
    heading = rng.uniform(0, 2 * pi)
    for _ in range(int(rng.integers(1, 3 + (level > 0.6)))):
        path = _wander(start, heading, 4 + 9 * level + rng.uniform(0, 4), 0.05, rng)
        _groove(surface, path, 0.085 + 0.09 * level, 0.035 + 0.05 * level)
        start = (start[0] + rng.normal(0, 0.8), start[1] + rng.normal(0, 0.8))
        heading += rng.normal(0, 0.12)


def dent(surface: Surface, level: float, rng: Rng) -> None:
    """A blow: a shallow pit, longer one way, with its metal pushed up around it."""
    radius = 0.8 + 1.1 * level
    x0, y0 = _free_point(surface, rng, radius)
    x, y = grid()
    turn, stretch = rng.uniform(0, pi), rng.uniform(1.0, 1.5)
    along = ((x - x0) * cos(turn) + (y - y0) * sin(turn)) / stretch
    across = (y - y0) * cos(turn) - (x - x0) * sin(turn)
    away = np.hypot(along, across) / radius * (1 + 0.05 * cloud(rng, 1.5))
    depth = 0.06 + 0.22 * level
    rim = 0.22 * depth * np.exp(-(((away - 1.05) / 0.2) ** 2))
    surface.height += (rim - depth * np.exp(-((away / 0.72) ** 4))).astype(np.float32)
    surface.roughen(ramp(away - 0.8, 0.2) * 0.7, 0.22)


def chipped_edge(surface: Surface, level: float, rng: Rng) -> None:
    """A piece broken out of the outer edge; the fracture is rough and bright."""
    angle = _edge_angle(rng)
    x, y = grid()
    out = x * cos(angle) + y * sin(angle) - EDGE
    side = y * cos(angle) - x * sin(angle)
    reach, width = 0.55 + 1.3 * level, 1.0 + 2.2 * level
    ragged = 0.14 * cloud(rng, 0.9) + 0.05 * cloud(rng, 0.3)
    lean = side / width * rng.uniform(-0.3, 0.3)
    front = reach * (1 - np.abs(side / width + lean) ** 2.2) + 0.35 * reach * ragged
    inside = front + out + side**2 / (2 * EDGE)
    floor = FLANGE - (0.35 + 2.2 * np.clip(inside, 0, None) + 0.25 * ragged)
    broken = (inside > 0) & (surface.height > 0)
    lowered = np.where(broken, np.minimum(surface.height, floor), surface.height)
    surface.height = lowered.astype(np.float32)
    surface.roughen(ramp(-inside, 0.1), 0.34)


def contamination(surface: Surface, level: float, rng: Rng) -> None:
    """Something left on the part: sealant, a fibre, a metal chip, oil; they take turns."""
    [_sealant, _fibre, _swarf, _oil][int(level * 7.99) % 4](surface, level, rng)


def _sealant(surface: Surface, level: float, rng: Rng) -> None:
    colour = [(0.35, 0.06, 0.04), (0.06, 0.14, 0.32), (0.55, 0.52, 0.44)][int(rng.integers(3))]
    away = _blob(surface, 0.6 + 1.0 * level, rng)
    _bead(surface, away, 0.5)
    surface.cover(ramp(away, 0.06), colour, 0.35)


def _oil(surface: Surface, level: float, rng: Rng) -> None:
    away = _blob(surface, 1.2 + 1.6 * level, rng)
    _bead(surface, away, 0.12)
    film = ramp(away, 0.25) * (0.45 + 0.3 * level)
    surface.cover(film, (0.055, 0.034, 0.012), 0.12)


def _fibre(surface: Surface, level: float, rng: Rng) -> None:
    start = _free_point(surface, rng, 0.5)
    path = _wander(start, rng.uniform(0, 2 * pi), 5 + 7 * level, 0.22, rng)
    thick = 0.07 + 0.05 * level
    away = _distance(path)
    over = ramp(away - thick)
    lifted = cv2.dilate(surface.height, np.ones((25, 25))) + thick
    surface.height = np.where(over > 0.5, lifted, surface.height).astype(np.float32)
    surface.cover(over, [(0.03, 0.05, 0.14), (0.5, 0.48, 0.44)][int(rng.integers(2))], 0.7)


def _swarf(surface: Surface, level: float, rng: Rng) -> None:
    """A curl of metal from the lathe: a thin ribbon standing on the face."""
    x0, y0 = _free_point(surface, rng, 0.8)
    size, turns = 0.7 + 0.6 * level, rng.uniform(0.9, 1.7)
    t = np.linspace(0, turns * 2 * pi, 160)
    drift, phase = rng.uniform(0.12, 0.26), rng.uniform(0, 2 * pi)
    path = np.stack([x0 + size * np.cos(t + phase) + drift * t, y0 + size * np.sin(t + phase)], 1)
    away, width = _distance(path), 0.13 + 0.08 * level
    over = ramp(away - width)
    wave = 0.25 * np.sqrt(np.clip(1 - (away / width) ** 2, 0, 1))
    top = surface.height + 0.25 + wave
    surface.height = np.where(over > 0.5, top, surface.height).astype(np.float32)
    surface.coat *= 1 - over
    surface.roughen(over, 0.12)
    surface.tint += over * (1.0 - surface.tint)


# ---- mismade: the part was machined or fitted wrongly


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
    "scratch": scratch,
    "dent": dent,
    "chipped_edge": chipped_edge,
    "contamination": contamination,
}
MISMADE: dict[str, Callable[[Cap, float, Rng], Cap]] = {
    "missing_hole": missing_hole,
    "faulty_o_ring": faulty_o_ring,
}
KINDS = (*DAMAGE, *MISMADE)

# ---- helpers


def _free_point(surface: Surface, rng: Rng, clearance: float) -> tuple[float, float]:
    """A point on the open metal face, that far from any edge."""
    flat = cv2.GaussianBlur(surface.height, (0, 0), 2)
    down, across = np.gradient(flat, CELL)
    open_face = (np.hypot(down, across) < 0.15) & (flat > FLANGE - 0.4) & (surface.coat < 0.05)
    size = 2 * int(clearance / CELL) + 3
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    rows, columns = np.nonzero(cv2.erode(open_face.astype(np.uint8), disc))
    pick = int(rng.integers(len(rows)))
    return float(columns[pick] * CELL - HALF), float(rows[pick] * CELL - HALF)


def _edge_angle(rng: Rng) -> float:
    """An angle on the outer edge away from the key slot at -90 degrees."""
    return float(rng.uniform(-pi / 2 + 0.3, 3 * pi / 2 - 0.3))


def _wander(start: tuple[float, float], heading: float, length: float, bend: float,
            rng: Rng) -> Points:  # fmt: skip
    """A hand-drawn line through `start`: points 0.1 mm apart, its direction drifting."""
    steps = int(length / 0.1)
    turn = heading + np.cumsum(rng.normal(0, bend, steps) * 0.6 + rng.normal(0, bend * 0.12))
    path = np.cumsum(0.1 * np.stack([np.cos(turn), np.sin(turn)], 1), 0)
    return np.asarray(path - path[steps // 2] + start)


def _distance(path: Points) -> Map:
    """Distance of every cell from a line through the points, in millimetres."""
    canvas = np.full((CELLS, CELLS), 255, np.uint8)
    pixels = np.rint((path + HALF) / CELL * 16).astype(np.int32)
    cv2.polylines(canvas, [pixels[:, None]], False, 0, 1, cv2.LINE_8, 4)
    return (cv2.distanceTransform(canvas, cv2.DIST_L2, 5) * CELL).astype(np.float32)


def _groove(surface: Surface, path: Points, width: float, depth: float) -> None:
    """Plough a groove along the path, only on the face where it began."""
    middle = path[len(path) // 2]
    column, row = np.rint((middle + HALF) / CELL).astype(int)
    face = ramp(np.abs(surface.height - surface.height[row, column]) - 0.3, 0.2)
    away = cv2.GaussianBlur(_distance(path), (0, 0), 0.7)
    cut = depth * np.exp(-((away / width) ** 2))
    burr = 0.35 * depth * np.exp(-(((away - 1.7 * width) / (0.6 * width)) ** 2))
    surface.height += (burr - cut) * face
    surface.roughen(np.exp(-((away / width) ** 2)) * face * 0.8, 0.24)


def _blob(surface: Surface, radius: float, rng: Rng) -> Map:
    """Distance outside (positive) or inside an irregular drop on the face."""
    x0, y0 = _free_point(surface, rng, 0.5 * radius)
    x, y = grid()
    turn, stretch = rng.uniform(0, pi), rng.uniform(1.0, 2.0)
    along = ((x - x0) * cos(turn) + (y - y0) * sin(turn)) / stretch
    across = (y - y0) * cos(turn) - (x - x0) * sin(turn)
    on_part = np.where(surface.height > 0, 0, 9)
    away = np.hypot(along, across) - radius * (1 + 0.16 * cloud(rng, 1.4)) + on_part
    return away.astype(np.float32)


def _bead(surface: Surface, away: Map, height: float) -> None:
    """Raise the face to a rounded bead where the drop lies."""
    inside = np.clip(-away, 0, None)
    surface.height += (height * (1 - np.exp(-inside * 2.2))).astype(np.float32)
