"""The station: fixture, lights and camera around one part, rendered by Mitsuba 3.

Promises: what a picture shows is what stands in the scene; the picture is linear light, and the
same surface, setup and seed give the same picture up to rounding. Never draws on a picture
afterwards and never writes a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray
from surface import CELL, CELLS, HALF, Map, Surface, grid, polar

mi.set_variant("llvm_ad_rgb")

WIDTH, HEIGHT = 640, 480
CAMERA_HEIGHT = 300.0
FIELD_OF_VIEW = 14.9
RIM = 25.3  # cells further out than this are not part of the mesh


@dataclass(frozen=True)
class Setup:
    """What differs from one picture to the next although nothing is wrong."""

    shift: tuple[float, float]  # millimetres
    turn: float  # degrees about the camera's axis
    tilt: tuple[float, float]  # degrees
    ring_light: float  # relative to nominal
    bar_light: float
    bar_angle: float  # degrees
    mat_seed: int


def draw_setup(rng: np.random.Generator) -> Setup:
    """A setup within the station's ordinary tolerances."""
    return Setup(
        shift=(float(rng.normal(0, 0.22)), float(rng.normal(0, 0.22))),
        turn=float(rng.uniform(-2.5, 2.5)),
        tilt=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))),
        ring_light=float(rng.normal(1, 0.03)),
        bar_light=float(rng.normal(1, 0.06)),
        bar_angle=float(rng.normal(148, 1.5)),
        mat_seed=int(rng.integers(1, 2**31)),
    )


def render(surface: Surface, setup: Setup, samples: int, seed: int) -> NDArray[np.float32]:
    """The picture in linear light: height x width x RGB."""
    scene = mi.load_dict(_scene(surface, setup))
    image = mi.render(scene, spp=samples, seed=seed)
    return np.asarray(image, np.float32)[..., :3]


def seen_changes(surface: Surface, setup: Setup, changed: Map) -> NDArray[np.bool_]:
    """The pixels through which the camera sees a changed cell of this surface."""
    scene = mi.load_dict({"type": "scene", "part": _part(surface, setup)})
    camera = mi.load_dict(_camera())
    fine = 2  # rays per pixel side
    u, v = np.meshgrid((np.arange(WIDTH * fine) + 0.5) / WIDTH / fine,
                       (np.arange(HEIGHT * fine) + 0.5) / HEIGHT / fine)  # fmt: skip
    ray, _ = camera.sample_ray(0.0, 0.5, mi.Point2f(u.ravel(), v.ravel()), mi.Point2f(0.5))
    hit = scene.ray_intersect_preliminary(ray)
    place = np.array(_pose(setup).matrix)
    point = np.nan_to_num(np.array(ray(hit.t)), posinf=0, neginf=0)
    where = place[:3, :3].T @ (point - place[:3, 3:])
    column, row = np.clip(np.rint((where[:2] + HALF) / CELL), 0, CELLS - 1).astype(int)
    found = (changed[row, column] > 0) & np.array(hit.is_valid())
    share = found.reshape(HEIGHT, fine, WIDTH, fine).mean(axis=(1, 3))
    return share > 0.4


def _scene(surface: Surface, setup: Setup) -> dict[str, Any]:
    return {
        "type": "scene",
        "integrator": {"type": "direct"},
        "sensor": _camera(),
        "part": _part(surface, setup),
        "mat": _mat(setup.mat_seed),
        "pin_left": _pin(208.0),
        "pin_right": _pin(332.0),
        "ring": _ring_light(2.0 * setup.ring_light),
        "bar": _bar_light(17.0 * setup.bar_light, setup.bar_angle),
        "hall": {"type": "constant", "radiance": _rgb(0.10, 0.105, 0.11)},
    }


def _rgb(red: float, green: float, blue: float) -> dict[str, Any]:
    return {"type": "rgb", "value": [red, green, blue]}


def _camera() -> dict[str, Any]:
    look = mi.ScalarTransform4f().look_at([0, 0, CAMERA_HEIGHT], [0, 0, 0], [0, 1, 0])
    film = {"type": "hdrfilm", "width": WIDTH, "height": HEIGHT, "pixel_format": "rgb",
            "rfilter": {"type": "gaussian", "stddev": 0.5}}  # fmt: skip
    return {"type": "perspective", "fov": FIELD_OF_VIEW, "to_world": look, "film": film,
            "sampler": {"type": "multijitter"}}  # fmt: skip


def _pose(setup: Setup) -> mi.ScalarTransform4f:
    move = mi.ScalarTransform4f().translate([*setup.shift, 0.0])
    turned = move.rotate([0, 0, 1], setup.turn)
    return turned.rotate([1, 0, 0], setup.tilt[0]).rotate([0, 1, 0], setup.tilt[1])


def _part(surface: Surface, setup: Setup) -> mi.Mesh:
    """The surface as one mesh, its maps carried by the vertices."""
    keep, faces, turns = _cells()
    props = mi.Properties()
    props["bsdf"] = mi.load_dict(_material())
    mesh = mi.Mesh("part", len(keep), len(faces), props, True, True)
    params = mi.traverse(mesh)
    x, y = (axis.ravel()[keep] for axis in grid())
    place = np.array(_pose(setup).matrix, np.float32)
    points = np.stack([x, y, surface.height.ravel()[keep]], 1)
    params["vertex_positions"] = (points @ place[:3, :3].T + place[:3, 3]).ravel()
    params["vertex_normals"] = (_normals(surface)[keep] @ place[:3, :3].T).ravel()
    params["vertex_texcoords"] = turns.ravel()
    params["faces"] = faces.ravel().astype(np.uint32)
    params.update()
    for name in ("rough_along", "rough_across", "tint", "coat", "coat_rough"):
        mesh.add_attribute(f"vertex_{name}", 1, getattr(surface, name).ravel()[keep])
    mesh.add_attribute("vertex_coat_rgb", 3, surface.coat_rgb.reshape(-1, 3)[keep].ravel())
    return mesh


def _normals(surface: Surface) -> Map:
    """Unit normals from the form and from the turning marks on it."""
    down, across = np.gradient(surface.height, CELL)
    x, y = grid()
    radius = np.maximum(np.hypot(x, y), CELL)
    marks = surface.slope * (1 - surface.coat)
    up = np.stack([-across - marks * x / radius, -down - marks * y / radius,
                   np.ones_like(x)], -1).reshape(-1, 3)  # fmt: skip
    return (up / np.linalg.norm(up, axis=1, keepdims=True)).astype(np.float32)


@cache
def _cells() -> tuple[NDArray[np.int64], NDArray[np.int64], Map]:
    """Grid cell of every vertex, the triangles, and (angle, radius) as texture coordinates.

    The angle jumps once around; triangles across the jump get vertices of their own there.
    """
    radius, angle = (m.ravel() for m in polar())
    cell = np.arange(CELLS * CELLS).reshape(CELLS, CELLS)
    a, b, c, d = cell[:-1, :-1], cell[:-1, 1:], cell[1:, 1:], cell[1:, :-1]
    faces = np.stack([a, b, c, a, c, d], -1).reshape(-1, 3)
    faces = faces[(radius[faces] < RIM).all(1)]
    over = np.ptp(angle[faces], axis=1)[:, None] > 3.2
    extra = np.where(over & (angle[faces] < 0), faces + CELLS * CELLS, faces)
    used, index = np.unique(extra, return_inverse=True)
    keep = used % (CELLS * CELLS)
    turn = angle[keep] / 6.2831853 + (used >= CELLS * CELLS)
    return keep, index.reshape(-1, 3), np.stack([turn, radius[keep] / HALF], 1).astype(np.float32)


def _material() -> dict[str, Any]:
    """Turned aluminium, and over it whatever cover the maps carry."""

    def at(name: str) -> dict[str, Any]:
        return {"type": "mesh_attribute", "name": f"vertex_{name}"}

    metal = {"type": "roughconductor", "material": "Al", "distribution": "ggx",
             "alpha_u": at("rough_along"), "alpha_v": at("rough_across"),
             "specular_reflectance": at("tint")}  # fmt: skip
    cover = {"type": "principled", "base_color": at("coat_rgb"), "roughness": at("coat_rough"),
             "specular": 0.45}  # fmt: skip
    return {"type": "blendbsdf", "weight": at("coat"), "metal": metal, "cover": cover}


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
