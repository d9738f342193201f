"""What stands around the part: where it lies, what it lies on, and the lights.

Promises: `nest` holds a part between two pins on a rubber mat, `belt` carries it at any angle;
the same setup gives the same surroundings. Never moves the camera and never renders.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import mitsuba as mi
import numpy as np
from surface import Map

mi.set_variant("llvm_ad_rgb")

Pieces = dict[str, Any]
BELT = (3200, 704)  # length and width of the belt's maps: 400 by 88 mm
STRETCH = 880  # length under the camera


@dataclass(frozen=True)
class Setup:
    """What differs from one picture to the next although nothing is wrong."""

    shift: tuple[float, float]  # millimetres
    turn: float  # degrees about the camera's axis
    tilt: tuple[float, float]  # degrees
    ring_light: float  # relative to nominal
    bar_light: float
    bar_angle: float  # degrees
    ground_seed: int  # the grain of the mat, or the stretch of the belt


def draw_nest(rng: np.random.Generator) -> Setup:
    """A setup within the tolerances of a part laid against pins."""
    return Setup(
        shift=(float(rng.normal(0, 0.22)), float(rng.normal(0, 0.22))),
        turn=float(rng.uniform(-2.5, 2.5)),
        tilt=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))),
        ring_light=float(rng.normal(1, 0.03)),
        bar_light=float(rng.normal(1, 0.06)),
        bar_angle=float(rng.normal(148, 1.5)),
        ground_seed=int(rng.integers(1, 2**31)),
    )


def draw_belt(rng: np.random.Generator) -> Setup:
    """A setup of a part that lies on the belt at any angle, a few millimetres off its middle."""
    return Setup(
        shift=(float(rng.uniform(-6, 6)), float(rng.uniform(-2.2, 2.2))),
        turn=float(rng.uniform(0, 360)),
        tilt=(float(rng.normal(0, 0.15)), float(rng.normal(0, 0.15))),
        ring_light=float(rng.normal(1.15, 0.03)),
        bar_light=float(rng.normal(0.7, 0.04)),
        bar_angle=float(rng.normal(148, 1.0)),
        ground_seed=int(rng.integers(1, 2**31)),
    )


def nest(setup: Setup) -> Pieces:
    """A dark mat with two locating pins."""
    return {
        "mat": _mat(setup.ground_seed),
        "pin_left": _pin(208.0),
        "pin_right": _pin(332.0),
        **_lights(setup),
    }


def belt(setup: Setup) -> Pieces:
    """A stretch of a green fabric-faced belt, worn where parts have slid on it."""
    along = np.random.default_rng(setup.ground_seed).integers(BELT[0] - STRETCH)
    colour, relief = (m[:, along : along + STRETCH] for m in _belt_maps())
    base = {"type": "principled", "roughness": 0.5, "specular": 0.3,
            "base_color": {"type": "bitmap", "raw": True, "bitmap": mi.Bitmap(colour)}}  # fmt: skip
    bumps = {"type": "bitmap", "raw": True, "bitmap": mi.Bitmap(relief)}
    face = {"type": "bumpmap", "scale": 0.35, "texture": bumps, "bsdf": base}
    place = mi.ScalarTransform4f().scale([55, 44, 1])
    return {"belt": {"type": "rectangle", "to_world": place, "bsdf": face}, **_lights(setup)}


@cache
def _belt_maps() -> tuple[Map, Map]:
    """Colour and relief of the whole belt; it is one belt, so it has one seed."""
    rng = np.random.default_rng(11)
    column, row = np.meshgrid(np.arange(BELT[0]), np.arange(BELT[1]))
    weave = np.sin(column * np.pi / 5) * np.sin(row * np.pi / 5) * 0.35
    rough = cv2.GaussianBlur(rng.standard_normal(weave.shape), (0, 0), 1.2)
    relief = np.clip(0.5 + 0.3 * weave + 0.12 * rough / rough.std(), 0, 1)
    worn = np.zeros(weave.shape, np.uint8)
    for x, y, length in rng.uniform((0, 0, 40), (*BELT, 400), (90, 3)):
        end = (int(x + length), int(y + rng.normal(0, 8)))
        cv2.line(worn, (int(x), int(y)), end, int(rng.uniform(20, 90)), 2, cv2.LINE_AA)
    soft = cv2.GaussianBlur(worn, (0, 0), 1.5)[..., None] / 255.0
    patches = cv2.GaussianBlur(rng.standard_normal(weave.shape), (0, 0), 40)[..., None]
    colour = np.array((0.022, 0.075, 0.045)) * (1 + 0.12 * patches / patches.std())
    colour = np.clip(colour + soft * (0.09, 0.10, 0.085), 0, 1)
    return colour.astype(np.float32), relief[..., None].astype(np.float32)


def _lights(setup: Setup) -> Pieces:
    return {
        "ring": _ring_light(2.0 * setup.ring_light),
        "bar": _bar_light(17.0 * setup.bar_light, setup.bar_angle),
        "hall": {"type": "constant", "radiance": _rgb(0.10, 0.105, 0.11)},
    }


def _rgb(red: float, green: float, blue: float) -> dict[str, Any]:
    return {"type": "rgb", "value": [red, green, blue]}


def _mat(seed: int) -> dict[str, Any]:
    """The dark pebbled rubber on which the part lies."""
    grain = np.random.default_rng(seed).uniform(0.75, 1.25, (256, 320, 1)).astype(np.float32)
    base = {"type": "principled", "roughness": 0.55, "specular": 0.35,
            "base_color": {"type": "bitmap", "raw": True, "filter_type": "bilinear",
                           "bitmap": mi.Bitmap(np.repeat(0.022 * grain, 3, 2))}}  # fmt: skip
    bumps = {"type": "bitmap", "raw": True, "bitmap": mi.Bitmap(_pebbles())}
    return {"type": "rectangle", "to_world": mi.ScalarTransform4f().scale([55, 44, 1]),
            "bsdf": {"type": "bumpmap", "scale": 0.5, "texture": bumps, "bsdf": base}}  # fmt: skip


def _pebbles() -> Map:
    """The mat's own relief; it is one mat, so it has one seed."""
    white = np.random.default_rng(7).standard_normal((880, 1100)).astype(np.float32)
    soft = cv2.GaussianBlur(white, (0, 0), 2.2)
    return np.clip(soft / soft.std(), -1, 1)[..., None] * 0.5 + 0.5


def _pin(angle: float) -> dict[str, Any]:
    """A ball-ended steel pin beside the part, against which it is laid."""
    at = np.radians(angle)
    centre = [float(28.0 * np.cos(at)), float(28.0 * np.sin(at)), 5.0]
    steel = {"type": "roughconductor", "material": "Cr", "alpha": 0.2}
    return {"type": "sphere", "center": centre, "radius": 1.9, "bsdf": steel}


def _ring_light(radiance: float) -> mi.Mesh:
    """A diffused LED ring around the lens, facing down."""
    turn = np.linspace(0, 2 * np.pi, 97)[:-1]
    circle = np.stack([np.cos(turn), np.sin(turn), np.zeros(96)], 1)
    points = np.concatenate([circle * 42, circle * 70])
    points[:, 2] = 170.0
    i = np.arange(96)
    j = (i + 1) % 96
    faces = np.concatenate([np.stack([i, j, i + 96], 1), np.stack([j, j + 96, i + 96], 1)])
    props = mi.Properties()
    light = {"type": "area", "radiance": _rgb(radiance, radiance, 0.97 * radiance)}
    props["emitter"] = mi.load_dict(light)
    mesh = mi.Mesh("ring", len(points), len(faces), props)
    params = mi.traverse(mesh)
    params["vertex_positions"] = points.ravel().astype(np.float32)
    params["faces"] = faces.ravel().astype(np.uint32)
    params.update()
    return mesh


def _bar_light(radiance: float, angle: float) -> dict[str, Any]:
    """A bar light at one side, aimed at the part: it draws out the turning marks."""
    at = np.radians(angle)
    origin = [float(112 * np.cos(at)), float(112 * np.sin(at)), 150.0]
    aim = mi.ScalarTransform4f().look_at(origin, [0, 0, 0], [0, 0, 1]).scale([60, 14, 1])
    light = {"type": "area", "radiance": _rgb(radiance, 0.98 * radiance, 0.93 * radiance)}
    return {"type": "rectangle", "to_world": aim, "emitter": light}
