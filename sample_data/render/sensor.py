"""The camera's sensor: linear light in, the 8-bit colour frame that a driver delivers out.

Promises: lens fall-off, exposure, photon and read noise, the Bayer pattern and gamma, for the
whole frame alike. Never adds, moves or removes anything that the light did not show.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FULL_WELL = 9000.0  # electrons at white
READ_NOISE = 9.0  # electrons
EDGE = 4  # sensor pixels outside the frame, so that its border has neighbours too
BALANCE = (1.04, 1.0, 0.97)  # red, green, blue: a warm-white station light, nearly balanced


def expose(light: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One frame, height x width x BGR."""
    gain = float(rng.normal(1.0, 0.035))
    scene = np.clip(light * _fall_off(light.shape) * np.float32(BALANCE) * gain, 0, None)
    mosaic = _bayer(np.pad(scene, ((EDGE, EDGE), (EDGE, EDGE), (0, 0)), mode="reflect"))
    electrons = rng.poisson(mosaic * FULL_WELL) + rng.normal(0, READ_NOISE, mosaic.shape)
    raw = np.clip(electrons / FULL_WELL, 0, 1) * 65535
    colour = cv2.cvtColor(raw.astype(np.uint16), cv2.COLOR_BayerRGGB2BGR)[EDGE:-EDGE, EDGE:-EDGE]
    encoded = (colour.astype(np.float32) / 65535) ** (1 / 2.2)
    return np.rint(encoded * 255).astype(np.uint8)


def _fall_off(shape: tuple[int, ...]) -> NDArray[np.float32]:
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return (1 - 0.07 * (x**2 + y**2))[..., None].astype(np.float32)


def _bayer(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep of every pixel the one colour that its filter lets through (RGGB)."""
    mosaic = rgb[..., 1].copy()
    mosaic[0::2, 0::2] = rgb[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = rgb[1::2, 1::2, 2]
    return mosaic
