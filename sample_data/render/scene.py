"""The part under the camera, rendered by Mitsuba 3.

Promises: what a picture shows is what stands in the scene; the picture is linear light, and the
same surface, setup and seed give the same picture up to rounding. Never draws on a picture
afterwards and never writes a file.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray
from station import Pieces, Setup
from surface import CELL, CELLS, HALF, Map, Surface, grid, polar

WIDTH, HEIGHT = 640, 480
CAMERA_HEIGHT = 300.0
FIELD_OF_VIEW = 14.9
BURIED = -0.9  # cells this low lie under the mat or the belt
NEAR = 61  # what can hide a changed cell from the camera lies in a square of so many cells
RIM = 25.3  # cells further out than this are not part of the mesh


def render(surface: Surface, setup: Setup, around: Pieces, samples: int,
           seed: int) -> NDArray[np.float32]:  # fmt: skip
    """The picture in linear light: height x width x RGB."""
    pieces = {"part": _part(surface, setup, surface.height > BURIED), "sensor": _camera(), **around}
    scene = mi.load_dict({"type": "scene", "integrator": {"type": "direct"}, **pieces})
    image = mi.render(scene, spp=samples, seed=seed)
    return np.asarray(image, np.float32)[..., :3]


def seen_changes(surface: Surface, setup: Setup, changed: Map) -> NDArray[np.bool_]:
    """The pixels through which the camera sees a changed cell of this surface."""
    near = cv2.dilate(changed, np.ones((NEAR, NEAR))) > 0
    scene = mi.load_dict({"type": "scene", "part": _part(surface, setup, near)})
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


def _part(surface: Surface, setup: Setup, shown: NDArray[np.bool_]) -> mi.Mesh:
    """The shown cells of the surface as one mesh, its maps carried by the vertices."""
    keep, faces, turns = _cells()
    faces = faces[shown.ravel()[keep][faces].any(1)]
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
    for name in ("rough_along", "rough_across", "coat", "coat_rough"):
        mesh.add_attribute(f"vertex_{name}", 1, getattr(surface, name).ravel()[keep])
    for name in ("tint", "coat_rgb"):
        mesh.add_attribute(f"vertex_{name}", 3, getattr(surface, name).reshape(-1, 3)[keep].ravel())
    return mesh


def _normals(surface: Surface) -> Map:
    """Unit normals from the form and from the tool marks on it."""
    down, across = np.gradient(surface.height, CELL)
    mark = surface.slope * (1 - surface.coat)[..., None]
    up = np.stack([-across - mark[..., 0], -down - mark[..., 1], np.ones_like(down)], -1)
    up = up.reshape(-1, 3)
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
    """Machined aluminium, bare or dyed, and over it whatever cover the maps carry."""

    def at(name: str) -> dict[str, Any]:
        return {"type": "mesh_attribute", "name": f"vertex_{name}"}

    metal = {"type": "roughconductor", "material": "Al", "distribution": "ggx",
             "alpha_u": at("rough_along"), "alpha_v": at("rough_across"),
             "specular_reflectance": at("tint")}  # fmt: skip
    cover = {"type": "principled", "base_color": at("coat_rgb"), "roughness": at("coat_rough"),
             "specular": 0.45}  # fmt: skip
    return {"type": "blendbsdf", "weight": at("coat"), "metal": metal, "cover": cover}
