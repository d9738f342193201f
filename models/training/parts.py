"""Procedural products: parts with relief, holes, print, inclusions and shadows, or pure textures.

Promises: `piece(i, k)` is always the same: piece number k of product number i. The pieces of a
product share what its drawing fixes and differ in what a real one leaves open: grain, where the
inclusions lie, from where the light falls, and a little in shape.
Never reads a file.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .textures import Dice, Image, Rng, colour, field, fractal, log_uniform, texture

SIDE = 256  # of an image, pixels
Points = NDArray[np.float64]  # [n,2], x and y in part radii


class Layers:
    """Hands out the dice of one piece, layer by layer."""

    def __init__(self, product: int, piece: int) -> None:
        self.plan, self.number = np.random.default_rng([7, product]), piece
        self.freedom = self.plan.random()  # 0: all pieces alike, 1: alike only in kind

    def dice(self, share: float) -> Dice:
        """Dice for the next layer, which differs between pieces with chance `share` or less."""
        loose = self.plan.random() < share * min(1.0, self.freedom * 1.6)
        seed = int(self.plan.integers(2**31))
        name = [seed, 1 + self.number if loose else 0]
        return Dice(np.random.default_rng(seed), np.random.default_rng(name))


def _outline(dice: Dice) -> Points:
    """The contour of a part: disc, polygon, bar, blob, gear or screw, radius about 1."""
    rng, kind = dice.plan, int(dice.plan.integers(0, 7))
    turn = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    if kind == 0:
        return np.stack([np.cos(turn), np.sin(turn)], 1)
    if kind == 1:
        corners = int(rng.integers(3, 9))
        angle, reach = np.arange(corners) * 2 * np.pi / corners, rng.uniform(0.7, 1.1, corners)
        reach = reach if rng.random() < 0.5 else np.ones(corners)
        return np.stack([np.cos(angle) * reach, np.sin(angle) * reach], 1)
    if kind == 2:
        width, height = 1.0, rng.uniform(0.15, 1)
        return np.array([[-width, -height], [width, -height], [width, height], [-width, height]])
    if kind <= 4:  # a blob, each piece a little different
        rough = rng.uniform(0, 0.05)
        lobes = [
            (rng.normal() * 0.12 / j + dice.piece.normal() * rough / j)
            * np.cos(j * turn + rng.uniform(0, 6))
            for j in range(1, 7)
        ]
        reach = 1 + np.sum(lobes, 0)
        return np.asarray(reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1))
    if kind == 5:
        teeth, depth = int(rng.integers(3, 24)), rng.uniform(0.03, 0.2)
        reach = 1 - depth * (1 + np.tanh(3 * np.sin(teeth * turn))) / 2
        return np.asarray(reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1))
    return _screw(rng)


def _screw(rng: Rng) -> Points:
    """A head, a shaft and a thread, seen from the side."""
    x = np.linspace(-1, 1, 90)
    head, shaft = rng.uniform(-0.8, -0.4), rng.uniform(0.08, 0.2)
    depth, waves, start = rng.uniform(0.02, 0.06), rng.uniform(8, 22), rng.uniform(-0.4, 0.3)
    half = np.where(x < head, shaft * rng.uniform(1.5, 2.5), shaft)
    half = half - (x > start) * depth * (1 + np.sin(x * np.pi * waves)) / 2
    return np.concatenate([np.stack([x, -half], 1), np.stack([x, half], 1)[::-1]])


def _fill(mask: Image, points: Points, centre: Points, radius: float, angle: float) -> None:
    cos, sin = np.cos(angle) * radius, np.sin(angle) * radius
    placed = points @ np.array([[cos, sin], [-sin, cos]]) + centre
    cv2.fillPoly(mask, [np.round(placed * 16).astype(np.int32)], 1, cv2.LINE_AA, 4)


def _places(rng: Rng, size: int) -> tuple[list[Points], float]:
    """Where the parts lie and how large they are: one, some in rows, or many."""
    roll = rng.random()
    if roll < 0.6:
        return [rng.uniform(0.38, 0.62, 2) * size], rng.uniform(0.2, 0.46) * size
    rows, columns = (rng.integers(1, 4, 2) if roll < 0.85 else rng.integers(3, 8, 2)).tolist()
    pitch = size * rng.uniform(0.7, 1) / max(rows, columns)
    grid = [
        (c - (columns - 1) / 2, r - (rows - 1) / 2) for r in range(rows) for c in range(columns)
    ]
    return [np.array(g) * pitch + size / 2 for g in grid], pitch * rng.uniform(0.25, 0.55)


def silhouette(dice: Dice, size: int) -> Image:
    """Coverage mask in [0,1] of the parts, half of them with holes."""
    rng = dice.plan
    mask, hollow = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    outline, (places, radius) = _outline(dice), _places(rng, size)
    holes = [(rng.uniform(-0.7, 0.7, 2), rng.uniform(0.05, 0.3)) for _ in range(rng.integers(0, 7))]
    if rng.random() < 0.3:
        holes = [(np.zeros(2), rng.uniform(0.2, 0.7))]
    angle, turned = rng.uniform(0, 6.28), rng.random() < 0.2
    disc = np.stack([np.cos(np.arange(0, 6.28, 0.15)), np.sin(np.arange(0, 6.28, 0.15))], 1)
    rotations = rng.uniform(0, 6.28, len(places))
    for centre, own in zip(places, rotations, strict=True):
        spin = own if turned else angle
        _fill(mask, outline, centre, radius, spin)
        turn = np.array([[np.cos(spin), np.sin(spin)], [-np.sin(spin), np.cos(spin)]])
        for place, reach in holes if radius > 20 else []:
            _fill(hollow, disc, place @ turn * radius + centre, reach * radius, 0)
    return mask * (1 - hollow) if rng.random() < 0.5 else mask


def shade(height: NDArray[np.floating], dice: Dice) -> tuple[Image, Image]:
    """Light a height map from one side: diffuse (Lambert) and a specular lobe, each [S,S]."""
    rng = dice.plan
    gy, gx = np.gradient(height)
    sway = rng.uniform(0, 0.5) * (rng.random() < 0.5)  # the light, or the part, is turned
    angle = rng.uniform(0, 6.28) + dice.piece.normal() * sway
    up = rng.uniform(0.4, 1.5) * (1 + dice.piece.uniform(-0.3, 0.3) * sway)
    diffuse = (gx * np.cos(angle) + gy * np.sin(angle) + up) / np.sqrt(gx**2 + gy**2 + 1)
    glint = np.clip(diffuse / np.sqrt(1 + up * up), 0, 1) ** rng.uniform(4, 40)
    return np.asarray(np.clip(diffuse, 0, None), np.float32), np.asarray(glint, np.float32)


def _print(rng: Rng, size: int) -> Image:
    """Random characters, bars and rings, as on stamped or printed parts. [0,1]."""
    ink = np.zeros((size, size), np.uint8)
    for _ in range(rng.integers(1, 5)):
        corner = (int(rng.uniform(0.1, 0.6) * size), int(rng.uniform(0.25, 0.8) * size))
        thick, roll = int(rng.integers(1, 4)), rng.random()
        if roll < 0.7:
            text = "".join(chr(rng.integers(48, 91)) for _ in range(rng.integers(1, 8)))
            font, scale = int(rng.integers(0, 4)), float(rng.uniform(0.35, 1.6))
            cv2.putText(ink, text, corner, font, scale, 255, thick, cv2.LINE_AA)
        elif roll < 0.85:
            end = (corner[0] + int(rng.uniform(10, 90)), corner[1] + int(rng.uniform(3, 40)))
            cv2.rectangle(ink, corner, end, 255, thick if rng.random() < 0.6 else -1, cv2.LINE_AA)
        else:
            cv2.circle(ink, corner, int(rng.uniform(4, 40)), 255, thick, cv2.LINE_AA)
    soft = cv2.GaussianBlur(ink.astype(np.float32) / 255, (0, 0), rng.uniform(0.5, 1))
    return np.asarray(soft, np.float32)


def _relief(layers: Layers, mask: Image, ink: Image) -> NDArray[np.floating]:
    """Height map of the part: bevelled edge, rings, a little roughness, raised or sunk print."""
    rng = layers.plan
    inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    height = np.minimum(inside, rng.uniform(3, 40)) * rng.uniform(0.1, 1)
    if rng.random() < 0.5:
        height = height + np.sin(inside * 2 * np.pi / rng.uniform(4, 20)) * rng.uniform(0.2, 2)
    rough = cv2.GaussianBlur(field(layers.dice(0.8), len(mask)), (0, 0), rng.uniform(0.5, 3))
    height = height + rough * rng.uniform(0, 1) ** 2 * 2.5
    if rng.random() < 0.3:
        height = height + ink * float(height.max()) * rng.uniform(-1, 1)
    return np.asarray(height)


def _albedo(layers: Layers, size: int, ink: Image) -> Image:
    """The colour of the part's surface: material, inclusions and printed ink. [S,S,3] 0..255."""
    rng = layers.plan
    surface = np.broadcast_to(colour(rng) * 0.75 + 30, (size, size, 3))
    if rng.random() < 0.5:
        material = texture(layers.dice(0.7), size)
        surface = surface + (material - material.mean((0, 1))) * rng.uniform(0.05, 0.6)
    if rng.random() < 0.2:  # inclusions: grains, chips, pores
        grains = fractal(layers.dice(1.0), size, rng.uniform(1.5, 3)) > rng.uniform(1, 2)
        surface = surface + (colour(rng) - surface) * grains[..., None] * rng.uniform(0.2, 1)
    if rng.random() < 0.4:
        surface = surface + (colour(rng) - surface) * ink[..., None] * rng.uniform(0.3, 1)
    return np.asarray(surface, np.float32)


def _ground(layers: Layers, size: int) -> Image:
    """What the part lies on, often plain. [S,S,3] 0..255."""
    rng, material = layers.plan, texture(layers.dice(0.8), size)
    if rng.random() < 0.6:
        material = colour(rng) + (material - material.mean((0, 1))) * rng.uniform(0, 0.3)
    return np.asarray(material, np.float32)


def part(layers: Layers, size: int) -> Image:
    """Lit parts with their shadow on a ground. float32 [size,size,3] 0..255."""
    ground, rng = _ground(layers, size), layers.plan
    mask, ink = silhouette(layers.dice(0.6), size), _print(rng, size)
    relief, albedo = _relief(layers, mask, ink), _albedo(layers, size, ink)
    diffuse, glint = shade(relief, layers.dice(0.7))
    covered = mask > 0.5
    spread = diffuse[covered].std() + 0.02 if covered.any() else 1.0
    level = 1 + (diffuse - diffuse.mean()) / spread * rng.uniform(0.04, 0.35)
    body = albedo * np.clip(level, 0, 2.5)[..., None]
    body = body + (glint * log_uniform(rng, 1, 90))[..., None]
    offset = (int(rng.integers(-8, 9)), int(rng.integers(-8, 9)))
    shadow = cv2.GaussianBlur(np.roll(mask, offset, (0, 1)), (0, 0), rng.uniform(1, 6))
    cover = mask[..., None]
    scene = ground * (1 - shadow * rng.uniform(0, 0.5))[..., None] * (1 - cover) + body * cover
    soft = cv2.GaussianBlur(np.asarray(scene, np.float32), (0, 0), rng.uniform(0.3, 1))
    return np.asarray(soft, np.float32)


def is_texture(product: int) -> bool:
    """Two of five products are pure texture, the others are parts."""
    return product % 5 >= 3


def piece(product: int, number: int) -> NDArray[np.uint8]:
    """Piece `number` of product `product`. uint8 [256,256,3] BGR."""
    layers = Layers(product, number)
    scene = texture(layers.dice(0.9), SIDE) if is_texture(product) else part(layers, SIDE)
    return np.clip(scene, 0, 255).astype(np.uint8)
