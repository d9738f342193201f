"""Procedural grey textures: the raw material of the training images.

Promises: every image is made from the generator that is passed in, so a seed names an image.
Never reads a file: no photograph, and so nobody's licence, enters the trained weights.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Rng = np.random.Generator


def standardise(field: NDArray[np.floating]) -> Image:
    """Shift and scale to mean 0 and standard deviation 1."""
    return np.asarray((field - field.mean()) / (field.std() + 1e-6), np.float32)


def fractal(rng: Rng, size: int, exponent: float | None = None) -> Image:
    """Gaussian noise with a power-law spectrum, often stretched, sometimes band-limited."""
    beta = rng.uniform(0.6, 3.2) if exponent is None else exponent
    freq = np.fft.fftfreq(size)
    angle = rng.uniform(0, np.pi)
    stretch = np.exp(rng.uniform(0, 1.5)) if rng.random() < 0.5 else 1.0
    along = freq[None] * np.cos(angle) + freq[:, None] * np.sin(angle)
    across = -freq[None] * np.sin(angle) + freq[:, None] * np.cos(angle)
    radius = np.sqrt((along * stretch) ** 2 + (across / stretch) ** 2)
    radius[0, 0] = 1
    amplitude = radius ** (-beta / 2)
    if rng.random() < 0.4:
        centre = np.exp(rng.uniform(np.log(0.02), np.log(0.4)))
        width = rng.uniform(0.1, 0.6)
        amplitude = amplitude * np.exp(-((np.log(radius / centre)) ** 2) / (2 * width**2))
    amplitude[0, 0] = 0
    phase = np.exp(2j * np.pi * rng.random((size, size)))
    return standardise(np.fft.ifft2(amplitude * phase).real)


def gratings(rng: Rng, size: int) -> Image:
    """One to three waves with wobbling phase: brushed metal, weave, dot grids."""
    yy, xx = np.mgrid[:size, :size].astype(np.float32)
    total = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(1, 4)):
        angle = rng.uniform(0, np.pi)
        period = np.exp(rng.uniform(np.log(4), np.log(60)))
        wobble = rng.uniform(0, 0.75) * fractal(rng, size, 3)
        ramp = (xx * np.cos(angle) + yy * np.sin(angle)) * 2 * np.pi / period
        wave = np.sin(ramp + rng.uniform(0, 6.28) + wobble)
        total += np.sign(wave) if rng.random() < 0.5 else wave
    return total


def _draw(rng: Rng, canvas: Image, kind: int, biggest: float) -> None:
    size = canvas.shape[0]
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


def shapes(rng: Rng, size: int) -> Image:
    """A few to many discs, boxes or lines on a flat ground."""
    canvas = np.full((size, size), rng.uniform(0, 255), np.float32)
    biggest, kind = rng.uniform(0.04, 0.4) * size, int(rng.integers(0, 4))
    for _ in range(int(np.exp(rng.uniform(np.log(4), np.log(150))))):
        _draw(rng, canvas, kind if kind < 3 else int(rng.integers(0, 3)), biggest)
    return standardise(canvas)


def voronoi(rng: Rng, size: int) -> Image:
    """Cells around random points: grains and tiles (flat) or foam (distance)."""
    count = int(np.exp(rng.uniform(np.log(10), np.log(400))))
    seeds = np.full((size, size), 255, np.uint8)
    points = rng.integers(0, size, (count, 2))
    seeds[points[:, 1], points[:, 0]] = 0
    distance, labels = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    if rng.random() < 0.5:
        return standardise(rng.normal(size=labels.max() + 1)[labels])
    return standardise(distance)


def texture(rng: Rng, size: int = 224) -> NDArray[np.uint8]:
    """A random mixture of the families above. uint8 [size,size]."""
    families = [fractal, gratings, shapes, voronoi]
    mixed = rng.uniform(0, 0.3) * fractal(rng, size, rng.uniform(0, 2))
    for index in rng.permutation(4)[: rng.integers(1, 4)]:
        mixed = mixed + rng.uniform(0.2, 1) * families[index](rng, size)
    if rng.random() < 0.4:
        mixed = cv2.GaussianBlur(mixed, (0, 0), rng.uniform(0.5, 2))
    if rng.random() < 0.3:
        mixed = np.tanh(mixed * rng.uniform(0.5, 4))
    grey = standardise(mixed) * rng.uniform(12, 60) + rng.uniform(60, 190)
    return np.clip(grey, 0, 255).astype(np.uint8)
