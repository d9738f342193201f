"""What a product is to the renderer: how it is drawn, built, held, and what can be wrong with it.

Promises: a defective part is told from the same part without the defect cell by cell, on form,
finish and cover alone. Never renders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
from shapes import Rng
from station import Pieces, Setup
from surface import Map, Surface

Part = TypeVar("Part")
Damage = Callable[[Surface, float, Rng], None]


@dataclass(frozen=True)
class Product(Generic[Part]):
    """One product; `level` runs from 0 (subtle) to 1 (clear) everywhere."""

    draw: Callable[[Rng], Part]  # a good part
    build: Callable[[Part], Surface]
    setup: Callable[[Rng], Setup]
    around: Callable[[Setup], Pieces]
    damage: dict[str, Damage]  # done to a finished part
    mismade: dict[str, Callable[[Part, float, Rng], Part]]  # made, fitted or printed wrongly
    good: int  # good parts in the set
    samples: int  # light paths per pixel
    quality: int  # of the JPEG

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*self.damage, *self.mismade)

    def defective(self, part: Part, kind: str, level: float,
                  rng: Rng) -> tuple[Surface, Surface, Map]:  # fmt: skip
        """The part as it should be, the same part with the defect, and the cells that differ."""
        clean = self.build(part)
        if kind in self.mismade:
            broken = self.build(self.mismade[kind](part, level, rng))
        else:
            broken = clean.copy()
            self.damage[kind](broken, level, rng)
        return clean, broken, changed(clean, broken, 0.06 if kind in self.mismade else 0.02)


def changed(clean: Surface, broken: Surface, step: float) -> Map:
    """1 in every cell whose form (by `step`), finish or cover differs enough to be seen."""
    before, after = (s.coat_rgb * s.coat[..., None] for s in (clean, broken))
    differs = (
        (np.abs(clean.height - broken.height) > step)
        | (np.abs(clean.rough_along - broken.rough_along) > 0.06)
        | (np.abs(clean.tint - broken.tint).max(-1) > 0.06)
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
