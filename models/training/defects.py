"""Synthetic defects on a scene, from barely visible to gross.

Promises: every defect stays inside the crop; what it changed is measured afterwards, by `changes`.
Never moves the camera or the light: `views` does that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .textures import Image, Rng, log_uniform
from .views import GREY, smooth


@dataclass(frozen=True)
class Site:
    """Where a defect is put, of what it is made, and how strong it is."""

    x: float
    y: float
    strength: float  # contrast, of 0..1
    donor: Image  # another scene, foreign material

    @property
    def at(self) -> tuple[int, int]:
        return int(self.x), int(self.y)


def _site(scene: Image, donor: Image, faintest: float, rng: Rng) -> Site:
    """Anywhere, or, as often, where the scene has edges: there the features of a part are."""
    side = len(scene)
    places = rng.uniform(0.06 * side, 0.94 * side, (1 if rng.random() < 0.5 else 10, 2))
    steps = [scene[int(y), int(x)] - scene[int(y) - 3, int(x) - 3] for x, y in places]
    x, y = places[int(np.argmax([np.abs(step).sum() for step in steps]))]
    return Site(float(x), float(y), log_uniform(rng, faintest, 0.6), donor)


def _hue(rng: Rng) -> Image:
    """A direction of change: lighter, darker, another hue of the same brightness, or both. [3]."""
    chroma = rng.normal(size=3)
    chroma -= chroma @ GREY
    chroma /= np.abs(chroma).max() + 1e-6
    roll, sign = rng.random(), rng.choice([-1.0, 1.0])
    if roll < 0.55:
        return np.full(3, sign, np.float32)
    return np.asarray(chroma * 1.5 if roll < 0.75 else sign + chroma * 0.7, np.float32)


def _region(rng: Rng, side: int, site: Site, low: float = 1.5, high: float = 0.2) -> Image:
    """A patch around the site: ellipse, polygon, box or ragged. [S,S] in 0..1, edges soft or not.

    `low` is the smallest radius in pixels, `high` the greatest in crop sides.
    """
    mask = np.zeros((side, side), np.float32)
    size, kind = log_uniform(rng, low, high * side), int(rng.integers(0, 4))
    axes, turn = (size, max(1.0, size * rng.uniform(0.3, 1))), float(rng.uniform(0, 180))
    if kind == 0 or size < 3:
        box = ((site.x, site.y), (axes[0] * 2, axes[1] * 2), turn)
        cv2.ellipse(mask, box, 1, -1, cv2.LINE_AA)
    elif kind == 1:
        angle = np.sort(rng.uniform(0, 6.28, int(rng.integers(4, 9))))
        reach = size * rng.uniform(0.5, 1.2, len(angle))
        points = np.stack([site.x + reach * np.cos(angle), site.y + reach * np.sin(angle)], 1)
        cv2.fillPoly(mask, [(points * 16).astype(np.int32)], 1, cv2.LINE_AA, 4)
    elif kind == 2:
        corners = cv2.boxPoints(((site.x, site.y), (axes[0] * 2, axes[1] * 2), turn))
        cv2.fillPoly(mask, [(corners * 16).astype(np.int32)], 1, cv2.LINE_AA, 4)
    else:
        yy, xx = np.mgrid[:side, :side].astype(np.float32)
        away = np.hypot(xx - site.x, yy - site.y) / size
        ragged = smooth(rng, side, int(rng.integers(8, 30))) * 0.5
        mask = np.asarray(np.clip((1 + ragged - away) * size * 0.5, 0, 1), np.float32)
    soft = rng.uniform(0.3, 0.8) if rng.random() < 0.6 else size * rng.uniform(0.1, 0.6)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.3, soft)), np.float32)


def _line(rng: Rng, side: int, site: Site, wiggle: float, longest: float) -> Image:
    """A thin curve through the site, at times broken or fading. [S,S] in 0..1."""
    count, length = 24, log_uniform(rng, 6, longest * side)
    heading = rng.uniform(0, 6.28) + np.cumsum(rng.normal(0, wiggle, count))
    steps = np.stack([np.cos(heading), np.sin(heading)], 1) * length / count
    points = np.cumsum(steps, 0)
    points += np.array([site.x, site.y]) - points[int(rng.integers(0, count))]
    mask = np.zeros((side, side), np.uint8)
    thick = 1 if rng.random() < 0.7 else int(rng.integers(2, 4))
    cv2.polylines(mask, [(points * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    line = mask.astype(np.float32) / 255
    if rng.random() < 0.3:
        line = line * np.clip(smooth(rng, side, 8) + 0.6, 0, 1)
    return cv2.GaussianBlur(line, (0, 0), rng.uniform(0.3, 0.7)) * 1.3


def _mix(scene: Image, other: NDArray[Any], mask: Image) -> Image:
    return np.asarray(scene + (other - scene) * np.clip(mask, 0, 1)[..., None], np.float32)


def _filled(scene: Image, mask: Image) -> Image:
    """The scene with the masked part covered over from around it."""
    hole = cv2.dilate((mask > 0.1).astype(np.float32), np.ones((5, 5)))
    keep = (1 - hole)[..., None] + 1e-4
    reach = 0.5 * np.sqrt(hole.sum()) + 1.5
    around = cv2.GaussianBlur(scene * keep, (0, 0), reach)
    return np.asarray(around / cv2.GaussianBlur(keep, (0, 0), reach)[..., None], np.float32)


def scratch(scene: Image, site: Site, rng: Rng) -> Image:
    """One or a few fine lines, light or dark, some with a lit and a dark edge."""
    line = _line(rng, len(scene), site, 0.08, 0.9)
    if rng.random() < 0.2:
        shift = rng.integers(-6, 7, 2)
        line = np.maximum(line, np.roll(line, (int(shift[0]), int(shift[1])), (0, 1)) * 0.8)
    if rng.random() < 0.35:
        line = line - np.roll(line, (1, 1), (0, 1))
    return scene + (line * site.strength)[..., None] * _hue(rng)


def fibre(scene: Image, site: Site, rng: Rng) -> Image:
    """A hair or thread lying on the part."""
    line = _line(rng, len(scene), site, 0.25, 0.8)
    return _mix(scene, rng.uniform(0, 1, 3), line * min(1.0, site.strength * 2 + 0.1))


def crack(scene: Image, site: Site, rng: Rng) -> Image:
    """A jagged dark line with branches."""
    line = _line(rng, len(scene), site, 0.6, 0.8)
    if rng.random() < 0.5:
        line = np.maximum(line, _line(rng, len(scene), site, 0.6, 0.4))
    return scene * (1 - line * min(0.9, site.strength * 2))[..., None]


def spot(scene: Image, site: Site, rng: Rng) -> Image:
    """A spot or stain, lighter, darker or of another hue."""
    patch = _region(rng, len(scene), site)
    if rng.random() < 0.2:  # a ring, as a dried drop leaves
        patch = np.clip(patch * (1 - patch) * 4, 0, 1)
    return scene + (patch * site.strength)[..., None] * _hue(rng)


def dust(scene: Image, site: Site, rng: Rng) -> Image:
    """Small specks around the site."""
    side, specks = len(scene), np.zeros(scene.shape[:2], np.float32)
    reach = rng.uniform(2, 0.25 * side)
    for _ in range(int(rng.integers(1, 12))):
        x, y = np.clip(np.array(site.at) + rng.normal(size=2) * reach, 1, side - 2)
        cv2.circle(specks, (int(x), int(y)), int(rng.integers(0, 3)), 1, -1, cv2.LINE_AA)
    return scene + (specks * max(site.strength, 0.06))[..., None] * _hue(rng)


def smear(scene: Image, site: Site, rng: Rng) -> Image:
    """Rubbed: the detail under the patch is blurred, all round or in one direction."""
    length, angle = int(rng.integers(3, 12)), rng.uniform(0, np.pi)
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length
    ends = [np.round(length + sign * reach).astype(int).tolist() for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    if rng.random() < 0.4:
        kernel = np.ones_like(kernel)
    rubbed = cv2.filter2D(scene, -1, kernel / kernel.sum())
    return _mix(scene, rubbed, _region(rng, len(scene), site, 3, 0.3))


def rough(scene: Image, site: Site, rng: Rng) -> Image:
    """Another surface: roughened, pitted, or polished away."""
    side, patch = len(scene), _region(rng, len(scene), site, 3, 0.3)
    if rng.random() < 0.4:
        mean = cv2.blur(scene, (9, 9))
        return _mix(scene, mean + (scene - mean) * rng.choice([0.3, 1.8]), patch)
    grain = cv2.GaussianBlur(
        rng.standard_normal((side, side), np.float32), (0, 0), rng.uniform(0.5, 2)
    )
    grain = grain / (grain.std() + 1e-6)
    if rng.random() < 0.5:
        grain = np.minimum(grain + 0.8, 0)
    return np.asarray(scene + (grain * patch * site.strength * 0.6)[..., None], np.float32)


def _warped(scene: Image, x: NDArray[np.floating], y: NDArray[np.floating]) -> Image:
    """The scene with every pixel taken from (x, y)."""
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    bent = cv2.remap(scene, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(bent, np.float32)


def dent(scene: Image, site: Site, rng: Rng) -> Image:
    """The surface is pushed in: bent, with a lit and a dark flank."""
    side, size = len(scene), log_uniform(rng, 3, 0.2 * len(scene))
    yy, xx = np.mgrid[:side, :side].astype(np.float32)
    dx, dy = xx - site.x, yy - site.y
    bowl = np.exp(-(dx**2 + dy**2) / (2 * size**2)).astype(np.float32)
    pull = rng.uniform(-0.5, 0.6) if rng.random() < 0.6 else 0.0
    bent = _warped(scene, xx + dx * bowl * pull, yy + dy * bowl * pull)
    angle = rng.uniform(0, 6.28)
    flank = (dx * np.cos(angle) + dy * np.sin(angle)) / size * bowl * 1.6
    return np.asarray(bent + (flank * min(site.strength, 0.3))[..., None], np.float32)


def bend(scene: Image, site: Site, rng: Rng) -> Image:
    """The contour is shifted: chipped, burred, bent or swollen."""
    side, size = len(scene), log_uniform(rng, 3, 0.15 * len(scene))
    yy, xx = np.mgrid[:side, :side].astype(np.float32)
    bowl = np.exp(-((xx - site.x) ** 2 + (yy - site.y) ** 2) / (2 * size**2)).astype(np.float32)
    angle, pull = rng.uniform(0, 6.28), rng.uniform(2, 8)
    return _warped(scene, xx + bowl * pull * np.cos(angle), yy + bowl * pull * np.sin(angle))


def missing(scene: Image, site: Site, rng: Rng) -> Image:
    """A feature is gone: covered over by what is around it."""
    patch = _region(rng, len(scene), site, 3, 0.3)
    return _mix(scene, _filled(scene, patch), patch)


def broken(scene: Image, site: Site, rng: Rng) -> Image:
    """A piece is broken off: what is seen there lies elsewhere in the scene, such as the ground."""
    side, patch = len(scene), _region(rng, len(scene), site, 4, 0.35)
    x, y = rng.integers(0, side, 2)
    ground = cv2.blur(scene, (5, 5))[y, x]
    return _mix(scene, ground + (scene - cv2.blur(scene, (9, 9))) * rng.uniform(0, 0.5), patch)


def displaced(scene: Image, site: Site, rng: Rng) -> Image:
    """A piece of the scene shows in the wrong place, or turned: wrong print, twisted, doubled."""
    patch, turn = _region(rng, len(scene), site, 4, 0.25), rng.random()
    if turn < 0.5:
        shift = rng.integers(4, len(scene) // 2, 2) * rng.choice([-1, 1], 2)
        other: NDArray[Any] = np.roll(scene, (int(shift[0]), int(shift[1])), (0, 1))
    else:
        angle = float(rng.choice([-1, 1]) * rng.uniform(8, 180))
        matrix = cv2.getRotationMatrix2D((site.x, site.y), angle, 1)
        size = (len(scene), len(scene))
        other = cv2.warpAffine(scene, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    return _mix(scene, other, patch)


def foreign(scene: Image, site: Site, rng: Rng) -> Image:
    """Material that does not belong there, opaque or a film."""
    share = 1.0 if rng.random() < 0.5 else rng.uniform(0.15, 0.7)
    return _mix(scene, site.donor, _region(rng, len(scene), site) * share)


def recoloured(scene: Image, site: Site, rng: Rng) -> Image:
    """A whole piece of the scene has another colour: found by flooding from the site."""
    side, reach = len(scene), float(rng.uniform(0.03, 0.12))
    filled = np.zeros((side + 2, side + 2), np.uint8)
    smoothed = cv2.GaussianBlur(scene, (0, 0), 1)
    cv2.floodFill(smoothed, filled, site.at, (0, 0, 0), (reach,) * 3, (reach,) * 3, 4)
    piece = cv2.dilate(filled[1:-1, 1:-1], np.ones((3, 3), np.uint8)).astype(np.float32)
    if not 12 < piece.sum() < 0.3 * side * side:
        piece = _region(rng, side, site, 3, 0.2)
    change = _hue(rng) * max(site.strength, 0.04)
    return scene + cv2.GaussianBlur(piece, (0, 0), 0.5)[..., None] * change


Defect = Callable[[Image, Site, Rng], Image]
COMMON = (scratch, spot, missing)  # twice as often as the others
KINDS: tuple[Defect, ...] = (
    *(fibre, crack, dust, smear, rough, dent, bend, broken, displaced, foreign, recoloured),
    *COMMON,
    *COMMON,
)


def spoil(scene: Image, donor: Image, faintest: float, rng: Rng) -> Image:
    """The scene with a defect, at times two. float32 [S,S,3], not clipped.

    donor: another scene, [S,S,3]. faintest: least contrast of an added mark, of 0..1.
    """
    spoilt = scene
    for _ in range(1 if rng.random() < 0.85 else 2):
        defect = KINDS[int(rng.integers(len(KINDS)))]
        spoilt = defect(spoilt, _site(spoilt, donor, faintest, rng), rng)
    return np.asarray(spoilt, np.float32)


def changes(clean: Image, spoilt: Image, noise: float) -> NDArray[np.uint8]:
    """Which pixels a defect changed: 0 not, 1 too little to be seen, 2 visibly. uint8 [S,S].

    A change is visible where it stands above the noise and above the scene's own bustle.
    """
    clean, spoilt = np.clip(clean, 0, 1), np.clip(spoilt, 0, 1)
    change = cv2.blur(np.abs(spoilt - clean).max(2), (3, 3))
    mean = np.asarray(cv2.blur(clean, (9, 9)), np.float32)
    bustle = np.sqrt(np.maximum(cv2.blur(clean**2, (9, 9)) - mean**2, 0)).max(2)
    least = np.maximum(np.maximum(0.015, noise), 0.15 * bustle)
    return np.asarray((change > 0.3 * least).astype(np.uint8) + (change > least), np.uint8)
