"""Places, lines and drops on the face of a part: what damage is made of.

Promises: lengths are millimetres on the part's own grid; the same generator gives the same
shape. Never renders, never touches a picture.
"""

from __future__ import annotations

from math import cos, pi, sin

import cv2
import numpy as np
from surface import CELL, CELLS, FACE, HALF, Map, Surface, cloud, grid, ramp

Rng = np.random.Generator
Points = np.ndarray


def free_point(surface: Surface, rng: Rng, clearance: float) -> tuple[float, float]:
    """A point on the open metal face, that far from any edge."""
    flat = cv2.GaussianBlur(surface.height, (0, 0), 2)
    down, across = np.gradient(flat, CELL)
    open_face = (np.hypot(down, across) < 0.15) & (flat > FACE) & (surface.coat < 0.05)
    size = 2 * int(clearance / CELL) + 3
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    rows, columns = np.nonzero(cv2.erode(open_face.astype(np.uint8), disc))
    pick = int(rng.integers(len(rows)))
    return float(columns[pick] * CELL - HALF), float(rows[pick] * CELL - HALF)


def wander(start: tuple[float, float], heading: float, length: float, bend: float,
            rng: Rng) -> Points:  # fmt: skip
    """A hand-drawn line through `start`: points 0.1 mm apart, its direction drifting."""
    steps = int(length / 0.1)
    turn = heading + np.cumsum(rng.normal(0, bend, steps) * 0.6 + rng.normal(0, bend * 0.12))
    path = np.cumsum(0.1 * np.stack([np.cos(turn), np.sin(turn)], 1), 0)
    return np.asarray(path - path[steps // 2] + start)


def distance(path: Points) -> Map:
    """Distance of every cell from a line through the points, in millimetres."""
    canvas = np.full((CELLS, CELLS), 255, np.uint8)
    pixels = np.rint((path + HALF) / CELL * 16).astype(np.int32)
    cv2.polylines(canvas, [pixels[:, None]], False, 0, 1, cv2.LINE_8, 4)
    return (cv2.distanceTransform(canvas, cv2.DIST_L2, 5) * CELL).astype(np.float32)


def groove(surface: Surface, path: Points, width: float, depth: float) -> None:
    """Plough a groove along the path, only on the face where it began."""
    middle = path[len(path) // 2]
    column, row = np.rint((middle + HALF) / CELL).astype(int)
    face = ramp(np.abs(surface.height - surface.height[row, column]) - 0.3, 0.2)
    away = cv2.GaussianBlur(distance(path), (0, 0), 0.7)
    cut = depth * np.exp(-((away / width) ** 2))
    burr = 0.35 * depth * np.exp(-(((away - 1.7 * width) / (0.6 * width)) ** 2))
    surface.height += (burr - cut) * face
    surface.roughen(np.exp(-((away / width) ** 2)) * face * 0.8, 0.24)


def blob(surface: Surface, radius: float, rng: Rng) -> Map:
    """Distance outside (positive) or inside an irregular drop on the face."""
    x0, y0 = free_point(surface, rng, 0.5 * radius)
    x, y = grid()
    turn, stretch = rng.uniform(0, pi), rng.uniform(1.0, 2.0)
    along = ((x - x0) * cos(turn) + (y - y0) * sin(turn)) / stretch
    across = (y - y0) * cos(turn) - (x - x0) * sin(turn)
    on_part = np.where(surface.height > 0, 0, 9)
    away = np.hypot(along, across) - radius * (1 + 0.16 * cloud(rng, 1.4)) + on_part
    return away.astype(np.float32)


def bead(surface: Surface, away: Map, height: float) -> None:
    """Raise the face to a rounded bead where the drop lies."""
    inside = np.clip(-away, 0, None)
    surface.height += (height * (1 - np.exp(-inside * 2.2))).astype(np.float32)
