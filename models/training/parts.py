"""Procedural parts on a ground: silhouettes with relief, holes, print, shading and a shadow.

Promises: the generator that is passed in names the image; `image(i)` is always the same image i.
Never reads a file.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .textures import Image, Rng, texture


def _polygon(rng: Rng, centre: NDArray[np.float64], radius: float) -> NDArray[np.int32]:
    corners = int(rng.integers(3, 9))
    if rng.random() < 0.5:
        angle, reach = np.sort(rng.uniform(0, 2 * np.pi, corners)), rng.uniform(0.7, 1.1, corners)
    else:
        angle = np.arange(corners) * 2 * np.pi / corners + rng.uniform(0, 6)
        reach = np.full(corners, rng.uniform(0.7, 1.1))
    offset = radius * reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.asarray(centre + offset, np.int32)


def _blob(rng: Rng, centre: NDArray[np.float64], radius: float) -> NDArray[np.int32]:
    turn = np.linspace(0, 2 * np.pi, 200)
    lobes = [rng.normal() * 0.12 / j * np.cos(j * turn + rng.uniform(0, 6)) for j in range(1, 7)]
    reach = radius * (1 + np.sum(lobes, 0))
    return np.asarray(centre + reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1), np.int32)


def silhouette(rng: Rng, size: int) -> Image:
    """Coverage mask in [0,1] of one part: disc, polygon, bar or blob, half of them with holes."""
    mask = np.zeros((size, size), np.float32)
    centre, radius = rng.uniform(0.4, 0.6, 2) * size, rng.uniform(0.18, 0.42) * size
    x, y, kind = int(centre[0]), int(centre[1]), int(rng.integers(0, 4))
    if kind == 0:
        cv2.circle(mask, (x, y), int(radius), 1, -1, cv2.LINE_AA)
    elif kind == 1:
        cv2.fillPoly(mask, [_polygon(rng, centre, radius)], 1, cv2.LINE_AA)
    elif kind == 2:
        sides = (float(radius * 2), float(radius * rng.uniform(0.2, 1.6)))
        box = cv2.boxPoints(((float(x), float(y)), sides, float(rng.uniform(0, 180))))
        cv2.fillPoly(mask, [box.astype(np.int32)], 1, cv2.LINE_AA)
    else:
        cv2.fillPoly(mask, [_blob(rng, centre, radius)], 1, cv2.LINE_AA)
    if rng.random() < 0.5:
        for _ in range(rng.integers(1, 7)):
            hole = (centre + rng.uniform(-0.7, 0.7, 2) * radius).astype(int)
            inner = max(2, int(rng.uniform(0.04, 0.3) * radius))
            cv2.circle(mask, (int(hole[0]), int(hole[1])), inner, 0, -1, cv2.LINE_AA)
    return mask


def shade(height: NDArray[np.floating], rng: Rng) -> NDArray[np.floating]:
    """Light a height map from one side: diffuse (Lambert) plus a specular lobe."""
    gy, gx = np.gradient(height)
    light = rng.normal(size=2)
    light /= np.linalg.norm(light) + 1e-6
    up = rng.uniform(0.4, 1.5)
    diffuse = (gx * light[0] + gy * light[1] + up) / np.sqrt(gx**2 + gy**2 + 1)
    glint = np.clip(diffuse / np.sqrt(1 + up * up), 0, 1) ** rng.uniform(4, 40)
    return np.asarray(np.clip(diffuse, 0, None) + rng.uniform(0, 1.2) * glint)


def _print(rng: Rng, size: int) -> Image:
    """Random characters, as on stamped or printed parts. [0,1]."""
    ink = np.zeros((size, size), np.uint8)
    for _ in range(rng.integers(1, 4)):
        text = "".join(chr(rng.integers(48, 91)) for _ in range(rng.integers(1, 6)))
        corner = (int(rng.uniform(0.1, 0.6) * size), int(rng.uniform(0.3, 0.8) * size))
        font, scale = int(rng.integers(0, 4)), float(rng.uniform(0.4, 1.5))
        cv2.putText(ink, text, corner, font, scale, 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    return cv2.GaussianBlur(ink.astype(np.float32) / 255, (0, 0), 0.8)


def _relief(rng: Rng, mask: Image) -> NDArray[np.floating]:
    """Height map of the part: bevelled edge, rings, a little roughness, raised or sunk print."""
    size = mask.shape[0]
    inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    height = np.minimum(inside, rng.uniform(3, 40)) * rng.uniform(0.1, 1)
    if rng.random() < 0.5:
        height = height + np.sin(inside * 2 * np.pi / rng.uniform(4, 20)) * rng.uniform(0.2, 2)
    rough = cv2.GaussianBlur(texture(rng, size).astype(np.float32), (0, 0), rng.uniform(0.5, 3))
    height = height + rough * rng.uniform(0, 0.05)
    if rng.random() < 0.4:
        height = height + _print(rng, size) * float(height.max()) * rng.uniform(-1, 1)
    return np.asarray(height)


def part(rng: Rng, size: int = 224) -> NDArray[np.uint8]:
    """One lit part with its shadow on a plain or textured ground. uint8 [size,size]."""
    ground = texture(rng, size).astype(np.float32)
    if rng.random() < 0.6:
        ground = rng.uniform(0, 255) + (ground - ground.mean()) * rng.uniform(0, 0.3)
    mask = silhouette(rng, size)
    body = shade(_relief(rng, mask), rng)
    covered = body[mask > 0.5]
    body = (body - covered.mean()) / (covered.std() + 1e-6)
    body = body * rng.uniform(8, 45) + rng.uniform(40, 215)
    if rng.random() < 0.5:
        body = body + (texture(rng, size).astype(np.float32) - 128) * rng.uniform(0.05, 0.5)
    offset = (int(rng.integers(-8, 9)), int(rng.integers(-8, 9)))
    shadow = cv2.GaussianBlur(np.roll(mask, offset, (0, 1)), (0, 0), rng.uniform(1, 6))
    scene = ground * (1 - shadow * rng.uniform(0, 0.5)) * (1 - mask) + body * mask
    return np.clip(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.3, 1)), 0, 255).astype(np.uint8)


def is_texture(index: int) -> bool:
    """Two of five generated images are pure texture, the others are parts."""
    return index % 5 >= 3


def image(index: int) -> NDArray[np.uint8]:
    """Generated image number `index`. uint8 [224,224]."""
    rng = np.random.default_rng(100_000 + index)
    return texture(rng) if is_texture(index) else part(rng)
