"""Views of a generated piece: where it lies in the crop, and what the camera makes of it.

Promises: what a view changes (pose, light, focus, noise) is what views of good parts differ by.
Never adds a defect: `defects` does, between `crop` and `View.expose`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .textures import Image, Rng, log_uniform

GREY = np.array([0.114, 0.587, 0.299], np.float32)  # blue, green, red: ITU-R BT.601 luma


@dataclass(frozen=True)
class Pose:
    """Where a crop is taken: radians, image pixels per crop pixel, +-1, offsets in [-1,1]."""

    angle: float
    scale: float
    flip: float
    x: float
    y: float

    @staticmethod
    def random(rng: Rng, turn: float = np.pi, low: float = 0.6, high: float = 1.8) -> Pose:
        place = rng.uniform(-1, 1, 2)
        flip = float(rng.choice([-1, 1]))
        return Pose(rng.uniform(-turn, turn), log_uniform(rng, low, high), flip, place[0], place[1])

    def elsewhere(self, rng: Rng) -> Pose:
        """The same pose at another place in the image."""
        return replace(self, x=rng.uniform(-1, 1), y=rng.uniform(-1, 1))

    def jittered(self, amount: float, rng: Rng) -> Pose:
        """Fixturing tolerance: `amount` 1 is +-3.4 degrees, +-4 % size, +-4 pixels."""
        turn, size, x, y = rng.uniform(-1, 1, 4) * amount
        return replace(
            self,
            angle=self.angle + turn * 0.06,
            scale=self.scale * float(np.exp(size * 0.04)),
            x=self.x + x * 0.05,
            y=self.y + y * 0.05,
        )


def crop(image: NDArray[np.uint8], pose: Pose, side: int) -> Image:
    """Sample uint8 [H,H,3] at `pose`. Returns float32 [side,side,3] in 0..1."""
    whole, fine = image.shape[0], 2 if pose.scale > 1.25 else 1
    step = pose.scale / fine
    cos, sin = step * np.cos(pose.angle), step * np.sin(pose.angle)
    room = max(whole - side * pose.scale * 1.2, 0.3 * whole) / 2
    turn = np.array([[cos * pose.flip, -sin], [sin * pose.flip, cos]])
    centre = np.array([whole / 2 + pose.x * room, whole / 2 + pose.y * room])
    shift = centre - turn @ np.full(2, side * fine / 2)
    matrix = np.concatenate([turn, shift[:, None]], 1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    taken = cv2.warpAffine(
        image, matrix, (side * fine, side * fine), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    if fine > 1:
        taken = cv2.resize(taken, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(taken, np.float32) / np.float32(255)


def smooth(rng: Rng, side: int, cells: int) -> Image:
    """A soft random field, normal at its knots. [side,side]."""
    knots = rng.normal(size=(cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(knots, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


@dataclass(frozen=True)
class Camera:
    """One station: its look, and how far one view differs from the next (`unrest`, 0..1)."""

    grey: bool
    unrest: float
    gain: Image  # [3]
    offset: float
    blur: float  # sigma, pixels
    noise: float  # standard deviation, of 0..1
    coarse: bool  # noise of larger grain, alike in all channels
    quality: int  # of JPEG, 0 for none
    glare: float  # how bright reflections are that move from view to view

    @staticmethod
    def random(rng: Rng) -> Camera:
        balance = np.exp(rng.normal(size=3) * 0.08 * rng.random())
        return Camera(
            grey=bool(rng.random() < 0.35),
            unrest=float(rng.random() ** 1.7),
            gain=np.asarray(balance * np.exp(rng.uniform(-0.45, 0.3)), np.float32),
            offset=rng.uniform(-0.05, 0.12),
            blur=rng.uniform(0, 0.9) * (rng.random() < 0.7),
            noise=log_uniform(rng, 0.002, 0.03),
            coarse=bool(rng.random() < 0.25),
            quality=int(rng.integers(45, 96)) if rng.random() < 0.15 else 0,
            glare=rng.uniform(0.03, 0.35) if rng.random() < 0.15 else 0.0,
        )

    def view(self, rng: Rng, side: int) -> View:
        """Roll the light and the focus of one shot."""
        unrest = self.unrest
        balance = np.exp(rng.normal(size=3) * 0.04 * unrest + rng.normal() * 0.12 * unrest)
        light = smooth(rng, side, int(rng.integers(2, 4))) * rng.uniform(0, 0.06) * unrest
        added = light * 0.5 + rng.normal() * 0.04 * unrest + self.offset
        if self.glare and rng.random() < 0.7:
            added = added + self.glare * _glare(rng, side)
        blur = self.blur + abs(rng.normal()) * 0.3 * unrest
        return View(self, (1 + light)[..., None] * self.gain * balance, added[..., None], blur)


def _glare(rng: Rng, side: int) -> Image:
    """A soft highlight, round or long. [side,side] in 0..1."""
    yy, xx = np.mgrid[:side, :side].astype(np.float32)
    x, y = rng.uniform(0, side, 2)
    angle, long, wide = rng.uniform(0, np.pi), rng.uniform(12, 80), rng.uniform(7, 25)
    along = (xx - x) * np.cos(angle) + (yy - y) * np.sin(angle)
    across = (yy - y) * np.cos(angle) - (xx - x) * np.sin(angle)
    return np.asarray(np.exp(-((along / long) ** 2) - (across / wide) ** 2), np.float32)


@dataclass(frozen=True)
class View:
    """One shot of a station: all that is rolled, but for the noise."""

    camera: Camera
    gain: Image  # [S,S,3]
    added: Image  # [S,S,1]
    blur: float

    def expose(self, scene: Image) -> Image:
        """What the lens and the light make of a scene. [S,S,3], not yet clipped to 0..1."""
        seen = np.asarray(scene * self.gain + self.added, np.float32)
        if self.blur > 0.25:
            seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), self.blur), np.float32)
        return np.repeat((seen @ GREY)[..., None], 3, 2) if self.camera.grey else seen

    def sense(self, seen: Image, rng: Rng) -> NDArray[np.uint8]:
        """What the sensor makes of it: noise, steps, perhaps JPEG. uint8 [S,S,3]."""
        side, alike = len(seen), self.camera.grey or self.camera.coarse
        noise = rng.standard_normal((side, side, 1 if alike else 3), np.float32)
        if self.camera.coarse:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.8), np.float32)[..., None] * 2
        image = np.clip((seen + noise * self.camera.noise) * 255 + 0.5, 0, 255).astype(np.uint8)
        if self.camera.quality:
            packed = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, self.camera.quality))
            image = np.asarray(cv2.imdecode(packed[1], cv2.IMREAD_COLOR), np.uint8)
        return image
