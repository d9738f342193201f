"""The surface of a part, as maps over one square grid seen from above.

Promises: every map has the same shape, lengths are millimetres, and two surfaces made from the
same inputs are equal cell for cell. Never renders, never touches a file, and draws no random
number that its caller did not seed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
Colour = tuple[float, float, float]  # linear red, green and blue, 0 to 1

CELLS = 820
HALF = 26.0
CELL = 2 * HALF / (CELLS - 1)
FACE = 4.6  # what lies higher is the open face of a part, where damage falls on it


@dataclass
class Surface:
    """What the light meets: form, the metal's finish, and whatever coats the metal."""

    height: Map  # above the fixture mat
    slope: Map  # slope (x, y) of the tool marks, too fine for the grid's height
    rough_along: Map  # roughness around the centre, as a lathe leaves it
    rough_across: Map  # roughness away from the centre
    tint: Map  # reflectance (RGB) of the metal or its dye, relative to clean aluminium
    coat: Map  # 0 bare metal, 1 fully covered (rubber, laser mark, dirt)
    coat_rgb: Map  # colour of the cover
    coat_rough: Map  # roughness of the cover

    def copy(self) -> Surface:
        return Surface(**{f.name: getattr(self, f.name).copy() for f in fields(self)})

    def cover(self, weight: Map, rgb: Colour, rough: float) -> None:
        """Lay a cover of one colour over what is there, as strongly as `weight` says."""
        share = weight / np.maximum(weight + self.coat * (1 - weight), 1e-6)
        colour = np.asarray(rgb, np.float32)
        self.coat_rgb += share[..., None] * (colour - self.coat_rgb)
        self.coat_rough += share * (rough - self.coat_rough)
        self.coat = weight + self.coat * (1 - weight)

    def roughen(self, weight: Map, rough: float) -> None:
        """Replace the turned finish by an undirected one where `weight` is 1."""
        self.rough_along += weight * (rough - self.rough_along)
        self.rough_across += weight * (rough - self.rough_across)
        self.slope *= (1 - weight)[..., None]

    def dye(self, weight: Map, rgb: Colour) -> None:
        """Give the metal another reflectance where `weight` is 1."""
        self.tint += weight[..., None] * (np.asarray(rgb, np.float32) - self.tint)

    def cut(self, distance: Map, floor: float, chamfer: float) -> None:
        """Remove metal where the distance is negative, and break the edge around it."""
        inside = ramp(distance, 1.5 * CELL)
        broken = self.height - np.clip(chamfer - distance, 0, chamfer)
        lowered = np.where(distance < chamfer, broken, self.height)
        self.height = (1 - inside) * lowered + inside * np.minimum(lowered, floor)


def grid() -> tuple[Map, Map]:
    """x to the right and y up, one value per cell."""
    axis = np.linspace(-HALF, HALF, CELLS, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def polar(centre: tuple[float, float] = (0.0, 0.0)) -> tuple[Map, Map]:
    """Radius and angle (radians, -pi to pi) of every cell about that centre."""
    x, y = (axis - at for axis, at in zip(grid(), centre, strict=True))
    return np.hypot(x, y), np.arctan2(y, x)


def outward(centre: tuple[float, float] = (0.0, 0.0)) -> Map:
    """The unit vector (x, y) of every cell away from that centre."""
    x, y = (axis - at for axis, at in zip(grid(), centre, strict=True))
    return np.stack([x, y], -1) / np.maximum(np.hypot(x, y), CELL)[..., None]


def ramp(distance: Map, soft: float = CELL) -> Map:
    """1 where the distance is negative, 0 outside, with an edge `soft` wide."""
    return np.clip(0.5 - distance / soft, 0, 1).astype(np.float32)


def cloud(rng: np.random.Generator, size: float) -> Map:
    """Smooth noise with unit deviation; `size` is the width of its patches."""
    step = max(1, int(size / CELL / 3))
    cells = CELLS // step + 8
    white = rng.standard_normal((cells, cells)).astype(np.float32)
    soft = cv2.GaussianBlur(white, (0, 0), max(size / CELL / step / 2, 0.5))
    soft = cv2.resize(soft[4:-4, 4:-4], (CELLS, CELLS), interpolation=cv2.INTER_CUBIC)
    return (soft / soft.std()).astype(np.float32)


def rings(rng: np.random.Generator, width: float, arc: float,
          centre: tuple[float, float] = (0.0, 0.0)) -> Map:  # fmt: skip
    """Noise drawn out along circles: `width` millimetres across, `arc` radians along."""
    turn, out = 360, 1024
    white = rng.standard_normal((turn, out)).astype(np.float32)
    across = max(width / (HALF * 1.5 / out), 0.4)
    soft = cv2.GaussianBlur(np.tile(white, (3, 1)), (0, 0), across, None, arc / 6.283 * turn)
    soft = soft[turn : 2 * turn] / soft.std()
    radius, angle = polar(centre)
    col = radius / (HALF * 1.5) * out
    row = np.mod(angle / 6.2831853, 1).astype(np.float32) * turn
    return cv2.remap(soft, col, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
