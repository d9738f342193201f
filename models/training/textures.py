"""Procedural coloured textures: the raw material of the training images.

Promises: every image is made from the dice that are passed in, so numbers name an image; two pieces
made from the same plan are two pieces of the same material.
Never reads a file: no photograph, and so nobody's licence, enters the trained weights.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]  # [S,S] or [S,S,3] (BGR)
Rng = np.random.Generator


class Dice(NamedTuple):
    """Two generators: `plan` rolls what all pieces of a material share, `piece` what they do not.

    No roll of `piece` may decide how often `plan` is rolled.
    """

    plan: Rng
    piece: Rng


def standardise(field: NDArray[Any]) -> Image:
    """Shift and scale to mean 0 and standard deviation 1."""
    return np.asarray((field - field.mean()) / (field.std() + 1e-6), np.float32)


def log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def fractal(dice: Dice, size: int, exponent: float | None = None) -> Image:
    """Gaussian noise with a power-law spectrum, often stretched, sometimes band-limited."""
    rng = dice.plan
    beta = rng.uniform(0.6, 3.2) if exponent is None else exponent
    angle = rng.uniform(0, np.pi)
    stretch = np.exp(rng.uniform(0, 1.5)) if rng.random() < 0.5 else 1.0
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    along = fx * np.cos(angle) + fy * np.sin(angle)
    across = -fx * np.sin(angle) + fy * np.cos(angle)
    radius = np.sqrt((along * stretch) ** 2 + (across / stretch) ** 2)
    radius[0, 0] = 1
    amplitude = radius ** (-beta / 2)
    if rng.random() < 0.4:
        centre, width = log_uniform(rng, 0.02, 0.4), rng.uniform(0.1, 0.6)
        amplitude = amplitude * np.exp(-((np.log(radius / centre)) ** 2) / (2 * width**2))
    amplitude[0, 0] = 0
    phase = np.exp(2j * np.pi * dice.piece.random(radius.shape))
    return standardise(np.fft.irfft2(amplitude * phase, (size, size)))


def gratings(dice: Dice, size: int) -> Image:
    """One to three waves with wobbling phase: brushed metal, weave, dot grids."""
    rng = dice.plan
    yy, xx = np.mgrid[:size, :size].astype(np.float32)
    total = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(1, 4)):
        angle, period = rng.uniform(0, np.pi), log_uniform(rng, 4, 60)
        wobble = rng.uniform(0, 0.75) * fractal(dice, size, 3)
        ramp = (xx * np.cos(angle) + yy * np.sin(angle)) * 2 * np.pi / period
        wave = np.sin(ramp + dice.piece.uniform(0, 6.28) + wobble)
        total += np.sign(wave) if rng.random() < 0.5 else wave
    return standardise(total)


def lattice(dice: Dice, size: int) -> Image:
    """Equal marks in rows: perforations, printed dots, pins, knurls; their size may drift."""
    rng = dice.plan
    pitch, angle = log_uniform(rng, 5, 40), rng.uniform(0, np.pi)
    squash, power = rng.uniform(0.5, 1), rng.uniform(0.5, 3)
    level, drift = rng.uniform(-0.7, 0.9), rng.uniform(0, 0.6) * (rng.random() < 0.4)
    stagger = np.pi * (rng.random() < 0.4)
    yy, xx = np.mgrid[:size, :size].astype(np.float32)
    u = (xx * np.cos(angle) + yy * np.sin(angle)) * 2 * np.pi / pitch
    v = (yy * np.cos(angle) - xx * np.sin(angle)) * 2 * np.pi / pitch * squash
    u, v = u + dice.piece.uniform(0, 6.28), v + dice.piece.uniform(0, 6.28)
    row = np.floor(v / (2 * np.pi)) % 2
    marks = np.cos(u + stagger * row) + np.cos(v)
    soft = (marks / 2 - level * 0.5 - drift * (xx / size - 0.5)) * (2 + power * 6)
    return standardise(np.tanh(soft))


def _draw(dice: Dice, canvas: Image, kind: int, biggest: float) -> None:
    rng, size = dice.piece, canvas.shape[0]
    x, y = int(rng.integers(0, size)), int(rng.integers(0, size))
    value, radius = float(rng.uniform(0, 255)), max(2, int(rng.uniform(0.2, 1) * biggest))
    thickness = -1 if rng.random() < 0.6 else int(rng.integers(1, 4))
    if kind == 0:
        cv2.circle(canvas, (x, y), radius, value, thickness, cv2.LINE_AA)
    elif kind == 1:
        height = max(2.0, radius * rng.uniform(0.2, 2))
        angle = float(rng.uniform(0, 180)) if rng.random() < 0.5 else 0.0
        box = cv2.boxPoints(((x, y), (radius * 2.0, height), angle)).astype(np.int32)
        if thickness < 0:
            cv2.fillPoly(canvas, [box], value, cv2.LINE_AA)
        else:
            cv2.polylines(canvas, [box], True, value, thickness, cv2.LINE_AA)
    else:
        end = (int(x + rng.normal() * radius * 2), int(y + rng.normal() * radius * 2))
        cv2.line(canvas, (x, y), end, value, int(rng.integers(1, 6)), cv2.LINE_AA)


def shapes(dice: Dice, size: int) -> Image:
    """A few to many discs, boxes or lines on a flat ground."""
    rng = dice.plan
    canvas = np.full((size, size), rng.uniform(0, 255), np.float32)
    biggest, kind = rng.uniform(0.04, 0.4) * size, int(rng.integers(0, 4))
    count = int(log_uniform(rng, 4, 150))
    if count < 40:  # so few must lie alike: elsewhere, each would be new, and so a defect
        dice = Dice(rng, rng)
    for _ in range(count):
        _draw(dice, canvas, kind if kind < 3 else int(dice.piece.integers(0, 3)), biggest)
    return standardise(canvas)


def voronoi(dice: Dice, size: int) -> Image:
    """Cells around random points: grains and tiles (flat) or foam (distance)."""
    count, flat = int(log_uniform(dice.plan, 10, 400)), dice.plan.random() < 0.5
    seeds = np.full((size, size), 255, np.uint8)
    points = dice.piece.integers(0, size, (count, 2))
    seeds[points[:, 1], points[:, 0]] = 0
    distance, labels = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    if flat:
        return standardise(dice.piece.normal(size=labels.max() + 1)[labels])
    return standardise(distance)


FAMILIES = (fractal, gratings, shapes, voronoi, lattice)


def field(dice: Dice, size: int) -> Image:
    """A random mixture of the families: mean 0, standard deviation 1. [S,S]."""
    rng = dice.plan
    mixed = rng.uniform(0, 0.3) * fractal(dice, size, rng.uniform(0, 2))
    for index in rng.permutation(len(FAMILIES))[: rng.integers(1, 4)]:
        mixed = mixed + rng.uniform(0.2, 1) * FAMILIES[index](dice, size)
    if rng.random() < 0.4:
        mixed = np.asarray(cv2.GaussianBlur(mixed, (0, 0), rng.uniform(0.5, 2)), np.float32)
    if rng.random() < 0.3:
        mixed = np.tanh(mixed * rng.uniform(0.5, 4))
    return standardise(mixed)


def colour(rng: Rng) -> Image:
    """A colour, seldom a vivid one: float32 [3] (BGR) 0..255."""
    saturation = rng.uniform(0, 0.9) ** 2.2
    hsv = np.array([[[rng.uniform(0, 360), saturation, rng.uniform(0.15, 0.95)]]], np.float32)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0] * 255, np.float32)


def tint(rng: Rng) -> Image:
    """How one field moves the three channels: mostly together, rarely apart. [3], mean square 1."""
    chroma = rng.normal(size=3) * (rng.uniform(0, 0.35) if rng.random() < 0.8 else 1.0)
    direction = np.ones(3) * (1 if rng.random() < 0.5 else -1) + chroma
    return np.asarray(direction / np.sqrt((direction**2).mean() + 1e-6), np.float32)


def texture(dice: Dice, size: int) -> Image:
    """A coloured material. float32 [S,S,3] 0..255."""
    rng = dice.plan
    first = field(dice, size)
    if rng.random() < 0.25:  # between two colours, as marble, wood or print
        share = 0.5 + 0.5 * np.tanh(first * log_uniform(rng, 0.25, 4))
        low, high = colour(rng), colour(rng)
        image = low + (high - low) * share[..., None]
    else:
        image = colour(rng) * 0.7 + 38 + first[..., None] * tint(rng) * rng.uniform(8, 50)
    if rng.random() < 0.4:
        image = image + field(dice, size)[..., None] * tint(rng) * rng.uniform(4, 25)
    return np.asarray(np.clip(image, 0, 255), np.float32)
