"""A whole small station on disk: images, model, recipe and configuration.

Promises: everything lies under one folder; good parts are noise around one picture, bad ones
carry a bright square.
Never: needs anything that the product does not ship.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import cv2
import msgspec
import numpy as np

from inspector.core.paths import Paths, under
from inspector.devices.bundles import Bundle, Store, find

from .tiny_model import SIDE, write_bundle

WIDTH, HEIGHT = 160, 128


def picture(seed: int, bad: bool = False, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(height, width, 1) uint8: a soft gradient with noise, and a square when bad."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    image = 90 + 60 * columns / width + 30 * rows / height + rng.normal(0, 3, (height, width))
    if bad:
        top, left = rng.integers(10, height - 42), rng.integers(10, width - 42)
        image[top : top + 32, left : left + 32] += 110
    return np.clip(image, 0, 255).astype(np.uint8)[:, :, None]


def write_images(folder: Path, good: int = 6, bad: int = 2) -> Path:
    """PNG files good/000.png ... and square/000.png ... in `folder`."""
    for kind, count, defective in (("good", good, False), ("square", bad, True)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            image = picture(1000 * defective + index, defective)
            cv2.imwrite(str(folder / kind / f"{index:03}.png"), image)
    return folder


def small(image: np.ndarray) -> np.ndarray:
    """The image as the model's input."""
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)[:, :, None]


def make_station(
    root: Path, changes: Mapping[str, object] | None = None, **camera: object
) -> Paths:
    """A station whose camera plays a small folder; `camera` and `changes` override settings.

    `changes` maps sections of station.toml to tables that are merged in.
    """
    paths = under(root)
    images = root / "images"
    if "path" not in camera and not images.exists():
        write_images(images)
    mean = np.mean([picture(seed) for seed in range(20, 30)], axis=0).astype(np.uint8)
    put_in_use(paths, small(mean))
    write_recipe(paths, "plain")
    write_station(paths, {"path": str(images), **camera}, changes or {})
    return paths


def put_in_use(
    paths: Paths, reference: np.ndarray, limit: float = 40.0, name: str = "tiny"
) -> Bundle:
    """A tiny bundle in the station's store, and in use."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(paths.models)
        made = store.install(write_bundle(Path(scratch) / name, reference, limit, name))
        return store.use(name, made.manifest.version)


def in_use(paths: Paths, name: str = "tiny") -> Path:
    """The folder of the bundle in use."""
    return find(name, paths.models)


def write_recipe(paths: Paths, name: str, **changes: object) -> None:
    recipe: dict[str, object] = {
        "schema": 1,
        "name": name,
        "model": "tiny",
        "limits": {"review": 0.7, "fail": 1.0},
        "frame": {"refuse_identical": False},
    }
    paths.recipes.mkdir(parents=True, exist_ok=True)
    (paths.recipes / f"{name}.toml").write_bytes(msgspec.toml.encode(recipe | changes))


def write_station(
    paths: Paths, camera: Mapping[str, object], changes: Mapping[str, object]
) -> None:
    levels = ("enterprise", "site", "area", "line", "cell")
    station: dict[str, object] = {
        "schema": 1,
        "station": {level: level for level in levels},
        "cameras": [{"kind": "folder", "name": "cam0", "takt_ms": 20.0, **camera}],
        "line": {"deadline_ms": 250.0, "recipe": "plain", "lot": "L1"},
        "detect": {"threads": 1},
        "evidence": {"quota_mb": 50, "keep_free_mb": 0},
        "record": {"window_s": 1, "ballast_mb": 0},
        "retention": {"parts_days": 36_500, "events_days": 36_500},  # tests are of any year
    }
    for section, table in changes.items():
        if isinstance(table, Mapping):
            station[section] = {**station.get(section, {}), **table}  # type: ignore[dict-item]
        else:
            station[section] = table
    paths.config.mkdir(parents=True, exist_ok=True)
    paths.station_file.write_bytes(msgspec.toml.encode(station))
