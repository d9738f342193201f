"""The pad print on a plate: an arrow, a type number and a colour dot, in three inks.

Promises: a print is a list of ink layers over the part's grid, each a weight and a colour; the
same print and generator give the same layers. Never touches a surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from surface import Colour, Map, cloud, grid

SCALE = 30  # stencil pixels per millimetre
SIZE = (18, 18)  # of the stencil, millimetres
CENTRE = (7.6, -1.2)  # of the stencil on the part
WHITE, YELLOW, RED = (0.78, 0.78, 0.75), (0.80, 0.47, 0.02), (0.55, 0.02, 0.02)
ARROW = ((-5.2, 6.2), (0.6, 6.2), (0.6, 7.5), (3.6, 5.2), (0.6, 2.9), (0.6, 4.2), (-5.2, 4.2))
TEXTS = ((0.6, 2.6), (-3.3, 1.7))  # top and height of the letters of the two lines, millimetres
DOT = (5.3, -4.6, 1.1)


@dataclass(frozen=True)
class Print:
    """One print, as the pad left it."""

    shift: tuple[float, float] = (0.0, 0.0)  # millimetres
    turn: float = 0.0  # degrees
    ink: float = 0.93  # cover of full ink
    lines: tuple[str, str] = ("VP-44", "16 BAR")
    arrow: Literal["right", "left", "none"] = "right"
    arrow_ink: Colour = YELLOW
    smear: float = 0.0  # millimetres that the pad slid while it printed
    bald: float = 0.0  # share of the print that took no ink
    present: bool = True


def layers(made: Print, rng: np.random.Generator) -> list[tuple[Map, Colour]]:
    """Weight and colour of every ink, in the order in which they are printed."""
    grain, gaps = cloud(rng, 0.25), cloud(rng, 5.0)  # drawn whatever is printed
    inks: list[tuple[np.ndarray, Colour]] = [
        (_arrow(made), made.arrow_ink), (_texts(made), WHITE), (_dot(), RED)
    ]  # fmt: skip
    took = np.clip(made.ink + 0.03 * grain, 0, 1) * (made.present)
    if made.bald > 0:
        took = took * np.clip((gaps - np.quantile(gaps, made.bald)) * 4 + 0.5, 0, 1)
    return [(_placed(_smeared(ink, made), made) * took, colour) for ink, colour in inks]


def _blank() -> np.ndarray:
    return np.zeros((SIZE[1] * SCALE, SIZE[0] * SCALE), np.uint8)


def _pixel(x: float, y: float) -> tuple[int, int]:
    return round((SIZE[0] / 2 + x) * SCALE), round((SIZE[1] / 2 - y) * SCALE)


def _arrow(made: Print) -> np.ndarray:
    canvas, side = _blank(), -1 if made.arrow == "left" else 1
    if made.arrow != "none":
        middle = -0.8
        points = [_pixel(middle + side * (x - middle), y) for x, y in ARROW]
        cv2.fillPoly(canvas, [np.array(points, np.int32)], 255, cv2.LINE_AA)
    return canvas


def _texts(made: Print) -> np.ndarray:
    canvas = _blank()
    for text, (top, height) in zip(made.lines, TEXTS, strict=True):
        size, thick = height * SCALE / 21, round(height * SCALE * 0.16)
        at = _pixel(-5.2, top - height)
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, 255, thick, cv2.LINE_AA)
    return canvas


def _dot() -> np.ndarray:
    canvas = _blank()
    cv2.circle(canvas, _pixel(*DOT[:2]), round(DOT[2] * SCALE), 255, -1, cv2.LINE_AA)
    return canvas


def _smeared(ink: np.ndarray, made: Print) -> np.ndarray:
    """Drag the wet ink to the right, thinner the further it went."""
    if made.smear <= 0:
        return ink
    steps = round(made.smear * SCALE)
    drag = [np.roll(ink, step, 1) * (0.75 - 0.5 * step / steps) for step in range(0, steps, 3)]
    return np.maximum(ink * 0.9, np.max(drag, axis=0)).astype(np.uint8)


def _placed(ink: np.ndarray, made: Print) -> Map:
    """The stencil's ink on the part's grid, moved and turned as the pad was."""
    x, y = grid()
    turn = np.radians(made.turn)
    across, up = x - CENTRE[0] - made.shift[0], y - CENTRE[1] - made.shift[1]
    column = (SIZE[0] / 2 + across * np.cos(turn) + up * np.sin(turn)) * SCALE
    row = (SIZE[1] / 2 - up * np.cos(turn) + across * np.sin(turn)) * SCALE
    soft = cv2.GaussianBlur(ink, (0, 0), 2).astype(np.float32) / 255
    return cv2.remap(soft, column.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR)
